#!/bin/bash
# SPDX-License-Identifier: ISC
# 60 agents, each a process with its own state and key, at one sshd. sshd and all its sessions die at once,
# and sshd comes back; its default MaxStartups drops three of ten connections beyond ten. The same with 60
# tunnels of one agent.
# sandbox:
# timeout: 400
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

count=60
far_link
gateway_on_link
in_far python3 -m http.server 8022 --bind 127.0.0.1 --directory /var/empty </dev/null >/dev/null 2>&1 &
at_exit "$!"
assert_eq "$(sshd_effective root | sed -n 's/^maxstartups //p')" 10:30:100 'the default MaxStartups'

# ---- separate agents ----
agents=()
for ((i = 0; i < count; i++)); do
	ip netns exec far env STATE_DIR="$WORK/state$i" tunnel-agent -d --endpoint "http://$NEAR:12000" --insecure --api-key "$API" \
		--agent-id "host$i" --target 127.0.0.1:8022 </dev/null >/dev/null 2>"$WORK/agent$i.err" &
	agents+=("$!")
	at_exit "$!"
done
port_of() { sed -n 's/.*"port_b": *\([0-9]*\).*/\1/p' "$WORK/state$1/session.json" 2>/dev/null; }
# Checks the agents in waiting, and leaves those there that give no data yet.
update_waiting()
{
	local i left=()
	for i in "${waiting[@]}"; do
		ports[i]=$(port_of "$i") || :
		[[ -n ${ports[i]} ]] || { left+=("$i"); continue; }
		curl -s -o /dev/null --max-time 1 "http://127.0.0.1:${ports[i]}/" || left+=("$i")
	done
	waiting=("${left[@]}")
}
all_back() { update_waiting; ((${#waiting[@]} == 0)); }
ports=()
mapfile -t waiting < <(seq 0 $((count - 1)))
start=${EPOCHREALTIME/./}
wait_for 90 "$count agents to be up" all_back
note "registered and up after $(since_ms "$start") ms"
assert_eq "$(printf '%s\n' "${ports[@]}" | sort -u | wc -l)" "$count" 'each agent has a port of its own'

dropped() { grep -c 'past MaxStartups' "$SANDBOX_LOG" || :; }
before=$(dropped)
mapfile -t sshds < <(pgrep -x sshd)
((${#sshds[@]} > 2 * count)) || fail "${#sshds[@]} processes of sshd for $count sessions"
kill -KILL "${sshds[@]}"
for pid in "${sshds[@]}"; do wait_for 5 "sshd $pid to be gone" gone "$pid"; done
sleep 5
gateway_sshd
mapfile -t waiting < <(seq 0 $((count - 1)))
start=${EPOCHREALTIME/./}
wait_for 60 "all agents to be back (missing: ${waiting[*]})" all_back
took_ms=$(since_ms "$start")
note "60 agents are back $took_ms ms after sshd; it dropped $(($(dropped) - before)) of their connections"
for i in "${!agents[@]}"; do
	! gone "${agents[i]}" || fail "agent $i has ended: $(tail -n 1 "$WORK/agent$i.err")"
done
assert_eq "$(cat "$WORK"/agent*.err | grep -c 'another client uses this key' || :)" 0 'none pauses'
ok '60 agents at one sshd'
kill "${agents[@]}"
for pid in "${agents[@]}"; do wait "$pid" || fail "agent $pid exits $?"; done

# ---- one agent, 60 tunnels ----
far_host
for ((i = 0; i < count; i++)); do
	printf 'Tunnel t%d\n To root@%s\n Identity %s\n Option UserKnownHostsFile=%s\n Forward %d:127.0.0.1:8022\n' \
		"$i" "$FAR" "$FAR_KEY" "$WORK/far/known_hosts" $((19000 + i))
done >"$WORK/herd.conf"
agent -d -c "$WORK/herd.conf"
all_up() { (($(tunnel-agent status | cut -f2 | grep -c '^up$') == count)); }
wait_for 60 "$count tunnels to be up" all_up
mapfile -t sshds < <(ip netns pids far | while read -r pid; do
	[[ $(cat "/proc/$pid/comm" 2>/dev/null) != sshd ]] || echo "$pid"; done)
kill -KILL "${sshds[@]}"
far_sshd
start=${EPOCHREALTIME/./}
wait_for 60 "$count tunnels to be back" all_up
ok "60 tunnels of one agent are back after $(since_ms "$start") ms"
agent_stop
