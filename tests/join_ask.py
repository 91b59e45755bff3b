#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""join_ask.py [OPTION...] CODE: asks leased's join socket as the program join does, in a process of its own that
is registered as a join connection, as pam_tunnel does for sshd.

  --key FILE.pub      the key that sshd would have verified (and which the entry names)
  --send FILE.pub     send this key and not that of the entry
  --as USER           the user who asks (join); --entry-of USER: whose entry it is
  --no-entry          register nothing
  --source ADDRESS    where the client is (192.0.2.7)
  --json              ask for JSON
  --raw TEXT          send this as the request: METHOD PATH, a newline, the body
  --socket PATH
  --idle N            open so many connections first, and leave them idle
  --times N           ask so often, one after the other; the last answer is printed

Prints `STATUS EXIT` and then the text, or the body where there is none. As root."""
import argparse
import contextlib
import json
import os
import pwd
import socket
import subprocess
import sys
import time

REGISTRY = "/run/tunlease/join/sessions"


def entry_of(pid, user, key, source):
    fingerprint = subprocess.run(["ssh-keygen", "-lf", key], check=True, capture_output=True,
                                 text=True).stdout.split()[1]
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        ticks = file.read().rpartition(")")[2].split()[19]
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()
    return (f"v 1\npid {pid}\nstart_ticks {ticks}\nlease_id 1\nlease join\nlogin {user}\n"
            f"uid {pwd.getpwnam(user).pw_uid}\nfingerprint {fingerprint}\nsource {source}\n"
            f"since_s {int(time.time())}\nstate open\nboot_id {boot}\n"
            f"pid_ns {os.stat('/proc/self/ns/pid').st_ino}\n")


def register(args):
    path = f"{REGISTRY}/1.{os.getpid()}"
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(entry_of(os.getpid(), args.entry_of, args.key, args.source))
    os.chmod(path + ".new", 0o640)
    os.chown(path + ".new", 0, pwd.getpwnam("_tunlease").pw_gid)
    os.rename(path + ".new", path)
    return path


def key_of(args):
    if args.raw:
        return ""
    with open(args.send or args.key, encoding="ascii") as file:
        return " ".join(file.read().split()[:2])


def ask(args, key):
    user = pwd.getpwnam(args.as_user)
    if os.getuid() != user.pw_uid:
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
    idle = []
    for _ in range(args.idle):
        idle.append(socket.socket(socket.AF_UNIX))
        idle[-1].connect(args.socket)
    request, body = "POST /", ""
    if args.raw:
        request, _, body = args.raw.partition("\n")
    else:
        body = json.dumps({"action": "join", "code": args.code, "public_key": key,
                           "json": args.json})
    body = body.encode()
    head = f"{request} HTTP/1.1\r\nHost: join\r\nContent-Type: application/json\r\nConnection: close\r\n"
    if body:
        head += f"Content-Length: {len(body)}\r\n"
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(30)
        s.connect(args.socket)
        s.sendall(head.encode() + b"\r\n" + body)
        got = b""
        while more := s.recv(65536):
            got += more
    if not got:
        print("closed")
        return
    head, _, text = got.decode().partition("\r\n\r\n")
    answer = json.loads(text) if text.startswith("{") else {}
    print(head.split()[1], answer.get("exit", "-"))
    print(answer.get("text", text), end="")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--key", default="")
    p.add_argument("--send", default="")
    p.add_argument("--as", dest="as_user", default="join")
    p.add_argument("--entry-of", default="join")
    p.add_argument("--no-entry", action="store_true")
    p.add_argument("--source", default="192.0.2.7")
    p.add_argument("--json", action="store_true")
    p.add_argument("--raw", default="")
    p.add_argument("--socket", default="/run/tunlease-join/socket")
    p.add_argument("--idle", type=int, default=0)
    p.add_argument("--times", type=int, default=1)
    p.add_argument("code", nargs="?", default="")
    args = p.parse_args()
    key = key_of(args)  # as root: the file is not for the user who asks
    path = None if args.no_entry else register(args)
    child = os.fork()
    if child == 0:
        try:
            for _ in range(args.times - 1):
                with open(os.devnull, "w", encoding="ascii") as null, contextlib.redirect_stdout(null):
                    ask(args, key)
            ask(args, key)
        except OSError as e:
            print(f"cannot ask: {e.strerror}")
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(child, 0)
    if path:
        os.unlink(path)


main()
