#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent on a private host, with its default intervals: the gateway's sshd frozen, restarted, the
# gateway without power for a minute, and the network renumbered under it.
# sandbox:
# timeout: 600
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

far_link
AGENT_IN=(ip netns exec far)
gateway_on_link
in_far python3 -m http.server 8022 --bind 127.0.0.1 --directory /var/empty </dev/null >/dev/null 2>&1 &
at_exit "$!"
reaches() { curl -s -o /dev/null --max-time 1 "http://127.0.0.1:$port/"; }
carries_data() { is gateway up && reaches; }
# All processes of sshd but its listener.
sessions() { pgrep -x sshd | grep -vx "$(cat /run/sshd.pid)"; }

agent -d --endpoint "http://$NEAR:12000" --insecure --api-key "$API" --agent-id db1 --target 127.0.0.1:8022
wait_for 20 'the tunnel to be up' is gateway up
port=$(field gateway port_b)
wait_for 5 'data through the reverse tunnel' reaches

# ---- the sshd of this session is frozen, its listener is not: found dead, and taken over ----
ssh=$(ssh_of)
mapfile -t frozen < <(sessions)
((${#frozen[@]} == 2)) || fail "a session is two processes of sshd, not ${#frozen[@]}"
kill -STOP "${frozen[@]}"
start=${EPOCHREALTIME/./}
wait_for 25 'the frozen sshd to be found' gone "$ssh"
note "the frozen sshd was found after $(since_ms "$start") ms"
wait_for 10 'data, from a login that takes over' carries_data
ok "sshd frozen: data again after $(since_ms "$start") ms"
kill -CONT "${frozen[@]}" 2>/dev/null || :
wait_for 10 'the frozen session to be gone' gone "${frozen[0]}"
wait_for 10 'the frozen session to be gone' gone "${frozen[1]}"
reaches || fail 'the old session took the port with it'

# ---- sshd is restarted: its sessions live on ----
ssh=$(ssh_of)
restarts=$(field gateway restarts)
listener=$(cat /run/sshd.pid)
kill "$listener"
wait_for 5 'sshd to end' gone "$listener"
sleep 15
gateway_sshd
sleep 15
reaches || fail 'no data after a restart of sshd'
assert_eq "$(ssh_of) $(field gateway restarts)" "$ssh $restarts" 'sshd restarted: the same ssh'

# ---- no power for a minute: no connection is closed, and /run is empty afterwards ----
wait_for 30 'all to be well' carries_data
http=$(pgrep -P "$LEASED")
ip link set near0 down
mapfile -t all < <(pgrep -x sshd; echo "$LEASED"; echo "$http")
kill -KILL "${all[@]}"
start=${EPOCHREALTIME/./}
for pid in "${all[@]}"; do wait_for 5 "$pid to be gone" gone "$pid"; done
# This kernel would still answer for their sockets; that of a host without power does not.
ss -K -Htn "src $NEAR" >/dev/null 2>&1 || :
rm -rf /run/tunlease /run/sshd.pid
sleep 60
is gateway connecting || fail "$(field gateway state) after a minute without the gateway"
systemd-tmpfiles --create /usr/lib/tmpfiles.d/tunlease.conf
ip link set near0 up
gateway_sshd
gateway_leased
start=${EPOCHREALTIME/./}
wait_for 15 'data after the reboot' reaches
took_ms=$(since_ms "$start")
((took_ms < 10000)) || fail "data only $took_ms ms after the gateway was back"
wait_for 20 'a heartbeat to the new leased' service_is gateway ok
assert_eq "$(field gateway port_b)" "$port" 'the same port'
[[ $(leasectl --json sessions | python3 -c 'import json, sys; print(len(json.load(sys.stdin)))') == 1 ]] ||
	fail 'the new registry does not hold exactly this session'
ok "rebooted: data $took_ms ms after the gateway was back"

# ---- renumbered: the private host has another address, and no TCP connection is told ----
wait_for 30 'all to be well' carries_data
ip -n far addr del "$FAR/24" dev far0
ip -n far addr add 10.99.0.7/24 dev far0
start=${EPOCHREALTIME/./}
carries_data_anew() { [[ $(ss -Htn state established "dst 10.99.0.7") ]] && reaches; }
wait_for 35 'data from the new address' carries_data_anew
ok "renumbered: data again after $(since_ms "$start") ms"
agent_stop
