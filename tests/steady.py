#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Keeps data going through many tunnels, and counts every byte that comes back.

  steady.py STATUS PORT...

One connection to each PORT of 127.0.0.1, behind which a service sends every line back. Each sends a line of its
own about twice a second, and compares what comes back byte by byte. STATUS is written anew all the time:

  rounds R sent S back B broken N wrong W slowest MS

R: rounds of the connection that has made the fewest; S, B: bytes in all; N: connections that ended, or had no
answer within a minute, and are not made again; W: bytes that are not those that were sent; MS: the longest wait
for an answer. It runs until it is killed.
"""
import os
import random
import selectors
import socket
import sys
import time

PAUSE_S = 0.5
BROKEN_S = 60


class Tunnel:
    def __init__(self, number, port):
        self.number = number
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setblocking(False)
        self.rounds = 0
        self.broken = False
        self.expected = b""
        self.unsent = b""
        self.came = 0
        self.sent_at = 0.0
        self.next_at = time.monotonic() + random.random() * PAUSE_S

    def begin(self, now):
        text = random.randbytes(random.randrange(16, 1024)).hex()
        self.expected = f"{self.number} {self.rounds} {text}\n".encode()
        self.unsent = self.expected
        self.came = 0
        self.sent_at = now


def write_status(name, tunnels, totals):
    text = "rounds %d sent %d back %d broken %d wrong %d slowest %d\n" % (
        min(t.rounds for t in tunnels), totals["sent"], totals["back"],
        sum(t.broken for t in tunnels), totals["wrong"], totals["slowest"] * 1000)
    with open(name + ".new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(name + ".new", name)


def send(tunnel, totals):
    if not tunnel.unsent:
        return
    try:
        count = tunnel.socket.send(tunnel.unsent)
    except BlockingIOError:
        return
    totals["sent"] += count
    tunnel.unsent = tunnel.unsent[count:]


def receive(tunnel, totals, now):
    """False: the connection has ended."""
    data = tunnel.socket.recv(65536)
    if not data:
        return False
    want = tunnel.expected[tunnel.came:tunnel.came + len(data)]
    totals["back"] += len(data)
    totals["wrong"] += sum(a != b for a, b in zip(data, want)) + len(data) - len(want)
    tunnel.came += len(data)
    if tunnel.came >= len(tunnel.expected):
        totals["slowest"] = max(totals["slowest"], now - tunnel.sent_at)
        tunnel.rounds += 1
        tunnel.expected = b""
        tunnel.next_at = max(now, tunnel.sent_at + PAUSE_S)
    return True


def main():
    status, ports = sys.argv[1], [int(port) for port in sys.argv[2:]]
    selector = selectors.DefaultSelector()
    tunnels = [Tunnel(number, port) for number, port in enumerate(ports)]
    totals = {"sent": 0, "back": 0, "wrong": 0, "slowest": 0.0}
    for tunnel in tunnels:
        selector.register(tunnel.socket, selectors.EVENT_READ, tunnel)

    def end(tunnel, why):
        print(f"port {ports[tunnel.number]} after {tunnel.rounds} rounds: {why}", file=sys.stderr, flush=True)
        tunnel.broken = True
        selector.unregister(tunnel.socket)
        tunnel.socket.close()

    while True:
        for key, _ in selector.select(0.05):
            now = time.monotonic()
            try:
                if not receive(key.data, totals, now):
                    end(key.data, "closed")
            except OSError as error:
                end(key.data, error)
        now = time.monotonic()
        for tunnel in tunnels:
            if tunnel.broken:
                continue
            try:
                if not tunnel.expected and now >= tunnel.next_at:
                    tunnel.begin(now)
                send(tunnel, totals)
                if tunnel.expected and now - tunnel.sent_at > BROKEN_S:
                    end(tunnel, "no answer")
            except OSError as error:
                end(tunnel, error)
        write_status(status, tunnels, totals)


main()
