#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent join with the real gateway: a friend's lease and a private host, each by one command there, the host
# against a stopwatch; a wrong code, an unknown host and a wrong one; leased stopped; the same code again; a host that
# was installed anew.
# What a gateway can answer wrongly is in e2e/agent_join_words.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"
. "$TOP/tests/stopwatch_lib.sh"

leasectl setup --join >/dev/null
far_link
gateway_on_link
private_host
serve 8009
pin=$(ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub | cut -d' ' -f2)
AGENT_IN=(ip netns exec far)
join() { "${AGENT_IN[@]}" tunnel-agent join "$@" </dev/null; }
# invite NAME OPTION...: the code, in $WORK/code
invite()
{
	leasectl invite "$@" >"$WORK/invite" 2>&1 || fail "invite $*: $(cat "$WORK/invite")"
	grep -oE '[2-9A-HJ-NP-Z]{4}(-[2-9A-HJ-NP-Z]{4}){3}' "$WORK/invite" | head -n 1 >"$WORK/code"
}
open_invites() { leasectl --json invite list | python3 -c 'import json, sys; print(sum(i["state"] == "open" for i in json.load(sys.stdin)))'; }
lease() { leasectl --json show "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$2"; }
err_has() { grep -F -q -e "$1" "$WORK/err" || fail "not said: $1: $(cat "$WORK/err")"; }

# ---- a friend ----
export STATE_DIR=$WORK/alice.state
expect_exit 1 join --no-hold --host-key "$pin" "$NEAR" 2222-2222-2222-2222
err_has 'no invite is open there'
invite alice --open 8009 --for 30d
expect_exit 1 join --no-hold "$NEAR" "@$WORK/code"
err_has "run with --host-key $pin"
expect_exit 1 join --no-hold --host-key "SHA256:$(printf 'A%.0s' {1..43})" "$NEAR" "@$WORK/code"
err_has 'wrong host key'
expect_exit 1 join --no-hold --host-key "$pin" "$NEAR" 2222-2222-2222-2222
err_has 'There is no such invite'
assert_eq "$(open_invites)" 1 'no refusal has spent it'

# leased is stopped: join waits, nothing is spent, and it comes in by itself.
kill "$LEASED"
wait_for 5 'leased to end' gone "$LEASED"
agent join --host-key "$pin" "$NEAR" "@$WORK/code"
wait_for 10 'join to wait' said 'The code stays good for this key: trying again'
assert_eq "$(open_invites)" 1 'not spent'
gateway_leased
wait_for 20 'up' is alice up
assert_eq "$(in_far curl -s --max-time 5 http://127.0.0.1:8009/)" 'hello from 8009' 'data through the tunnel'
grep -q "^joined as 'alice' with the key $(ssh-keygen -lf "$STATE_DIR/agent.pem" | cut -d' ' -f2) until" "$WORK/agent.out" ||
	fail "$(cat "$WORK/agent.out")"
assert_eq "$(lease alice state) $(open_invites)" 'active 0' 'the lease is there'
agent_stop
id=$(lease alice id)
expect_exit 0 join --host-key "$pin" --no-hold "$NEAR" "@$WORK/code"
assert_eq "$(lease alice id) $(grep -c '^Tunnel' "$STATE_DIR/tunnels.conf")" "$id 1" 'the same code and key again: the same'
STATE_DIR=$WORK/thief.state expect_exit 1 join --host-key "$pin" --no-hold "$NEAR" "@$WORK/code"
agent -c "$STATE_DIR/tunnels.conf"
wait_for 10 'up without a code' is alice up
agent_stop
ok 'a friend: one line here, one there'

# ---- a private host ----
export STATE_DIR=$WORK/db1.state
host_comes_in db1
wait_for 10 'a register through its own tunnel' said 'registered agent_id=db1'
agent_stop
agent -d -c "$(quick)" --gateway "$NEAR" --target "$FAR:22"
wait_for 20 'up again without code, token and --host-key' is gateway up
port=$(field gateway port_b)
# Joined anew with the state of an agent that runs: by a new key, since a copy of the old one may be elsewhere.
cp "$STATE_DIR/agent.pem" "$WORK/stolen"
invite db1 --agent --replace
expect_exit 0 join --host-key "$pin" --no-hold "$NEAR" "@$WORK/code"
login_refused "$WORK/stolen" gw-tunnel
registered_anew() { (($(grep -c 'registered agent_id=db1' "$WORK/agent.err") == 2)); }
wait_for 30 'the agent that runs to go on with the new key and secret' registered_anew
# A friend's lease on this host has a key of its own; the same code again is the same.
invite carol --open 8009
for _ in 1 2; do
	expect_exit 0 join --host-key "$pin" --no-hold "$NEAR" "@$WORK/code"
	assert_eq "$(cd "$STATE_DIR" && grep -c '^Tunnel' tunnels.conf; printf '%s ' *.pem | wc -w)" $'1\n2' 'carol has a key beside that of db1'
done
agent_stop
ok 'a private host: one command there, then ssh -J to it'

# Installed anew: another key, the same name and port; the old key is of no use.
mv "$STATE_DIR" "$WORK/before"
invite db1 --agent --replace
agent join -d --host-key "$pin" --target "$FAR:22" "$NEAR" "@$WORK/code"
wait_for 20 'the new one to be up' is gateway up
assert_eq "$(field gateway port_b)" "$port" 'the same port'
wait_for 10 'ssh -J leads to it' reached
login_refused "$WORK/before/agent.pem" gw-tunnel
agent_stop
ok 'a host that was installed anew has its old name and port'
