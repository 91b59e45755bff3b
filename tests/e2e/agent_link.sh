#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent -L: a link that drops all packets, an sshd and a service that freeze, a program that is
# stopped: what counts as dead, what does not, and how soon data is back. With short intervals;
# long/agent_link has the real ones.
# sandbox:
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_web
far_sink 8010
conf=$(quick)
agent -c "$conf" "${FAR_WORDS[@]}" -N -L 18009:127.0.0.1:8009 -L 18010:127.0.0.1:8010 --probe http:/ "root@$FAR"
wait_for 5 'the tunnel to be up' is "$FAR" up
answers http://127.0.0.1:18009/ 8009 || fail 'no data through the tunnel'
wait_for 3 'the service to be seen' service_is "$FAR" ok
ok 'up: data comes back'

first=$(ssh_of)
kill -KILL "$first"
start=${EPOCHREALTIME/./}
wait_for 3 'back after ssh was killed' answers http://127.0.0.1:18009/ 8009
note "ssh killed: back after $(((${EPOCHREALTIME/./} - start) / 1000)) ms"
assert_eq "$(field "$FAR" restarts)" 1 'one restart is counted'

second=$(ssh_of)
cut_link
wait_for 5 'the dead path to be suspect' suspect_or_gone "$FAR" "$second"
wait_for 5 'the ssh on the dead path to be ended' gone "$second"
wait_for 10 'an attempt on the dead link' said 'ssh: connect to host .* Connection timed out'
heal_link
wait_for 10 'back after the link healed' answers http://127.0.0.1:18009/ 8009
said 'the path is dead' || fail 'it does not say why'
ok 'a link that drops all packets: suspect, dead, and back once it works again'

# A path that works is left alone, whatever the service does.
third=$(ssh_of)
restarts=$(field "$FAR" restarts)
kill -STOP "$FAR_SERVICE"
wait_for 5 'the silent service to be seen' service_is "$FAR" silent
sleep 3 # two probes, each with its canary
kill -CONT "$FAR_SERVICE"
wait_for 5 'the service again' service_is "$FAR" ok
kill "$FAR_SERVICE"
wait_for 5 'the dead service to be seen' service_is "$FAR" down
sleep 2
far_serve 8009
wait_for 5 'the service again' service_is "$FAR" ok
far_sshd_stop
sleep 1
far_sshd
assert_eq "$(ssh_of) $(field "$FAR" restarts)" "$third $restarts" \
	'a silent or dead service, or a restart of sshd, restarts no ssh'

# An upload fills a line with a long queue, so that no probe is answered in time. The path still works.
if slow_link latency 15s; then
	upload 18010
	wait_for 20 'the full line to be seen' is "$FAR" suspect
	before=$(line_sent)
	sleep 6
	(($(line_sent) - before > 500000)) || fail "only $(($(line_sent) - before)) bytes in 6 s: the line was not full"
	assert_eq "$(ssh_of) $(field "$FAR" restarts)" "$third $restarts" 'a line that an upload fills does not count as dead'
	cut_link
	wait_for 6 'the cut under load to be found' gone "$third"
	kill "$UPLOAD" 2>/dev/null || : # it may have ended with its tunnel
	slow_link_end
	heal_link
	wait_for 10 'back' answers http://127.0.0.1:18009/ 8009
	third=$(ssh_of)
else
	note 'this kernel has no tbf qdisc: a full line is not tried'
fi

# The listening sshd freezes, and the processes of our session.
mapfile -t frozen < <(ip netns pids far | while read -r pid; do
	[[ $(cat "/proc/$pid/comm") != sshd ]] || echo "$pid"; done)
((${#frozen[@]} >= 2)) || fail "too few processes of sshd: ${frozen[*]}"
kill -STOP "${frozen[@]}"
wait_for 6 'the frozen sshd to be noticed' gone "$third"
wait_for 10 'an attempt that sshd does not answer' said 'Connection timed out during banner exchange'
kill -CONT "${frozen[@]}"
wait_for 10 'back after sshd thawed' answers http://127.0.0.1:18009/ 8009
ok 'sshd frozen: noticed, and back'

# Agent and ssh are stopped for a while, without and with the link cut: timeouts from before decide
# nothing, and the path is probed at once.
wait_for 5 'up again' is "$FAR" up
ssh=$(ssh_of)
kill -STOP "$AGENT" "$ssh"
sleep 4
kill -CONT "$ssh" "$AGENT"
wait_for 3 'awake' said 'awake after [3-9] s'
sleep 2
assert_eq "$(ssh_of)" "$ssh" 'a stop alone restarts no ssh'
kill -STOP "$AGENT" "$ssh"
cut_link
sleep 4
kill -CONT "$ssh" "$AGENT"
wait_for 4 'the path that died meanwhile to be found dead' gone "$ssh"
heal_link
wait_for 10 'back' answers http://127.0.0.1:18009/ 8009
ok 'after a stop: probed at once'

ssh=$(ssh_of)
! pgrep -r Z -P "$AGENT" >/dev/null || fail "zombies: $(ps --ppid "$AGENT" -o pid,stat,args)"
agent_stop
gone "$ssh" || fail 'ssh outlives the agent'
[[ -z $(ls -A "$STATE_DIR/run") ]] || fail "it leaves $(ls "$STATE_DIR/run")"
agent -c "$conf" "${FAR_WORDS[@]}" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 5 'up' is "$FAR" up
ssh=$(ssh_of)
kill -INT "$AGENT"
rc=0; wait "$AGENT" || rc=$?
assert_eq "$rc" 0 'SIGINT: exit 0'
gone "$ssh" || fail 'ssh outlives an interrupted agent'
agent -c "$conf" "${FAR_WORDS[@]}" -L 18009:127.0.0.1:8009 "root@$FAR"
wait_for 5 'up' is "$FAR" up
ssh=$(ssh_of)
kill -KILL "$AGENT"
wait_for 3 'ssh to die with a killed agent' gone "$ssh"
ok 'no ssh is left behind'
