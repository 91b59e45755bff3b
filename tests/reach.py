#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Makes an authorized_keys file as people write it, and tries with real ssh what each of its keys reaches.

  reach.py make DIR COUNT      COUNT lines of all shapes into DIR/authorized_keys, private keys into DIR/key-LINE
  reach.py mend DIR LINE...    what an admin does with lines that import refuses: rewrites them with one permit
  reach.py try DIR LOGIN       one line a key on standard output: LINE, a tab, what it reaches, sorted
  reach.py compare BEFORE AFTER [LINE...]  two outputs of try; LINE: was rewritten. Fails if somebody is out, or
                               reaches more than before

What is tried, in one connection for each key: -L to 127.0.0.1, localhost and ::1 at ports 8009 and 9090,
and -R. Data must come back. Services on these ports say "hello". A key whose line was made with from= is also
tried from 127.0.0.2, which none of them names.
"""
import concurrent.futures
import os
import random
import re
import socket
import subprocess
import sys
import time

TARGETS = [host + ":" + port for port in ("8009", "9090") for host in ("127.0.0.1", "localhost", "[::1]")]
DEADLINE_S = 60
ONE = 'permitopen="127.0.0.1:8009"'

# The options of a line; KEY is the key, C its comment. A line without KEY has no key of its own.
SHAPES = [
    "restrict,port-forwarding," + ONE + " KEY C",
    'no-pty,no-X11-forwarding,no-agent-forwarding,permitopen="localhost:8009",command="/bin/echo do-not" KEY C',
    'restrict,port-forwarding,permitopen="127.0.0.1:8009",permitopen="127.0.0.1:9090" KEY C',
    'restrict,port-forwarding,' + ONE + ',permitlisten="127.0.0.1:1" KEY C',
    'no-pty,permitopen="localhost:8009",command="/bin/echo no", KEY C',
    '\t  NO-PTY,PermitOpen="127.0.0.1:8009",PERMITOPEN="localhost:9090" KEY',
    'restrict,port-forwarding,' + ONE + ',from="127.0.0.1,10.0.0.0/8" KEY C',
    'restrict,port-forwarding,' + ONE + ',expiry-time="20991231" KEY C',
    'restrict,port-forwarding,permitopen="[::1]:8009" KEY C\r',
    'no-port-forwarding KEY closed',
    'restrict,port-forwarding,' + ONE + ',command="echo \\"hi, there\\"" KEY Ünï cödé # it',
    "KEY C",                                                        # unrestricted
    "KEY C " + ONE + ",no-pty",                                     # options behind the key
    'restrict,port-forwarding,' + ONE + ',from="127.0.0.1,!10.0.0.9" KEY C',
    "permitopen='127.0.0.1:8009' KEY dead",
    'restrict,port-forwarding,' + ONE + ',expiry-time="20200101" KEY over',
    "port-forwarding,restrict," + ONE + " KEY closed",
    'restrict,port-forwarding,permitopen="127.0.0.1:9090" AGAIN again',
    "# restrict,port-forwarding KEY old",
    "cert-authority," + ONE + " KEY authority",
]
TYPES = ["ed25519", "ed25519", "ed25519", "ecdsa"]


def make_key(path, kind):
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-f", path], check=True, stdin=subprocess.DEVNULL)
    with open(path + ".pub", encoding="ascii") as f:
        return " ".join(f.read().split()[:2])


def make(directory, count):
    chosen = random.Random(3)
    first = None
    named = open(directory + "/from", "w", encoding="ascii")
    with named, open(directory + "/authorized_keys", "w", encoding="utf-8", newline="") as f:
        for number in range(1, count + 1):
            shape = SHAPES[number - 1] if number <= len(SHAPES) else chosen.choice(SHAPES[:11] + SHAPES)
            key = ""
            if "KEY" in shape:
                key = make_key("%s/key-%d" % (directory, number), chosen.choice(TYPES))
                first = first or key
            if "from=" in shape:
                print(number, file=named)
            comment = chosen.choice(["pfwd-tunnel", "friend%d@laptop" % number, "a friend"])
            f.write(re.sub(r"\bC\b", comment, shape.replace("AGAIN", first)).replace("KEY", key) + "\n")


def mend(directory, numbers):
    path = directory + "/authorized_keys"
    with open(path, encoding="utf-8", newline="") as f:
        lines = f.read().split("\n")
    for number in numbers:
        key = re.search(r"\S+ AAAA\S+", lines[number - 1]).group(0)
        options = "restrict,port-forwarding," + ONE + (',from="127.0.0.1"' if "!10.0.0.9" in lines[number - 1] else "")
        lines[number - 1] = ("# gone:" if "cert-authority" in lines[number - 1] else options) + " " + key
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write("\n".join(lines))


def says_hello(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
            data = b""
            while b"hello" not in data:
                more = s.recv(4096)
                if not more:
                    return False
                data += more
            return True
    except OSError:
        return False


def reach(directory, login, number, source="127.0.0.1"):
    base = 30000 + number * 10
    log = "%s/try-%d.log" % (directory, number)
    remote = base + len(TARGETS)
    command = ["ssh", "-F", "none", "-v", "-N", "-T", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
               "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ExitOnForwardFailure=no",
               "-o", "PreferredAuthentications=publickey", "-i", "%s/key-%d" % (directory, number), "-l", login, "-b", source]
    for i, target in enumerate(TARGETS):
        command += ["-L", "127.0.0.1:%d:%s" % (base + i, target)]
    command += ["-R", "%d:127.0.0.1:8009" % remote, "127.0.0.1"]
    found = []
    with open(log, "w", encoding="utf-8") as err:
        ssh = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err)
    try:
        end = time.monotonic() + DEADLINE_S
        while True:
            with open(log, encoding="utf-8", errors="replace") as f:
                text = f.read()
            if ssh.poll() is not None or re.search(r"remote forward (success|failure) for", text):
                break
            if time.monotonic() > end:
                sys.exit("FAIL: key %d: ssh neither connected nor gave up: %s" % (number, text[-300:]))
            time.sleep(0.02)
        if ssh.poll() is not None:
            if "Permission denied" not in text:
                sys.exit("FAIL: key %d: %s" % (number, text[-300:]))
            return "out"
        found.append("in")
        found += ["L" + target for i, target in enumerate(TARGETS) if says_hello(base + i)]
        if "remote forward success for" in text and says_hello(remote):
            found.append("R")
    finally:
        ssh.kill()
        ssh.wait()
    return " ".join(found)


def try_all(directory, login):
    numbers = sorted(int(name[4:]) for name in os.listdir(directory) if re.fullmatch(r"key-\d+", name))
    with open(directory + "/from", encoding="ascii") as f:
        named = {int(line) for line in f}

    def try_one(number):
        found = reach(directory, login, number)
        elsewhere = number in named and reach(directory, login, number, "127.0.0.2") != "out"
        return found + (" elsewhere" if elsewhere else "")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        for number, found in zip(numbers, pool.map(try_one, numbers)):
            print("%d\t%s" % (number, found))


def read(path):
    with open(path, encoding="utf-8") as f:
        return {int(line.split("\t")[0]): set(line.rstrip("\n").split("\t")[1].split()) - {"out"} for line in f}


def compare(before, after, rewritten):
    before, after = read(before), read(after)
    twin = {"L127.0.0.1:%s" % p: "Llocalhost:%s" % p for p in ("8009", "9090")}
    twin.update({b: a for a, b in twin.items()})
    opened = 0
    for number, had in before.items():
        has = after[number]
        more = {p for p in has - had if p != "in" and twin.get(p) not in had}
        if more or ("in" in has and "in" not in had):
            sys.exit("FAIL: key %d reaches more than before: %s, before %s" % (number, has, had))
        ports = {p for p in had if p.startswith("L")}
        if len(ports) == len(TARGETS): # any -L: by hand one port is left
            ports = {"L127.0.0.1:8009"}
            if number not in rewritten:
                sys.exit("FAIL: key %d was unrestricted, and nobody looked at it" % number)
        if not ports <= has:
            sys.exit("FAIL: key %d is out: before %s, now %s" % (number, had, has))
        opened += bool(ports)
    print(opened)


if __name__ == "__main__":
    what, args = sys.argv[1], sys.argv[2:]
    if what == "make":
        make(args[0], int(args[1]))
    elif what == "mend":
        mend(args[0], [int(n) for n in args[1:]])
    elif what == "try":
        try_all(*args)
    else:
        compare(args[0], args[1], [int(n) for n in args[2:]])
