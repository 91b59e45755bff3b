#!/bin/bash
# SPDX-License-Identifier: ISC
# A copied agent is found out (docs/protocol.md 4.5): which of two hosts with one state goes on, whatever answer
# was lost and whoever was killed; what an admin sees, and what lets the right one go on. The requests are
# those of tests/copy_client.py; e2e/copied_state has the real tunnel-agent, and long/copied_kill kills leased.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

store=/var/lib/tunlease/leases.db
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
conf() { sed -i "/^${1%% *} /d" /etc/tunlease/tunlease.conf; echo "$1" >>/etc/tunlease/tunlease.conf; }
reloads() { grep -c 'configuration reloaded' "$WORK/leased.log" || :; }
reloaded() { (($(reloads) > $1)); }
reload()
{
	local before; before=$(reloads)
	kill -HUP "$(cat /run/leased.pid)"
	wait_for 5 'the configuration to be reloaded' reloaded "$before"
}
up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
is_down() { ! kill -0 "$(cat /run/leased.pid)" 2>/dev/null; }
start_leased() { leased -D </dev/null >>"$WORK/leased.log" 2>&1 & echo $! >/run/leased.pid; at_exit "$!"; wait_for 5 'leased answers' up; }
end_leased() { kill "-$1" "$(cat /run/leased.pid)"; wait_for 5 'leased is gone' is_down; }
in_log() { grep -c -e "$1" "$SANDBOX_LOG" || :; }
for key in db1 db2 old busy; do new_key "$key" >/dev/null; done

# The script in $1 has a Gateway `gw`, agent(NAME), save(agent), saved(NAME), and sh(COMMAND).
client()
{
	cat >"$WORK/client.py" - <<<"$1"
	PYTHONPATH=$TOP/tests WORK=$WORK python3 -c '
import json, os, pickle, subprocess, sys
from copy_client import Agent, Gateway
work = os.environ["WORK"]
gw = Gateway(12000)
enrol = "an-enrolment-key-for-the-tests"
def agent(name, sends=True):
    return Agent(gw, name, open(f"{work}/{name}.pub").read().strip(), enrol, sends)
def save(a, name):
    b = a.clone(); b.gateway = None
    pickle.dump(b, open(f"{work}/{name}.agent", "wb"))
def saved(name):
    a = pickle.load(open(f"{work}/{name}.agent", "rb")); a.gateway = gw
    return a
def sh(command):
    return subprocess.run(command, shell=True, check=True, capture_output=True, text=True).stdout
def turn(name):
    return sh(f"sqlite3 -readonly /var/lib/tunlease/leases.db \"SELECT hex(turn) FROM lease WHERE name = \x27{name}\x27 AND live = 1\"").strip()
def is_(got, want, what=""):
    if got != want:
        raise SystemExit(f"{what}: {got!r}, not {want!r}")
exec(compile(open(f"{work}/client.py").read(), "client", "exec"))
' || fail "$2"
	ok "$2"
}

client '
a = agent("old", sends=False)
is_(a.register(), 200)
for i in range(20):
    is_(a.beat(), 200)
    is_(a.answer["counter"], 1, "what it is told")
is_(a.register(), 200)
is_(turn("old"), "", "it never sent one")
' "an agent of others' make, without a counter, is as before"

client '
a = agent("db1")
is_(a.register(), 200); is_(a.counter, 1)
for bad in ({"counter": -1}, {"counter": 1.5}, {"counter": "1"}, {"counter": 2**53}, {"counter": None}, {"nonce": None},
            {"nonce": "00"}, {"nonce": 7}, {"nonce": "g" * 32}, {"nonce": "0" * 33}, {"nonce": "0" * 31 + "\0"}):
    a.send("heartbeat", **bad)
    is_((a.status, a.answer["code"]), (400, "bad_request"), bad)
is_(a.beat(), 200); is_(a.counter, 2)
is_(a.beat(nonce="ABCDEFabcdef00000123456789ABCDEF"), 200); is_(a.counter, 3)
a.send("heartbeat", counter=0)
is_((a.status, a.answer["code"]), (409, "copied"), "a counter of 0 is none")
is_(a.register(), 200); is_(a.counter, 4)
save(a, "db1")
' 'forms of counter and nonce'

client '
a = saved("db1")
for action in ("heartbeat", "register", "heartbeat"):
    is_(a.lose(action), 200); first = a.answer["counter"]
    is_(a.lose("heartbeat"), 200); is_(a.answer["counter"], first, "the same answer")
    is_(a.lose("register"), 200); is_(a.answer["counter"], first, "the same answer")
    wrong = a.clone(); wrong.credential = "x" * 64
    is_(wrong.lose(), 401)
    is_(a.take(), 200)
save(a, "db1")
' 'a lost answer costs nothing, whatever is sent again'

client '
a = saved("db1"); is_(a.beat(), 200)
b = a.clone()
counts = {a: [0, 0], b: [0, 0]}
for i in range(100):
    who = (b, a)[i % 2]
    status = who.beat() if i % 10 else who.register()
    counts[who][status == 200] += 1
    if status != 200:
        is_((status, who.answer["code"]), (409, "copied"))
is_(counts, {a: [50, 0], b: [0, 50]}, "the first one to speak goes on")
is_(a.lose(), 409)
none = b.clone(); none.sends = False
is_((none.beat(), none.answer["code"]), (409, "copied"), "none at all")
if "leasectl agent reset db1" not in none.answer["error"]:
    raise SystemExit(none.answer)
is_(b.beat(), 200)
save(b, "db1"); save(a, "db1.copy")
' 'clones that alternate for 100 beats: one goes on'
assert_eq "$(sql "SELECT count(*) FROM audit WHERE action = 'copied'")" 1 'one row of the audit for all of them'
assert_eq "$(in_log 'copied agent=db1 from=127.0.0.1 other=127.0.0.1 counter=')" 1 'one line of the log'
assert_eq "$(leasectl --json agents | python3 -c 'import json, sys
a = {a["name"]: a for a in json.load(sys.stdin)}
print(a["db1"]["state"], a["db1"]["copied"]["from"], a["db1"]["copied"]["other"], a["old"]["copied"])')" \
	'active 127.0.0.1 127.0.0.1 None' 'leasectl --json agents'
assert_eq "$(leasectl agents | awk -F'\t' '$1 == "db1" { print $3, $7 }')" 'active 127.0.0.1 127.0.0.1' 'leasectl agents'

client '
a = saved("db1")
is_(a.beat(counter=a.counter + 1000), 200)
is_(a.beat(), 200)
save(a, "db1")
' 'a counter that is ahead of the store is adopted'
assert_eq "$(in_log "the counter of 'db1' is ahead of the store's")" 1 'and logged'

note 'many heartbeats are written to their leases later: a kill of leased, and a change by another program, in between'
conf 'HeartbeatInterval 60s'
busy='
def pending(a):
    return int(sh(f"sqlite3 -readonly /var/lib/tunlease/leases.db \"SELECT count(*) FROM beat AS b JOIN lease AS l ON l.id = b.lease_id WHERE l.name = \x27{a.name}\x27 AND b.turn IS NOT NULL\"")) > 0
def defer(a, filler):
    for i in range(2000):
        is_(filler.beat(), 200)
        if i >= 64:
            is_(a.beat(), 200)
            if pending(a):
                return
    raise SystemExit("no heartbeat was deferred")
'
client "$busy"'
f = agent("busy"); is_(f.register(), 200)
a = saved("db1")
before = turn("db1")
defer(a, f)
old = a.clone()
for i in range(3):
    is_(a.beat(), 200)
is_(pending(a), True)
before = turn("db1")
sh("leasectl set db1 --note x")
is_(old.beat(), 409, "the copy, which is ahead of the lease"); is_(a.beat(), 200)
defer(a, f)
save(a, "db1"); save(old, "db1.copy")
a.lose(); save(a, "db1")
' 'a change by leasectl, while heartbeats are not in their leases'
ahead=$(in_log 'ahead of the store')
(($(sql 'SELECT count(*) FROM beat WHERE turn IS NOT NULL') > 0)) || fail 'no heartbeat is pending'
end_leased KILL
(($(sql 'SELECT count(*) FROM beat WHERE turn IS NOT NULL') > 0)) || fail 'no heartbeat is pending after the kill'
start_leased
client '
a, old = saved("db1"), saved("db1.copy")
is_(old.beat(), 409, "the copy first")
is_(a.beat(), 200, "the lost answer, again"); is_(a.beat(), 200); is_(old.beat(), 409, "the copy")
save(a, "db1")
' 'kill -9 of leased before they are: the honest one goes on, the copy does not'
assert_eq "$(in_log 'ahead of the store'; grep -c 'ahead of the store' "$WORK/leased.log" || :)" "$ahead
0" 'no counter was lost'

note 'newest: a host that is back from a snapshot'
conf 'HeartbeatInterval 1s'
end_leased TERM
start_leased
client '
import time
a, old = saved("db1"), saved("db1.copy")
is_(a.beat(), 200)
since = time.time()
is_(old.beat(), 409)
while (status := old.lose()) == 409:
    time.sleep(0.1)
    if time.time() - since > 20: raise SystemExit("never accepted")
if time.time() - since < 2.9: raise SystemExit("accepted too early")
is_(status, 200); told = old.answer["counter"]
is_(old.lose(), 200); is_(old.answer["counter"], told, "the lost answer, again")
is_(old.take(), 200); is_(old.beat(), 200)
is_(a.beat(), 409, "the one that was ahead is the copy now")
save(old, "db1"); save(a, "db1.copy")
' 'the older one is accepted after three intervals of silence'
assert_eq "$(sql "SELECT count(*) FROM audit WHERE action = 'restored' AND lease = 'db1'")" 1 'and audited as restored'

note 'refuse: both are refused until agent reset'
# An agent reset is judged as newest is: whoever is silent for three intervals, as while doctor runs, may be replaced.
conf 'HeartbeatInterval 60s'
conf 'CopiedAgents refuse'
reload
key="gw-tunnel $(cut -d' ' -f1,2 "$WORK/db1.pub")"
# shellcheck disable=SC2086
line() { setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc $key; }
[[ -n $(line) ]] || fail 'akc refuses the key before'
client '
a, copy = saved("db1"), saved("db1.copy")
is_(a.beat(), 200)
is_((copy.beat(), copy.answer["code"]), (409, "copied"))
is_((a.beat(), a.answer["code"]), (409, "copied"), "both")
is_((a.register(), a.answer["code"]), (409, "copied"), "both")
if "frozen" not in a.answer["error"]: raise SystemExit(a.answer)
save(a, "db1")
' 'a copy freezes the agent'
[[ -z $(line) ]] || fail 'akc admits the key of a frozen agent'
assert_eq "$(leasectl agents | awk -F'\t' '$1 == "db1" { print $3 }')" frozen 'leasectl agents'
expect_exit 1 leasectl explain gw-tunnel --key "$WORK/db1.pub"
grep -q 'leasectl agent reset db1' "$WORK/out" || fail "$(cat "$WORK/out")"
leasectl doctor >"$WORK/out" 2>&1 || :
grep -q "two hosts have the state of the agent 'db1'" "$WORK/out" || fail "$(cat "$WORK/out")"
ok 'explain and doctor say so'
leasectl set db1 --note y >/dev/null
[[ -z $(line) ]] || fail 'leasectl set has thawed the agent'
conf 'CopiedAgents newest'
reload
client 'a = saved("db1"); is_(a.beat(), 409)' 'nor does another CopiedAgents'
conf 'CopiedAgents refuse'
reload
expect_exit 2 leasectl agent reset db1 --from nowhere
expect_exit 0 leasectl agent reset db1 --from 127.0.0.2
for text in '^seen at: 127.0.0.1$' 'leasectl invite db1 --agent --replace'; do
	grep -q "$text" "$WORK/out" || fail "$(cat "$WORK/out")"
done
[[ -n $(line) ]] || fail 'akc refuses the key after the reset'
client '
a, copy = saved("db1"), saved("db1.copy")
is_((copy.beat(), copy.register()), (409, 409), "the copy")
is_(a.beat(), 200, "its current counter is no copy; the reset is not used up")
a.gateway = copy.gateway = Gateway(12000, "127.0.0.2")
is_(copy.beat(), 409, "a heartbeat is no register")
is_(copy.register(), 200, "from there, with an old counter")
is_(copy.beat(), 200)
save(copy, "db1"); save(a, "db1.copy")
' 'agent reset --from: one register from there'
client '
a = saved("db1")
is_(a.beat(), 200)
other = a.clone(); other.credential = enrol
for more in ({"counter": 2**53 - 2}, {"counter": 1}, {}):
    is_(other.lose("heartbeat") if not more else other.send("heartbeat", **more), 401, more)
other.sends = False
is_(other.lose("heartbeat"), 401, "no counter")
is_(a.beat(), 200, "the agent itself")
save(a, "db1")
' 'after a reset, an enrolment key makes no agent a copy'
client '
copy = saved("db1.copy"); is_(copy.register(), 409); b = saved("db1"); is_(b.beat(), 409)
' 'once: the next copy freezes it again'
expect_exit 0 leasectl agent reset db1
sql "UPDATE lease SET agent_facts = replace(agent_facts, 'copy_reset_wall_s ', 'copy_reset_wall_s 1')" >/dev/null
conf 'CopiedAgents newest'
reload
client '
copy = saved("db1.copy"); is_(copy.register(), 409, "after the ten minutes")
none = saved("db1"); none.sends = False
is_((none.beat(), none.register()), (409, 409), "an older tunnel-agent")
sh("leasectl agent reset db1")
is_(none.beat(), 409)
is_(none.register(), 200); is_(none.beat(), 200); is_(none.beat(), 200)
is_(turn("db1"), "")
' 'an agent that was downgraded sends none, and needs agent reset'

note 'the gateway is restored from a backup'
client '
a = agent("db2"); is_(a.register(), 200)
for i in range(5): is_(a.beat(), 200)
sh(f"leasectl backup {work}/backup")
copy = a.clone()
for i in range(5): is_(a.beat(), 200)
save(a, "db2"); save(copy, "db2.copy")
' 'a backup'
end_leased TERM
leasectl --yes restore "$WORK/backup" >/dev/null 2>&1 || leasectl restore "$WORK/backup" >/dev/null
start_leased
client '
a, copy = saved("db2"), saved("db2.copy")
is_(copy.beat(), 409); is_(a.beat(), 200); save(a, "db2")
' 'over the store that it replaces: the counter is as it was'
end_leased TERM
rm -f "$store" "$store"-wal "$store"-shm
leasectl restore "$WORK/backup" >/dev/null
start_leased
client '
a, copy = saved("db2"), saved("db2.copy")
is_(a.beat(), 200); is_(copy.beat(), 409); is_(a.beat(), 200)
' 'after the store was lost: the counter is ahead, and is adopted'
(($(grep -c "the counter of 'db2' is ahead of the store's" "$WORK/leased.log") > 0)) || fail 'it is not logged'
