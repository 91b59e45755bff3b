#!/bin/bash
# SPDX-License-Identifier: ISC
# The state directory of a real tunnel-agent, copied to another host and used in two places; an agent that is
# killed at each step of a heartbeat is no copy; one agent a state directory. e2e/copied_agent has the rules.
# sandbox: --leased
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"
skip_without strace

api=an-enrolment-key-for-the-tests
url=http://127.0.0.1:12000
store=/var/lib/tunlease/leases.db
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
counter() { cut -d' ' -f1 "${1-$STATE_DIR}/turn" 2>/dev/null || echo 0; }
beyond() { (($(counter "$2") > $1)); }
copies() { sql "SELECT count(*) FROM audit WHERE action = 'copied'"; }
healthy() { fetch -f -o /dev/null http://127.0.0.1:12000/healthz; }
echo 'HeartbeatInterval 1s' >>/etc/tunlease/tunlease.conf
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
leased -D </dev/null >/run/leased.out 2>&1 & LEASED=$!
at_exit "$LEASED"
wait_for 5 'leased again' healthy
serve 8022
conf=$(quick)
reaches() { [[ $(fetch "http://127.0.0.1:$port/") == 'hello from 8022' ]]; }
words=(-d -c "$conf" --endpoint "$url" --api-key "$api" --agent-id db1 --target 127.0.0.1:8022)

agent "${words[@]}"
wait_for 10 'the tunnel to be up' is gateway up
port=$(field gateway port_b)
wait_for 10 'a few heartbeats' beyond 2 "$STATE_DIR"
assert_eq "$(stat -c %a "$STATE_DIR/turn")" 600 'the mode of turn'
expect_exit 1 tunnel-agent "${words[@]}"
grep -q "another agent, pid $AGENT, runs with the state directory '$STATE_DIR'" "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'one agent a state directory: the second one is told the pid of the first'

note 'killed at each step of a heartbeat, and started again; long/copied_state has more of them'
agent_stop
for step in ${TEST_STEPS-fsync:when=1 sendto:when=5}; do
	before=$(counter)
	strace -qq -o "$WORK/strace" -e trace="${step%%:*}" -e "inject=${step%%:*}:signal=KILL:${step#*:}" \
		tunnel-agent "${words[@]}" </dev/null 2>"$WORK/killed.err" & killed=$!
	at_exit "$killed"
	wait_for 15 "the kill at $step" is_gone "$killed"
	grep -q 'SIGKILL' "$WORK/strace" || fail "it was not killed at $step: $(cat "$WORK/killed.err")"
	agent "${words[@]}"
	wait_for 15 "heartbeats after the kill at $step" beyond "$((before + 1))" "$STATE_DIR"
	kill -KILL "$AGENT"
	wait_for 5 'the agent is gone' is_gone "$AGENT"
	! said 'another host has the state' || fail "a copy, after $step"
done
assert_eq "$(copies)" 0 'an agent that was killed is no copy'

note 'a state directory on a file system that syncs no directories'
before=$(counter)
strace -qq -o "$WORK/strace" -e trace=fsync -e inject=fsync:error=EINVAL:when=2+2 tunnel-agent "${words[@]}" </dev/null 2>"$WORK/agent.err" & traced=$!
at_exit "$traced"
wait_for 15 'heartbeats all the same' beyond "$((before + 1))" "$STATE_DIR"
grep -q 'EINVAL.*INJECTED' "$WORK/strace" || fail 'no directory was synced'
kill "$(pgrep -P "$traced")"
wait_for 5 'the agent is gone' is_gone "$traced"

note 'a copy of the state, used beside it'
agent "${words[@]}"
wait_for 10 'data' reaches
mkdir -m 0700 "$WORK/copy"
cp -p "$STATE_DIR"/{agent.pem,agent_id,agent_secret,known_hosts,first_login,session.json,turn} "$WORK/copy/"
wait_for 10 'the original to go on' beyond "$(counter)" "$STATE_DIR"
STATE_DIR=$WORK/copy tunnel-agent "${words[@]}" </dev/null 2>"$WORK/copy.err" & copy=$!
at_exit "$copy"
copy_said() { grep -q "$1" "$WORK/copy.err"; }
wait_for 20 'the copy to be told' copy_said 'another host has the state of this agent, such as a copy of this machine'
wait_for 20 'the copy to pause' copy_said 'another host has the state of this agent, and the gateway ended our connection'
wait_for 10 'the original is up' reaches
wait_for 10 'and its heartbeats are accepted' beyond "$(($(counter) + 1))" "$STATE_DIR"
! said 'another host has the state' || fail "the original was called a copy: $(cat "$WORK/agent.err")"
assert_eq "$(copies)" 1 'rows of the audit'
STATE_DIR=$WORK/copy tunnel-agent status >"$WORK/out" || :
grep -q "another host has the state of this agent: see 'leasectl agents'" "$WORK/out" || fail "$(cat "$WORK/out")"
assert_eq "$(leasectl agents | awk -F'\t' '{ print $3, $4, $7 }')" 'active up ::1 ::1' 'leasectl agents: the addresses of their ssh'
ok 'the copy pauses, and the original goes on'

note 'the original is switched off, and the copy is a host back from a snapshot'
agent_stop
wait_for 60 'the copy to be accepted' beyond "$(counter)" "$WORK/copy"
assert_eq "$(sql "SELECT count(*) FROM audit WHERE action = 'restored'")" 1 'audited as restored'

note 'refuse: no session stays, and agent reset lets the one that is left go on'
echo 'CopiedAgents refuse' >>/etc/tunlease/tunlease.conf
kill -HUP "$LEASED"
wait_for 5 'the configuration to be reloaded' grep -q 'configuration reloaded' /run/leased.out
agent "${words[@]}"
frozen() { [[ $(leasectl agents | cut -f3) == frozen ]]; }
none_left() { [[ -z $(leasectl sessions) ]]; }
wait_for 20 'the agent to be frozen' frozen
wait_for 10 'its sessions to end' none_left
kill "$copy"
leasectl agent reset db1 >/dev/null
wait_for 30 'the one that is left is up again' reaches
wait_for 10 'and its heartbeats are accepted' beyond "$(counter)" "$STATE_DIR"
ok 'frozen, reset, up again'
