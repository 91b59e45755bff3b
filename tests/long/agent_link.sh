#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent with its default intervals: a link that is cut and works again, a stop of 40 s with the link cut,
# a new address, and eight tunnels through five minutes of packet loss, 10 % and then 30 % each way.
# sandbox:
# timeout: 1000
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_web
web=http://127.0.0.1:18009/
agent "${FAR_WORDS[@]}" -N -L 18009:127.0.0.1:8009 --probe http:/ "root@$FAR"
wait_for 10 'the tunnel to be up' is "$FAR" up
answers "$web" 8009 || fail 'no data'

# ---- all packets are dropped ----
ssh=$(ssh_of)
cut_link
start=${EPOCHREALTIME/./}
wait_for 25 'suspect' suspect_or_gone "$FAR" "$ssh"
note "suspect after $(since_ms "$start") ms"
wait_for 25 'the dead path to be found' gone "$ssh"
took_ms=$(since_ms "$start")
((took_ms < 25000)) || fail "restarted only after $took_ms ms"
note "restarted after $took_ms ms"
sleep 30
heal_link
start=${EPOCHREALTIME/./}
wait_for 10 'data after healing' answers "$web" 8009
ok "all packets dropped: restarted in time, and back $(since_ms "$start") ms after the link works again"

# ---- stopped for 40 s, the link cut meanwhile ----
wait_for 10 'up' is "$FAR" up
ssh=$(ssh_of)
kill -STOP "$AGENT" "$ssh"
cut_link
sleep 40
kill -CONT "$ssh" "$AGENT"
wait_for 1 'a probe at once' said 'awake after (39|4[0-9]) s'
wait_for 12 'the path to be found dead' gone "$ssh"
heal_link
wait_for 10 'data' answers "$web" 8009
ok 'stopped for 40 s: probed within a second'

# ---- renumbered: the old address is gone, and no TCP connection is told ----
wait_for 10 'up' is "$FAR" up
ip addr del 10.99.0.1/24 dev near0
ip addr add 10.99.0.3/24 dev near0
wait_for 45 'data from the new address' answers "$web" 8009
ok 'renumbered'

agent_stop

# ---- packet loss, at random, both ways ----
for ((i = 0; i < 8; i++)); do
	printf 'Tunnel t%d\n To root@%s\n Identity %s\n Option UserKnownHostsFile=%s\n Forward %d:127.0.0.1:8009\n Probe http:/\n' \
		"$i" "$FAR" "$FAR_KEY" "$WORK/far/known_hosts" $((19000 + i))
done >"$WORK/eight.conf"
agent -d -c "$WORK/eight.conf"
all_up() { (($(tunnel-agent status | cut -f2 | grep -c '^up$') == 8)); }
restarts() { { tunnel-agent status || :; } | sort | cut -f4 | tr '\n' ' '; }
wait_for 30 'eight tunnels to be up' all_up
lose 10
sleep 300
nft delete table inet link
assert_eq "$(restarts)" '0 0 0 0 0 0 0 0 ' 'five minutes of 10 % loss: no restart'
wait_for 30 'all to be well' all_up
lose 30
sleep 300
nft delete table inet link
read -r -a each <<<"$(restarts)"
sum=0 most=0
for n in "${each[@]}"; do sum=$((sum + n)); ((n <= most)) || most=$n; done
note "five minutes of 30 % loss: restarts ${each[*]}"
# The requirement is two restarts of a tunnel. That is partly chance, so the eight together may have half
# of that.
((sum <= 8)) || fail "$sum restarts of eight tunnels"
((most <= 3)) || fail "$most restarts of one tunnel"
ok "five minutes of 30 % loss: $sum restarts of eight tunnels, $most at most"
wait_for 30 'all to be well' all_up
agent_stop
