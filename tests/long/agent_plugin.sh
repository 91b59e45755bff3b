#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent through a ProxyCommand (as SSM, IAP and cloudflared are used), with its default
# intervals: one that freezes, closes, hangs at its start before and after sshd's banner, or is slow to
# start is found within 20 s, and data is back within 3 s of that.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_host
far_serve 8009
far_plugin
mapfile -t words < <(far_words; plugin_words)

echo 'StableAfter 10s' >"$WORK/agent.conf" # as after an hour
agent -d -c "$WORK/agent.conf" "${words[@]}" "root@$FAR"
wait_for 8 'up through a plugin' up_and_answering
for round in 1 2; do
	plugin_freezes
	sleep 10
	start=${EPOCHREALTIME/./}
	# shellcheck disable=SC2046 # pids
	kill -KILL $(plugins)
	wait_for 3 'data after it closed' answers http://127.0.0.1:18009/ 8009
	note "closed: data after $(since_ms "$start") ms"
	plugin_hangs hang
	plugin_hangs freeze
	ok "round $round"
done

# Slow to start: the first time the agent learns how long it takes, then one attempt is enough.
plugin_mode late
# shellcheck disable=SC2046
kill -KILL $(plugins)
wait_for 25 'up through a slow plugin' up_and_answering
# shellcheck disable=SC2046
kill -KILL $(plugins)
start=${EPOCHREALTIME/./}
wait_for 2 'its end' gone "$(ssh_of)"
wait_for 9 'up again at the first attempt' up_and_answering
note "a plugin that takes 6 s: data after $(since_ms "$start") ms"
agent_stop
[[ -z $(plugins) ]] || fail 'a plugin outlives the agent'
ok 'slow to start'
