#!/bin/bash
# SPDX-License-Identifier: ISC
# Requests of an agent that were recorded, sent again many times at once and out of order, each by a connection of its
# own that is one byte short until all are there. Of what excludes each other one takes effect; a pair that was answered
# moves nothing; there is one lease and one port, as if they had come one by one. attack/copies has them one by one.
# sandbox: --leased
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
echo 'CopiedAgents newest' >>/etc/tunlease/tunlease.conf
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
leased -D </dev/null >>"$WORK/leased.log" 2>&1 & at_exit "$!"
wait_for 5 'leased answers' up
ip address add 10.99.0.1/24 dev lo
for i in {2..30}; do ip address add "10.99.0.$i/24" dev lo; done
for name in db1 db2 other; do new_key "$name" >/dev/null; done

cat >"$WORK/all.py" <<'P'
import collections, json, os, secrets, socket, sys, threading
enrol, limit = "an-enrolment-key-for-the-tests", 20 * int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100
work = sys.argv[1]
def key(name): return open(f"{work}/{name}.pub").read().strip()
def at_once(bodies):
    """The answers, as (status, JSON), in the order of bodies; each comes from an address of its own."""
    lines, answers, gate = [], [None] * len(bodies), threading.Barrier(len(bodies))
    for i, body in enumerate(bodies):
        text = json.dumps(body).encode()
        s = socket.create_connection(("127.0.0.1", 12000), limit, (f"10.99.0.{1 + i % 30}", 0))
        head = f"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n"
        s.sendall(head.encode() + text[:-1])
        lines.append(s)
    def finish(i):
        gate.wait(limit)
        lines[i].sendall(b"}")
        got = b""
        while part := lines[i].recv(65536):
            got += part
        head, _, rest = got.partition(b"\r\n\r\n")
        answers[i] = int(head.split()[1]), json.loads(rest)
    threads = [threading.Thread(target=finish, args=(i,)) for i in range(len(bodies))]
    for t in threads: t.start()
    for t in threads: t.join()
    assert None not in answers, answers
    return answers
def kinds(answers): return dict(collections.Counter((s, a.get("code", "ok")) for s, a in answers))
def one(body):
    (status, answer), = at_once([body])
    assert status == 200, (status, answer)
    return answer
def is_(got, want, what):
    if got != want: raise SystemExit(f"{what}: {got!r}, not {want!r}")
    print("ok", what)
def register(name, credential, **more): return {"action": "register", "agent_id": name, "api_key": credential, "public_key": key(name), **more}
def beat(name, credential, **more): return {"action": "heartbeat", "agent_id": name, "api_key": credential, **more}

# The first register of an agent, 30 times.
answers = at_once([register("db1", enrol)] * 30)
print("# first register:", kinds(answers))
good = [a for s, a in answers if s == 200]
is_(len({a["port_b"] for a in good}), 1, "30 copies of a first register: all that are answered have one port")
# Each may have been the one whose answer got lost, so each has a secret (docs/protocol.md 4.3): the last one made is good.
given = [a["agent_secret"] for a in good if a.get("agent_secret")]
answers = at_once([beat("db1", s) for s in given])
print("# secrets:", kinds(answers))
is_([s for s, a in answers].count(200), 1, f"of {len(given)} secrets one is good")
port, secret = good[0]["port_b"], next(g for g, (s, a) in zip(given, answers) if s == 200)

# Two keys want one name at once.
answers = at_once([register("db2", enrol), {**register("db2", enrol), "public_key": key("other")}] * 10)
print("# two keys:", kinds(answers))
winners = {i % 2 for i, (s, a) in enumerate(answers) if s == 200}
is_(len(winners), 1, "two keys that want one name: one has it")

# A heartbeat that was recorded: the pair that was answered last is answered again and moves nothing.
a = one(beat("db1", secret))
first = beat("db1", secret, counter=a["counter"], nonce=secrets.token_hex(16))
answers = at_once([first] * 30)
is_(kinds(answers), {(200, "ok"): 30}, "30 copies of a heartbeat are all answered")
is_({a["counter"] for s, a in answers}, {a["counter"] + 1}, "and the counter moves once")
now = a["counter"] + 1

# Thirty hosts with one state: their pairs exclude each other.
answers = at_once([beat("db1", secret, counter=now, nonce=secrets.token_hex(16)) for i in range(30)])
is_(kinds(answers), {(200, "ok"): 1, (409, "copied"): 29}, "of 30 pairs with one counter one is taken")
i = next(i for i, (s, a) in enumerate(answers) if s == 200)
is_(answers[i][1]["counter"], now + 1, "and the counter moves once, again")
now += 1

# What was recorded, in any order, beside the agent's own next request.
mine = beat("db1", secret, counter=now, nonce=secrets.token_hex(16))
answers = at_once([first] * 14 + [mine] + [register("db1", secret, counter=first["counter"], nonce=first["nonce"])] * 15)
is_(answers[14][0], 200, "the agent's own request is answered among 29 that are older")
is_(kinds(answers[:14] + answers[15:]), {(409, "copied"): 29}, "and none of these")
answers = at_once([register("db1", enrol)] * 30)
is_(kinds(answers).get((200, "ok"), 0), 0, "its first register is worth nothing any more")
is_(one(beat("db1", secret, counter=answers and now + 1, nonce=secrets.token_hex(16)))["counter"], now + 2, "the agent goes on")
is_(one(register("db1", secret, counter=now + 2, nonce=secrets.token_hex(16)))["port_b"], port, "with its port")
P
python3 "$WORK/all.py" "$WORK" || fail "$(tail -n 5 "$WORK/leased.log")"
assert_eq "$(leasectl agents | cut -f1,2 | sort | cut -f1 | tr '\n' ' ')" 'db1 db2 ' 'there are two agents'
assert_eq "$(leasectl agents | cut -f2 | sort | uniq -d)" '' 'with a port each'
assert_eq "$(leasectl --json audit | python3 -c 'import json, sys; print(sorted(r["lease"] for r in json.load(sys.stdin) if r["action"] == "register"))')" \
	"['db1', 'db2']" 'and each was registered once'
expect_exit 0 leasectl audit verify
