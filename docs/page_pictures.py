#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Makes the pictures of the page in README.md: docs/page.png and docs/page-phone.png.

  make deps tests && tests/sandbox python3 docs/page_pictures.py [HOURS]

A gateway lives through a day, or its last HOURS, in some minutes: a real leased, sshd and ssh, whose clocks
tests/clock_shift.c moves on by five minutes at a time. People and hosts are made up; sessions, heartbeats, ends and refusals
happen. Then Chromium takes the pictures of what leased serves.
"""
import http.client
import json
import os
import random
import subprocess
import sys
import time
import urllib.request

TOP = os.environ["TOP"]
WORK = "/tmp/pictures"
STEP_S, STEPS, DAY_S = 300, 288, 86400
PAGE = "http://127.0.0.1:12001/"
ENROL = "an-enrolment-key-for-the-tests"
CLOCKED = dict(os.environ, LD_PRELOAD=TOP + "/build/tests/clock_shift.so", CLOCK_SHIFT_FILE=WORK + "/shift")
SOURCES = ["198.51.100.23", "203.0.113.8", "203.0.113.77", "192.0.2.140", "198.51.100.61", "192.0.2.17", "203.0.113.200"]

# name, ports, the lease ends after so many days, note
PEOPLE = [
    ("alice", (8009,), 19, "the wiki, from home"),
    ("bjarne", (8009, 3000), 6, ""),
    ("chloe", (3000,), 27, "dashboards"),
    ("dmitri-laptop", (5432,), 2, "reporting, read only"),
    ("emma", (8009,), 11, ""),
    ("farid", (8009, 18188), 11, "pictures for the fair"),
    ("grace-tablet", (8009,), 24, ""),
    ("hanna", (18188,), 16, ""),
]
HOSTS = ["db1", "build-arm64", "nas-attic", "web2"]
# first and last step of each connection
SESSIONS = [
    ("alice", 96, 142), ("alice", 150, 214), ("bjarne", 100, 196), ("chloe", 84, 130), ("chloe", 236, 300), ("dmitri-laptop", 112, 178),
    ("emma", 20, 60), ("emma", 160, 300), ("farid", 190, 300), ("farid", 226, 300), ("grace-tablet", 240, 276), ("hanna", 118, 150),
    ("hanna", 206, 300), ("bjarne", 250, 300),
    ("db1", 1, 300), ("build-arm64", 30, 300), ("web2", 1, 92), ("web2", 97, 300), ("nas-attic", 1, 231),
]
# Guests, whose leases end while they are connected: name, first step, step of the end
GUESTS = [("guest-1", 86, 102), ("guest-2", 88, 102), ("guest-3", 120, 152), ("guest-4", 206, 226), ("guest-5", 207, 226), ("guest-6", 208, 233)]


def set_clock(step):
    """Step STEPS is now; the boot clock has never been so long before."""
    with open(WORK + "/shift", "r+b" if os.path.exists(WORK + "/shift") else "wb") as file:
        file.write(b"%+030d %+030d  " % ((step - STEPS) * STEP_S, step * STEP_S))


def run(*command):
    done = subprocess.run(command, env=CLOCKED, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def post(source, credential, **body):
    connection = http.client.HTTPConnection("127.0.0.1", 12000, timeout=10, source_address=(source, 0))
    connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json", "Authorization": "Bearer " + credential})
    answer = json.load(connection.getresponse())
    connection.close()
    return answer


def new_key(name):
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", f"{WORK}/{name}")
    return f"{WORK}/{name}.pub"


def grant(name, ports, term, note):
    command = ["leasectl", "grant", name, "--key", new_key(name), "--for", term]
    for port in ports:
        command += ["--open", str(port)]
    run(*command, *(["--note", note] if note else []))


def connect(name, source, forward):
    login = "gw-tunnel" if forward[0] == "-R" else "pfwd"
    return subprocess.Popen(["ssh", "-F", "none", "-N", "-T", "-i", f"{WORK}/{name}", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
                             "-o", "UserKnownHostsFile=/dev/null", "-o", "ExitOnForwardFailure=yes", "-b", source, *forward, f"{login}@127.0.0.1"],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def status():
    with urllib.request.urlopen(PAGE + "status.json", timeout=10) as answer:
        return json.load(answer)


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        if time.monotonic() > end:
            sys.exit("not in time: " + what)
        time.sleep(0.05)


def start_gateway(step):
    os.makedirs(WORK)
    set_clock(step)
    for source in SOURCES:
        run("ip", "address", "add", source + "/32", "dev", "lo")
    with open("/etc/tunlease/tunlease.conf", "a", encoding="utf-8") as file:
        file.write("MetricsListen 127.0.0.1:12001\nPublicHost gateway.example.com\n")
    with open("/etc/tunlease/leased.env", "w", encoding="utf-8") as file:
        file.write(f"API_KEY={ENROL}\n")
    run("chown", "_tunlease:root", "/etc/tunlease/leased.env")
    os.chmod("/etc/tunlease/leased.env", 0o400)
    # sshd notes since when a session is there.
    with open("/run/sshd.pid", encoding="utf-8") as file:
        os.kill(int(file.read()), 15)
    wait_for("sshd ends", lambda: not os.path.exists("/run/sshd.pid"))
    run("/usr/sbin/sshd")
    # With systemd's watchdog leased looks at the sessions three times in that long, and not every ten seconds.
    return subprocess.Popen(["leased"], env=dict(CLOCKED, WATCHDOG_USEC="1000000"), stdin=subprocess.DEVNULL)


class Day:
    def __init__(self):
        self.dice = random.Random(8009)
        self.secrets, self.ports, self.open = {}, {}, {}
        self.heartbeats = 0

    def begin(self):
        for name, ports, days, note in PEOPLE:
            grant(name, ports, f"{days}d", note)
        for name in HOSTS:
            with open(new_key(name), encoding="utf-8") as file:
                answer = post("127.0.0.1", ENROL, action="register", agent_id=name, public_key=file.read().strip(),
                              hostname=name + ".internal", target="127.0.0.1:22")
            self.secrets[name], self.ports[name] = answer["agent_secret"], answer["port_b"]

    def people(self, step, is_first):
        """Who comes and goes, and what the admin does."""
        for i, (name, first, last) in enumerate(SESSIONS):
            if step == first or (is_first and first < step < last):
                port = self.ports.get(name)
                forward = ["-R", f"127.0.0.1:{port}:127.0.0.1:22"] if port else ["-L", f"{30000 + i}:127.0.0.1:8009"]
                self.open[i] = connect(name, SOURCES[i % len(SOURCES)], forward)
            elif step == last and i in self.open:
                self.open[i].terminate()
        for i, (name, first, last) in enumerate(GUESTS):
            if step == first:
                grant(name, (8009,), "3d", "workshop")
                connect(name, SOURCES[-1], ["-L", f"{31000 + i}:127.0.0.1:8009"])
            elif step == first + 6:  # it is in: akc knows no other clock than the machine's
                until = time.time() + (last - STEPS) * STEP_S
                run("leasectl", "renew", name, "--until", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)))
        if step == 52:
            run("leasectl", "renew", "hanna", "--for", "16d")
        if step == 110:
            run("leasectl", "set", "bjarne", "--max-sessions", "3")
        if step == 236:
            run("leasectl", "set", "farid", "--from", ",".join(SOURCES) + ",127.0.0.1")
        if step == 282:
            run("leasectl", "revoke", "grace-tablet", "--yes")

    def hosts(self, step):
        """Five minutes of heartbeats; and somebody who tries keys."""
        for name in HOSTS:
            is_off = (name == "nas-attic" and step > 231) or (name == "web2" and 92 < step < 97)
            for _ in range(0 if is_off else 5 - (self.dice.random() < 0.12)):
                self.heartbeats += "error" not in post("127.0.0.1", self.secrets[name], action="heartbeat", agent_id=name)
        tries = 7 if step in (63, 64, 171) else int(self.dice.random() < 0.08)
        for i in range(tries):
            post("203.0.113.200", f"guess-{step}-{i}", action="heartbeat", agent_id="db1")

    def is_counted(self):
        counted = status()["history"]["heartbeats"]
        return counted[-1] is not None and sum(filter(None, counted)) >= self.heartbeats

    def live(self, start):
        for step in range(start + 1, STEPS + 1):
            set_clock(step)
            self.people(step, step == start + 1)
            self.hosts(step)
            wait_for("leased has counted this step", self.is_counted)
            if step % 12 == 0:
                print(f"{(STEPS - step) // 12} h to go", file=sys.stderr, flush=True)
        time.sleep(5)  # leased sees who came, and the sockets of each


def take_pictures():
    modules = TOP + "/build/browser/node_modules"
    browser = subprocess.Popen(["node", TOP + "/tests/browser/drive.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                               env=dict(os.environ, BROWSER_MODULES=modules, BROWSER="/usr/bin/chromium"))
    browser.stdout.readline()
    for words in (("light", "1280", "940", TOP + "/docs/page.png"), ("dark", "360", "1180", TOP + "/docs/page-phone.png")):
        browser.stdin.write("".join(word + "\x1f" for word in ("picture", PAGE, *words)) + "\0")
        browser.stdin.flush()
        answer = browser.stdout.readline()
        if not answer.startswith("ok"):
            sys.exit(answer)
        print(f"{words[-1]}: {os.path.getsize(words[-1])} bytes")
    browser.stdin.close()
    browser.wait()


def main():
    start = STEPS - 12 * int(sys.argv[1] if len(sys.argv) > 1 else 24)
    leased = start_gateway(start)
    wait_for("leased answers", status)
    day = Day()
    day.begin()
    day.live(start)
    take_pictures()
    for session in day.open.values():
        session.terminate()
    leased.terminate()


main()
