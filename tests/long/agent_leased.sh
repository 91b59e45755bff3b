#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent on a private host, with its own intervals, while the gateway's leased is away for five
# minutes, and then frozen for five: the tunnel stays up, data flows, and no ssh is restarted.
# sandbox:
# timeout: 900
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

outage_s=${TEST_LONG_SECONDS:-300}
far_link
AGENT_IN=(ip netns exec far)
gateway_on_link
in_far python3 -m http.server 8022 --bind 127.0.0.1 --directory /var/empty </dev/null >/dev/null 2>&1 &
at_exit "$!"
reaches() { curl -s -o /dev/null --max-time 5 "http://127.0.0.1:$port/"; }
beat_at() { leasectl --json agents | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["heartbeat_at"])'; }
beat_again() { [[ $(beat_at) != "$before" ]]; }
log_lines() { grep -c -e "$1" "$WORK/agent.err" || :; }

agent -d --endpoint "http://$NEAR:12000" --insecure --api-key "$API" --agent-id db1 --target 127.0.0.1:8022
wait_for 20 'the tunnel to be up' is gateway up
port=$(field gateway port_b)
wait_for 5 'data through the reverse tunnel' reaches
wait_for 15 'leased to answer the probe' service_is gateway ok
ssh=$(ssh_of)

# stays_up SERVICE: data flows and the same ssh runs for five minutes, while status shows SERVICE.
stays_up()
{
	local want=$1 end=$((SECONDS + outage_s)) asked=0
	wait_for 25 "the service to be $want" service_is gateway "$want"
	while ((SECONDS < end)); do
		reaches || fail "no data, ${SECONDS} s into the test"
		[[ $(ssh_of) == "$ssh" ]] || fail "another ssh: $(field gateway reason)"
		asked=$((asked + 1))
		sleep 2
	done
	assert_eq "$(field gateway restarts) $(field gateway service)" "0 $want" "$outage_s s, data came $asked times"
}

kill "$LEASED"
wait_for 5 'leased to end' gone "$LEASED"
stays_up down
before=$(beat_at)
gateway_leased
wait_for 25 'leased to be seen again' service_is gateway ok
wait_for 70 'a heartbeat to the new leased' beat_again
assert_eq "$(ssh_of) $(field gateway restarts)" "$ssh 0" 'leased stopped and started: the same ssh'

mapfile -t both < <(echo "$LEASED"; pgrep -P "$LEASED")
((${#both[@]} == 2)) || fail "leased has ${#both[@]} processes"
kill -STOP "${both[@]}"
stays_up silent
before=$(beat_at)
kill -CONT "${both[@]}"
wait_for 25 'leased to answer again' service_is gateway ok
wait_for 70 'a heartbeat through the same tunnel' beat_again
assert_eq "$(ssh_of) $(field gateway restarts)" "$ssh 0" 'leased frozen and thawed: the same ssh'
assert_eq "$(log_lines 'leased does not answer')" 2 'each time it is logged once'
agent_stop
