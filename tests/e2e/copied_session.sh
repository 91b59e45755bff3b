#!/bin/bash
# SPDX-License-Identifier: ISC
# CopiedAgents newest, where one of two hosts with one state has the agent's session: the older one is accepted
# once the other has sent nothing for three intervals and has no live session. leased has to know whose session
# it is. A has gone further, B is the older one; each agent here is one case. e2e/copied_agent has the rest.
#
#   agent     session of   began     A's last request       B asks by              B is
#   own       B            before A's last one, endpoint    its tunnel             restored
#   address   B            before A's last one, endpoint    endpoint               restored: A's address is another one
#   nat       B            before A's last one, endpoint    endpoint               refused: both have one address;
#                                                           then its tunnel        restored
#   held      A            before A's last one, tunnel      endpoint, local proxy  refused
#   back      A            after A's last one, endpoint     endpoint, local proxy  refused
#   beats     B            before A's last one, endpoint    its tunnel             refused: A still sends
# sandbox: --leased
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"

# Two hosts, by their addresses.
A=10.99.0.1 B=10.99.0.2
ip address add "$A/32" dev lo
ip address add "$B/32" dev lo
up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
echo 'HeartbeatInterval 1s' >>/etc/tunlease/tunlease.conf
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
start_leased() { leased -D </dev/null >"$WORK/leased.log" 2>&1 & LEASED=$!; at_exit "$LEASED"; wait_for 5 'leased answers' up; }
start_leased

cases=(own address nat held back beats)
for name in "${cases[@]}"; do new_key "$name" >/dev/null; done
cat >"$WORK/head.py" <<END
import os, pickle, sys, time
sys.path.insert(0, os.environ["TOP"] + "/tests")
from copy_client import Agent, Gateway
A, B = Gateway(12000, "$A"), Gateway(12000, "$B")
local = Gateway(12000)
cases = "${cases[*]}".split()
slow = int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100
def tunnel(name): return Gateway(18000 + cases.index(name))
def is_(got, want, what):
    if got != want: raise SystemExit(f"{what}: {got}, not {want}")
END
export WORK
client() { cat "$WORK/head.py" - >"$WORK/client.py"; python3 "$WORK/client.py" || fail "$1"; ok "$1"; }
# session NAME ADDRESS PORT: ssh with that agent's key from that address; PORT leads to leased.
session()
{
	tunnel "$WORK/$1" gw-tunnel -b "$2" -L "$3:127.0.0.1:12000" || fail "$1: $(tail -n 3 "$WORK/ssh.err")"
	is_open() { leasectl sessions | some_line "$1.*$2"; }
	wait_for 5 "the session of $1" is_open "$1" "$2"
}

client 'each agent registers, and is copied' <<'END'
agents = {}
for name in cases:
    a = Agent(A, name, open(f"{os.environ['WORK']}/{name}.pub").read().strip(), "an-enrolment-key-for-the-tests")
    is_(a.register(), 200, name)
    is_(a.beat(), 200, name)
    b = a.clone()
    is_(a.beat(), 200, name)
    a.gateway = b.gateway = None
    agents[name] = a, b
pickle.dump(agents, open(os.environ["WORK"] + "/agents", "wb"))
END
session own "$B" 18000
session address "$B" 18001
session nat "$A" 18002
session held "$A" 18003
session beats "$B" 18005
client 'while the one that has gone further sends heartbeats, the other is a copy, whoever has the session' <<'END'
agents = pickle.load(open(os.environ["WORK"] + "/agents", "rb"))
time.sleep(1.1)  # a session's age is known to the second
for name, (a, b) in agents.items():
    a.gateway = tunnel(name) if name == "held" else A
    is_(a.beat(), 200, name)
    for way in (B, local) + ((tunnel(name),) if name not in ("back", "held") else ()):
        b.gateway = way
        is_(b.beat(), 409, name)
    a.gateway = b.gateway = None
pickle.dump(agents, open(os.environ["WORK"] + "/agents", "wb"))
END
session back "$A" 18004
client 'once it is silent, the other is accepted, unless the session is, or may be, that of the silent one' <<'END'
agents = pickle.load(open(os.environ["WORK"] + "/agents", "rb"))
end = time.time() + 3.3
while time.time() < end:
    a, b = agents["beats"]
    a.gateway, b.gateway = A, tunnel("beats")
    is_(a.beat(), 200, "beats")
    is_(b.beat(), 409, "beats, while the other sends")
    time.sleep(0.2)
def ask(name, way, want, what):
    b = agents[name][1]
    b.gateway = way
    is_(b.beat(), want, f"{name}, by {what}")
ask("own", local, 409, "a proxy on the gateway, which does not say for whom")
ask("own", tunnel("own"), 200, "its tunnel")
ask("address", B, 200, "the endpoint")
ask("nat", A, 409, "the endpoint")
ask("nat", tunnel("nat"), 200, "its tunnel")
for name in "held", "back":
    ask(name, B, 409, "the endpoint")
    ask(name, A, 409, "the endpoint, from the address of the other")
    ask(name, local, 409, "a proxy on the gateway")
    a = agents[name][0]
    a.gateway = A
    is_(a.beat(), 200, f"{name}: the one that has gone further")
for name in "own", "address", "nat":
    a = agents[name][0]
    a.gateway = A
    is_(a.beat(), 409, f"{name}: the one that is back is the copy now")
a, b = agents["beats"]
a.gateway = A
is_(a.beat(), 200, "beats")
a.gateway = b.gateway = None
pickle.dump((a, b), open(os.environ["WORK"] + "/beats", "wb"))
END
assert_eq "$(leasectl --json audit | python3 -c 'import json, sys
print(*sorted(r["lease"] for r in json.load(sys.stdin) if r["action"] == "restored"))')" 'address nat own' 'audited as restored'

note 'leased is down for three intervals, as a gateway that is rebooted: nobody was silent'
kill "$LEASED"
wait_for 5 'leased is gone' is_gone "$LEASED"
no_session() { [[ -z $(leasectl sessions) ]]; }
pkill -KILL -P $$ -x ssh
wait_for 5 'no session is left' no_session
sleep 3.2
start_leased
client 'the copy asks first, and is a copy' <<'END'
a, b = pickle.load(open(os.environ["WORK"] + "/beats", "rb"))
b.gateway, a.gateway = local, A
is_(b.beat(), 409, "the copy")
is_(a.lose(), 200, "the one that has gone further")
END
