#!/bin/bash
# SPDX-License-Identifier: ISC
# Two hosts with one state directory, as a virtual machine and its clone: each in a network of its own, with an
# address and a service of its own, and a tunnel-agent that reaches the gateway's sshd and leased over the network.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

# ---- two hosts; the gateway has the first address of each network ----

skip_without ip nft
GW=10.99.0.1
declare -A ADDRESS=([a]=10.99.0.2 [b]=10.99.1.2) PID
mkdir -p /run/netns
host()
{
	local name=$1 near=${ADDRESS[$1]%.*}.1
	ip netns add "$name"
	ip link add "to_$name" type veth peer name eth0 netns "$name"
	ip address add "$near/24" dev "to_$name"
	ip link set "to_$name" up
	ip -n "$name" address add "${ADDRESS[$name]}/24" dev eth0
	ip -n "$name" link set eth0 up
	ip -n "$name" link set lo up
	ip -n "$name" route add default via "$near"
	mkdir -p "$WORK/www_$name"
	printf 'the host %s' "$name" >"$WORK/www_$name/index.html"
	ip netns exec "$name" python3 -m http.server 8022 --bind 127.0.0.1 --directory "$WORK/www_$name" </dev/null >/dev/null 2>&1 &
	at_exit "$!"
	wait_for 5 "the service of $name" ip netns exec "$name" bash -c ': </dev/tcp/127.0.0.1/8022' 2>/dev/null
}
host a
host b
in_b_is_not_a() { ! ip netns exec b ip address | some_line -F "${ADDRESS[a]}"; }
in_b_is_not_a || fail 'the hosts share a network'
# shellcheck disable=SC2034 # for gateway_on_link
NEAR=$GW
echo 'HeartbeatInterval 2s' >>/etc/tunlease/tunlease.conf
gateway_on_link

hosts_on_failure()
{
	local rc=$?
	((rc == 0 || rc == 77)) || tail -v -n 15 "$WORK/a.err" "$WORK/b.err" || :
	lib_cleanup "$rc"
}
trap hosts_on_failure EXIT

conf=$(quick)
# start NAME: that host's tunnel-agent. Its log goes on in NAME.err, and is searched from here on.
start()
{
	: >"$WORK/$1.err"
	STATE_DIR=$WORK/state_$1 ip netns exec "$1" tunnel-agent -d -c "$conf" --endpoint "http://$GW:12000" --insecure --api-key "$API" \
		--agent-id db1 --target 127.0.0.1:8022 </dev/null >/dev/null 2>"$WORK/$1.err" &
	PID[$1]=$!
	at_exit "$!"
}
power_off() { ip link set "to_$1" down; kill -KILL "${PID[$1]}"; wait "${PID[$1]}" 2>/dev/null || :; pkill -KILL -f "$WORK/state_$1/" || :; }
power_on() { ip link set "to_$1" up; ip -n "$1" route replace default via "${ADDRESS[$1]%.*}.1"; start "$1"; }
host_said() { grep -q -e "$2" "$WORK/$1.err"; }
counter() { cut -d' ' -f1 "$WORK/state_$1/turn" 2>/dev/null || echo 0; }
beyond() { (($(counter "$1") > $2)); }
goes_on() { wait_for "${2-15}" "heartbeats of $1 are accepted" beyond "$1" "$(($(counter "$1") + 1))"; }
port() { leasectl agents | cut -f2; }
reaches() { [[ $(fetch "http://127.0.0.1:$(port)/") == "the host $1" ]]; }
# The columns STATE and COPIED of leasectl agents.
shown() { leasectl agents | awk -F'\t' '{ print $3, $7 }'; }
is_shown() { [[ $(shown) == "$1" ]]; }
rows() { leasectl --json audit | python3 -c 'import json, sys
print(sum(r["action"] == sys.argv[1] for r in json.load(sys.stdin)))' "$1"; }
copied='another host has the state of this agent, such as a copy of this machine: the gateway says: another host has the state of this agent and has gone further. An admin lets this one go on with .leasectl agent reset db1.. Stop the one that is not to be here'

# ---- a clone ----

start a
wait_for 15 'data from host a' reaches a
goes_on a
assert_eq "$(shown)" 'active ' 'one host, nothing to show'
cp -a "$WORK/state_a" "$WORK/state_b"
goes_on a
start b
wait_for 20 'b is told, in a sentence' host_said b "$copied"
wait_for 30 'b pauses' host_said b 'another host has the state of this agent, and the gateway ended our connection'
wait_for 20 'data from host a again' reaches a
goes_on a
! host_said a 'another host has the state' || fail "a was called a copy: $(cat "$WORK/a.err")"
assert_eq "$(shown)" "active ${ADDRESS[b]} ${ADDRESS[a]}" 'leasectl agents: both addresses'
assert_eq "$(rows copied)" 1 'rows of the audit'
leasectl doctor >"$WORK/out" 2>&1 || :
grep -q "two hosts have the state of the agent 'db1'.*${ADDRESS[b]}.*${ADDRESS[a]}" "$WORK/out" || fail "doctor: $(grep copies "$WORK/out")"
STATE_DIR=$WORK/state_b tunnel-agent status >"$WORK/out" || :
grep -q "another host has the state of this agent: see 'leasectl agents'" "$WORK/out" || fail "$(cat "$WORK/out")"
ok 'host a goes on, its clone b pauses, and both addresses are shown'

# ---- the clone is the right one ----

expect_exit 0 leasectl agent reset db1 --from "${ADDRESS[b]}"
grep -q "^seen at: .*${ADDRESS[a]}" "$WORK/out" || fail "$(cat "$WORK/out")"
grep -q "^seen at: .*${ADDRESS[b]}" "$WORK/out" || fail "$(cat "$WORK/out")"
# It comes again by itself, within its pause.
: >"$WORK/a.err"
wait_for 30 'a is told' host_said a "$copied"
wait_for 40 'data from host b' reaches b
goes_on b
wait_for 30 'a pauses' host_said a 'another host has the state of this agent, and the gateway ended our connection'
wait_for 20 'data from host b is back' reaches b
is_shown "active ${ADDRESS[a]} ${ADDRESS[b]}" || fail "leasectl agents: $(shown)"
ok 'agent reset --from b: b goes on, a pauses'

# ---- the host that has gone further is off; then it is back ----

power_off b
wait_for 60 'data from host a' reaches a
goes_on a 30
assert_eq "$(rows restored)" 1 'audited as restored'
power_on b
wait_for 30 'b is told' host_said b "$copied"
wait_for 30 'data from host a all the while' reaches a
goes_on a
ok 'b is switched off: a is taken for a host that is back from a snapshot; b is the copy when it is back'

# ---- refuse ----

: >"$WORK/a.err"; : >"$WORK/b.err"
echo 'CopiedAgents refuse' >>/etc/tunlease/tunlease.conf
kill -HUP "$LEASED"
is_frozen() { [[ $(leasectl agents | cut -f3) == frozen ]]; }
none_left() { [[ -z $(leasectl sessions) ]]; }
wait_for 40 'the agent to be frozen' is_frozen
wait_for 15 'its sessions to end' none_left
frozen='the gateway says: two hosts have the state of this agent, so the gateway has frozen it until an admin'
wait_for 30 'a is told' host_said a "$frozen"
assert_eq "$(leasectl agents | awk -F'\t' '{ print NF, $7 }')" "7 ${ADDRESS[b]} ${ADDRESS[a]}" 'leasectl agents: both addresses'
# With refuse, the next request of b would freeze it again: b is stopped first, as the sentence says.
kill "${PID[b]}"
wait_for 10 'the agent of b is gone' is_gone "${PID[b]}"
expect_exit 0 leasectl agent reset db1 --from "${ADDRESS[a]}"
wait_for 40 'data from host a' reaches a
goes_on a 30
assert_eq "$(shown)" 'active ' 'nothing to show any more'
ok 'refuse: both are shut out; b is stopped, and agent reset --from a lets a go on'
