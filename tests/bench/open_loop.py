#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""open_loop.py RATE SECONDS COMMAND...: starts COMMAND so many times a second, whether or not the earlier ones have
ended, and waits for the first bytes that each prints. The time counts from the moment at which it was due.

Prints: microseconds of the median, the 99th percentile and the maximum; how many were started; how many printed
nothing or exited with another status than 0; and the most that were under way at once.
"""
import os, selectors, subprocess, sys, time

rate, seconds, command = float(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
LIMIT_S = 60
todo, running, took, failed, most = selectors.DefaultSelector(), {}, [], 0, 0
count = int(rate * seconds)
start = time.monotonic()
begun = 0
null = os.open(os.devnull, os.O_RDONLY)


def end(process, was_answered):
    """One that is told by an end of file has ended or is about to."""
    global failed
    todo.unregister(process.stdout)
    process.stdout.close()
    del running[process]
    if process.wait(LIMIT_S) != 0 or not was_answered:
        failed += 1


while begun < count or running:
    now = time.monotonic()
    while begun < count and start + begun / rate <= now:
        process = subprocess.Popen(command, stdin=null, stdout=subprocess.PIPE, bufsize=0, close_fds=False)
        running[process] = [start + begun / rate, False]
        todo.register(process.stdout, selectors.EVENT_READ, process)
        begun += 1
        most = max(most, len(running))
    next_due = start + begun / rate if begun < count else now + 1
    for key, _ in todo.select(max(0.0, min(1.0, next_due - time.monotonic()))):
        process = key.data
        if not process.stdout.read(4096):
            end(process, running[process][1])
        elif not running[process][1]:
            took.append(time.monotonic() - running[process][0])
            running[process][1] = True
    for process in [p for p, (due, _) in running.items() if time.monotonic() - due > LIMIT_S]:
        process.kill()
took.sort()
part = lambda share: int(1e6 * took[min(len(took) - 1, int(share * len(took)))]) if took else 0
print(part(0.5), part(0.99), part(1), begun, failed, most)
