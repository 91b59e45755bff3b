#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Registers and heartbeats of many agents from many clients, while leased is killed with -9.

usage: hammer.py KILLS REGISTERS AGENTS CLIENTS [FAULTS]

Starts `leased -D`, and kills its engine, its http process or both at random moments, until there were
KILLS kills and REGISTERS acknowledged registers. Then checks that the store has all that was
acknowledged. FAULTS is the pid of a process that makes or ends a fault on each SIGUSR1: it gets the
signal instead of the kills (tests/fault/leased_disk.sh). Prints a line for each thing that was lost,
and exits with 1.
"""
import base64
import hashlib
import http.client
import json
import os
import random
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time

KILLS, REGISTERS, AGENTS, CLIENTS = (int(a) for a in sys.argv[1:5])
ENROL = "an-enrolment-key-for-the-tests"
STORE = "/var/lib/tunlease/leases.db"
PORT = 12000
START_LIMIT_S = float(os.environ.get("TEST_HAMMER_START_S", "1"))

problems = []
stop = threading.Event()
lock = threading.Lock()
count = {"registered": 0, "beaten": 0, "lost": 0, "unavailable": 0}


def problem(text):
    with lock:
        problems.append(text)
        if len(problems) < 20:
            print("not ok -", text, flush=True)


class Agent:
    """What the answers say of one agent."""

    def __init__(self, number):
        self.name = "agent%05d" % number
        blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32)
        blob += hashlib.sha256(self.name.encode()).digest()
        self.key = "ssh-ed25519 " + base64.b64encode(blob).decode()
        digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
        self.fingerprint = "SHA256:" + digest.rstrip("=")
        self.port = 0
        self.expires = ""
        self.secret = ""
        self.shown = False  # leased accepted the secret once: from then on it accepts no other credential
        self.maybe_new = False  # an answer was lost: there may be a newer secret,
        self.maybe_shown = False  # or leased may have accepted this one


class Client(threading.Thread):
    def __init__(self, agents):
        super().__init__(daemon=True)
        self.agents = agents
        self.connection = None
        self.random = random.Random(agents[0].name)

    def post(self, credential, body):
        """Returns (status, answer), or None when it is unknown whether leased did it."""
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=15)
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.request("POST", "/", json.dumps(body), {
                "Content-Type": "application/json", "Authorization": "Bearer " + credential})
            answer = self.connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text)
        except (OSError, http.client.HTTPException, ValueError):
            if self.connection is not None:
                self.connection.close()
            self.connection = None
            with lock:
                count["lost"] += 1
            return None

    def register(self, agent, credential):
        body = {"action": "register", "agent_id": agent.name, "public_key": agent.key, "user": "li"}
        if agent.port == 0 and self.random.random() < 0.2:
            body["port_b"] = self.random.randrange(20000, 30000)
        got = self.post(credential, body)
        by_secret = credential != ENROL
        if got is None or got[0] == 503:
            # A commit that failed (503) is unknown as well: the log may still contain it.
            agent.maybe_new = agent.maybe_new or not by_secret
            agent.maybe_shown = agent.maybe_shown or by_secret
            return got
        status, answer = got
        if status == 401 and not by_secret and agent.maybe_shown and not agent.shown:
            agent.shown = True
            return None
        if status != 200:
            return got
        if agent.port not in (0, answer["port_b"]):
            problem("%s had port %d and now has %d" % (agent.name, agent.port, answer["port_b"]))
        if answer["lease_expires_at"] < agent.expires:
            problem("%s: its end went back to %s" % (agent.name, answer["lease_expires_at"]))
        agent.port = answer["port_b"]
        agent.expires = answer["lease_expires_at"]
        agent.secret = answer["agent_secret"]
        agent.maybe_new = False
        agent.shown = agent.shown or by_secret
        with lock:
            count["registered"] += 1
        return got

    def beat(self, agent):
        got = self.post(agent.secret, {"action": "heartbeat", "agent_id": agent.name})
        if got is None or got[0] == 503:
            agent.maybe_shown = True
            return got
        if got[0] == 200:
            agent.shown = True
            agent.maybe_new = False
            if got[1]["port_b"] != agent.port:
                problem("%s: heartbeat says port %d" % (agent.name, got[1]["port_b"]))
            with lock:
                count["beaten"] += 1
        elif got[0] == 401 and agent.maybe_new and not agent.shown:
            agent.secret = ""  # a register whose answer was lost made a newer one
            agent.maybe_shown = False
        return got

    def run(self):
        while not stop.is_set():
            agent = self.random.choice(self.agents)
            if agent.secret and self.random.random() < 0.3:
                got = self.beat(agent)
            elif agent.shown or (agent.secret and not agent.maybe_new and self.random.random() < 0.3):
                got = self.register(agent, agent.secret)
            else:
                got = self.register(agent, ENROL)
            if got is None or got[0] == 503:
                if got is not None:
                    with lock:
                        count["unavailable"] += 1
                time.sleep(0.005)
            elif got[0] != 200 and (got[0] != 401 or agent.secret):
                problem("%s: %d %s" % (agent.name, got[0], got[1]))


def answers():
    try:
        c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=1)
        c.request("GET", "/healthz")
        c.getresponse().read()
        c.close()
        return True
    except (OSError, http.client.HTTPException):
        return False


def wait_for_answer(what, daemon, limit_s):
    start = time.monotonic()
    while not answers():
        if daemon.poll() is not None:
            sys.exit("not ok - leased ended (%s) %s" % (daemon.returncode, what))
        if time.monotonic() - start > 10:
            sys.exit("not ok - nothing answers " + what)
        time.sleep(0.002)
    took_s = time.monotonic() - start
    if took_s > limit_s:
        problem("%s it answers after %.2f s" % (what, took_s))
    return took_s


def start_daemon():
    log = open(os.environ["WORK"] + "/leased.log", "ab")
    return subprocess.Popen(["leased", "-D"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def http_pid(engine):
    with open("/proc/%d/task/%d/children" % (engine, engine)) as f:
        children = f.read().split()
    return int(children[0]) if children else 0


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def check_store(agents):
    db = sqlite3.connect("file:%s?mode=ro" % STORE, uri=True)
    leases = {}
    for row in db.execute("SELECT id, name, listen, expires_s, secret_hash, kind, live FROM lease WHERE kind = 'agent'"):
        if row[1] in leases:
            problem("%s has two leases" % row[1])
        leases[row[1]] = row
    keys = {}
    for lease, fingerprint in db.execute("SELECT lease_id, fingerprint FROM key WHERE live = 1"):
        keys.setdefault(lease, []).append(fingerprint)
    ports = dict(db.execute("SELECT lease_id, port FROM port WHERE freed_s = 0"))
    audited = {}
    for lease, n in db.execute("SELECT lease_id, count(*) FROM audit WHERE action = 'register' GROUP BY 1"):
        audited[lease] = n
    listens = [row[2] for row in leases.values()]
    if len(set(listens)) != len(listens):
        problem("a port was given twice")
    acknowledged = 0
    for agent in agents:
        row = leases.get(agent.name)
        if agent.port == 0:
            continue
        acknowledged += 1
        if row is None:
            problem("%s was acknowledged, and is not in the store" % agent.name)
            continue
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(row[3]))
        if row[2] != "127.0.0.1:%d" % agent.port or row[5] != "agent" or row[6] != 1 or ends < agent.expires:
            problem("%s: acknowledged port %d until %s, is %s" % (agent.name, agent.port, agent.expires, row))
        if agent.secret and not agent.maybe_new and hashlib.sha256(agent.secret.encode()).digest() != row[4]:
            problem("%s: its acknowledged secret is not in the store" % agent.name)
    for row in leases.values():
        if audited.get(row[0]) != 1:
            problem("%s has %s audit rows of its register" % (row[1], audited.get(row[0])))
        if len(keys.get(row[0], [])) != 1 or row[2] != "127.0.0.1:%d" % ports.get(row[0], 0):
            problem("%s is in the store in part: keys %s, port %s" % (row[1], keys.get(row[0]), ports.get(row[0])))
    for agent in agents:
        if agent.name in leases and keys.get(leases[agent.name][0]) != [agent.fingerprint]:
            problem("%s has another's key" % agent.name)
    return acknowledged, len(leases)


def main():
    agents = [Agent(i) for i in range(AGENTS)]
    clients = [Client(agents[i::CLIENTS]) for i in range(CLIENTS)]
    daemon = start_daemon()
    wait_for_answer("at first", daemon, START_LIMIT_S)
    for client in clients:
        client.start()
    kills, slowest_s = 0, 0.0
    rng = random.Random(time.time())
    end = time.monotonic() + float(os.environ.get("TEST_HAMMER_SECONDS", "600"))
    fault_pid = int(sys.argv[5]) if len(sys.argv) > 5 else 0
    while kills < KILLS or count["registered"] < REGISTERS:
        if time.monotonic() > end:
            problem("not done: %s" % count)
            break
        time.sleep(rng.uniform(0.02, 0.3))
        if kills >= KILLS:
            continue
        kills += 1
        if fault_pid:
            os.kill(fault_pid, signal.SIGUSR1)
            continue
        what = rng.choice(["engine", "http", "both"])
        child = http_pid(daemon.pid)
        if what != "engine" and child:
            kill(child)
        if what != "http":
            kill(daemon.pid)
            daemon.wait()
            daemon = start_daemon()
        slowest_s = max(slowest_s, wait_for_answer("after a kill of " + what, daemon, START_LIMIT_S))
    if fault_pid:  # SIGUSR2 ends the fault for good, before the store is checked
        os.kill(fault_pid, signal.SIGUSR2)
        time.sleep(1)
    stop.set()
    for client in clients:
        client.join(20)
    daemon.send_signal(signal.SIGTERM)
    try:
        if daemon.wait(5) != 0:
            problem("leased ends with %s on SIGTERM" % daemon.returncode)
    except subprocess.TimeoutExpired:
        daemon.kill()
        problem("leased does not end on SIGTERM")
    acknowledged, stored = check_store(agents)
    print("# %d kills, slowest answer after one %.0f ms; %s; %d agents acknowledged, %d in the store"
          % (kills, slowest_s * 1000, count, acknowledged, stored))
    if acknowledged < min(AGENTS, 50):
        problem("only %d agents registered" % acknowledged)
    sys.exit(1 if problems else 0)


main()
