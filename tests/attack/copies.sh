#!/bin/bash
# SPDX-License-Identifier: ISC
# Who wants to pass as an agent, have one called a copy, or go unseen: a stranger with an enrolment key and the
# agent's public key, another agent, somebody who replays what was sent, a thief with the whole state, and a thief of
# the state of an agent that sends no counter. Nobody without the agent's secret moves its counter or freezes it; who
# has it is found out as soon as the host asks again. e2e/copied_agent has the rules.
# sandbox: --leased
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"

HOST=10.99.0.1 THIEF=10.99.0.2
ip address add "$HOST/32" dev lo
ip address add "$THIEF/32" dev lo
up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
start_leased() { leased -D </dev/null >>"$WORK/leased.log" 2>&1 & LEASED=$!; at_exit "$LEASED"; wait_for 5 'leased answers' up; }
printf '%s\n' 'HeartbeatInterval 1s' 'CopiedAgents refuse' >>/etc/tunlease/tunlease.conf
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
start_leased

for name in db1 db2 old ahead asleep; do new_key "$name" >/dev/null; done
export WORK
cat >"$WORK/head.py" <<END
import os, pickle, subprocess, sys, time
sys.path.insert(0, os.environ["TOP"] + "/tests")
from copy_client import Agent, Gateway
work, enrol = os.environ["WORK"], "an-enrolment-key-for-the-tests"
host, thief = Gateway(12000, "$HOST"), Gateway(12000, "$THIEF")
def public(name): return open(f"{work}/{name}.pub").read().strip()
def new(name, sends=True):
    a = Agent(host, name, public(name), enrol, sends)
    is_(a.register(), 200, name); is_(a.beat(), 200, name)
    return a
def stolen(a):
    b = a.clone(); b.gateway = thief
    return b
def save(**agents):
    for name, a in agents.items():
        b = a.clone(); b.gateway = None
        pickle.dump(b, open(f"{work}/{name}.agent", "wb"))
def saved(name):
    a = pickle.load(open(f"{work}/{name}.agent", "rb")); a.gateway = host
    return a
def is_(got, want, what):
    if got != want: raise SystemExit(f"{what}: {got!r}, not {want!r}")
END
client() { cat "$WORK/head.py" - >"$WORK/client.py"; python3 "$WORK/client.py" || fail "$1"; ok "$1"; }
rows() { leasectl --json audit | python3 -c 'import json, sys
print(*sorted(r["lease"] for r in json.load(sys.stdin) if r["action"] == sys.argv[1]))' "$1"; }
shown() { leasectl agents | awk -F'\t' -v name="$1" '$1 == name { print $3, $7 }'; }

note 'with CopiedAgents refuse, which freezes at the first sight of a copy'
client 'an enrolment key, the public key and the pair of the last request: no counter moves, nothing is frozen' <<'END'
a = new("db1")
a.lose(); last = a.counter, a.nonce; is_(a.take(), 200, "the agent")
# From elsewhere each: an address has ten failures a minute.
for credential, who, way in ((enrol, "an enrolment key", thief), ("x" * 64, "a wrong secret", Gateway(12000, "127.0.0.9"))):
    s = stolen(a); s.gateway = way
    s.credential = credential
    for action, more in (("heartbeat", {}), ("register", {}), ("register", {"counter": 1}), ("register", {"counter": 2**53 - 1}),
                         ("heartbeat", {"counter": last[0], "nonce": last[1]}), ("register", {"counter": last[0], "nonce": last[1]})):
        is_(s.send(action, **more), 401, f"{who}: {action} {more}")
    s.sends = False
    is_(s.send("register"), 401, f"{who}: without a counter")
is_(a.beat(), 200, "the agent itself")
save(db1=a)
END
client 'the secret of another agent, and another key' <<'END'
a, b = saved("db1"), new("db2")
s = stolen(a)
s.credential = b.credential
for action in "heartbeat", "register":
    is_(s.send(action, counter=1), 401, action)
s = stolen(a); s.key = public("old"); s.counter = 1
is_(s.send("register"), 409, "another key")
is_(s.answer["code"], "conflict", "another key")
is_(a.beat(), 200, "the agent itself")
save(db1=a)
END
assert_eq "$(rows copied)$(leasectl agents | cut -f3 | sort -u)" active 'nobody is frozen, and no copy is in the audit'

note 'with CopiedAgents newest'
sed -i 's/^CopiedAgents .*/CopiedAgents newest/' /etc/tunlease/tunlease.conf
kill "$LEASED"
wait_for 5 'leased is gone' is_gone "$LEASED"
start_leased
client 'what was sent is sent again, word for word' <<'END'
a = saved("db1")
sent = []
for i in range(4):
    a.lose(); s = stolen(a); sent.append(s); is_(a.take(), 200, "the agent")
for action in "heartbeat", "register", "heartbeat":
    s = sent[-1]
    is_(s.lose(action), 200, f"the last one: {action}")
    is_(s.answer["counter"], a.counter, "the same answer")
    is_(s.answer.get("agent_secret") in (None, a.credential), True, "no secret but the one that was sent")
for s in sent[:-1]:
    is_((s.lose(), s.answer["code"]), (409, "copied"), "an earlier one")
is_(a.beat(), 200, "the agent goes on")
is_((sent[-1].lose(), sent[-1].answer["code"]), (409, "copied"), "and so the last one is an earlier one")
END
assert_eq "$(rows copied)" db1 'in the audit'
assert_eq "$(shown db1)" "active $THIEF $HOST" 'both addresses are shown'

client 'a thief who counts ahead, and one who takes an agent without a counter for his own' <<'END'
a = new("ahead"); t = stolen(a)
is_(t.beat(counter=a.counter + 5), 200, "the thief")
is_((a.beat(), a.answer["code"]), (409, "copied"), "the host is told at once")
a = new("old", sends=False); t = stolen(a)
is_(t.beat(), 200, "nobody can tell")
t.sends = True
is_(t.beat(), 200, "the thief sends a counter")
is_((a.beat(), a.answer["code"]), (409, "copied"), "the host is told")
END
grep -q "the counter of 'ahead' is ahead of the store's" "$WORK/leased.log" || fail 'it is not logged'
assert_eq "$(shown ahead)/$(shown old)" "active $HOST $THIEF/active $HOST $THIEF" 'both addresses are shown'
assert_eq "$(rows copied)" 'ahead db1 old' 'in the audit'

client 'a thief who waits until the host is off' <<'END'
a = new("asleep"); t = stolen(a); is_(a.beat(), 200, "the host")
none = stolen(a); none.sends = False
time.sleep(3.2)
is_((none.send("heartbeat"), none.send("register")), (409, 409), "without a counter he is never taken for the host")
is_(t.beat(), 200, "with the older one he is")
is_((a.beat(), a.answer["code"]), (409, "copied"), "the host, when it is back")
END
assert_eq "$(rows restored)" asleep 'audited as restored'
assert_eq "$(shown asleep)" "active $HOST $THIEF" 'both addresses are shown'
leasectl doctor >"$WORK/out" 2>&1 || :
grep -q "two hosts have the state of the agent 'asleep'" "$WORK/out" || fail "$(cat "$WORK/out")"
ok 'and doctor says so'

note 'only a new key shuts him out'
expect_exit 0 leasectl agent reset asleep --from "$HOST"
grep -q 'leasectl invite asleep --agent --replace' "$WORK/out" || fail "$(cat "$WORK/out")"
