# SPDX-License-Identifier: ISC
"""Requests to a leased that is traced, one after the other.

usage: ask.py KEYS COMMAND...

Registers agent1, agent2 .. with the public key files in KEYS (with commas between them), lets each beat, registers
the first anew, beats again when leased has settled the first beats in their leases, and runs COMMAND, which
redeems an invite. Fails unless each is answered with 200: record.sh counts the answers.
"""
import http.client
import json
import subprocess
import sys
import time

KEYS, JOIN = sys.argv[1].split(","), sys.argv[2:]
ENROL = "an-enrolment-key-for-the-tests"
SETTLED_S = 12  # docs/protocol.md 4: a heartbeat is in its lease within 10 s


def public_key(path):
    with open(path) as f:
        return " ".join(f.read().split()[:2])


def post(connection, credential, body):
    headers = {"Content-Type": "application/json"}
    if credential:
        headers["Authorization"] = "Bearer " + credential
    connection.request("POST", "/", json.dumps(body), headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit("%s: %d %s" % (body["action"], answer.status, text))
    return json.loads(text)


web = http.client.HTTPConnection("127.0.0.1", 12000, timeout=30)
agents = ["agent%d" % (n + 1) for n in range(len(KEYS))]
answers = {}


def beat():
    for name in agents:
        # An agent of before the counter sends none, and is none that could be copied.
        post(web, answers[name]["agent_secret"], {"action": "heartbeat", "agent_id": name})


for agent, key in zip(agents, KEYS):
    answers[agent] = post(web, ENROL, {"action": "register", "agent_id": agent, "public_key": public_key(key), "user": "li"})
beat()
post(web, answers[agents[0]]["agent_secret"],
     {"action": "register", "agent_id": agents[0], "public_key": public_key(KEYS[0]), "user": "li"})
subprocess.run(JOIN, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
time.sleep(SETTLED_S)
beat()
