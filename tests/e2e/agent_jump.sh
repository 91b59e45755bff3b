#!/bin/bash
# SPDX-License-Identifier: ISC
# tunnel-agent -J: a helper has the connection, and ssh itself has only pipes. Tunnels are kept up, found
# dead and cleaned up as without a jump host.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/agent_lib.sh"

# The hub and the host behind it are two addresses of the far side; only the hub's is routed to us.
FAR_SSHD_EXTRA='ListenAddress 10.98.0.1'
far_link
ip -n far addr add 10.98.0.1/32 dev lo
far_host
far_serve 8009
far_sink 8010
sed "s/^$FAR/$FAR,10.98.0.1/" -i "$WORK/far/known_hosts"
conf=$(quick)
mkdir -p /root/.ssh
for host in "hub $FAR" 'inner 10.98.0.1'; do
	printf 'Host %s\n HostName %s\n' "${host% *}" "${host#* }"
	printf ' User root\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n' "$FAR_KEY" "$WORK/far/known_hosts"
done >/root/.ssh/config
# Settings that would make the hub's ssh a master that stays, or send it into the background.
printf '%s\n' 'Host *' ' ControlMaster auto' " ControlPath $WORK/master-%C" ' ControlPersist yes' ' ForkAfterAuthentication yes' \
	' ClearAllForwardings yes' >>/root/.ssh/config
all_ssh() { pgrep -x ssh; }
no_ssh() { ! all_ssh >/dev/null; }

agent -c "$conf" -J hub -N -L 18009:127.0.0.1:8009 -L 18010:127.0.0.1:8010 --probe http:/ inner
wait_for 8 'up through the hub' is inner up
wait_for 3 'data through the hub' answers http://127.0.0.1:18009/ 8009
! ping -c 1 -W 1 10.98.0.1 >/dev/null 2>&1 || fail 'the inner host is reached without the hub'
(($(all_ssh | wc -l) == 2)) || fail "one ssh and its helper, not $(all_ssh | wc -l)"

ssh=$(ssh_of)
if slow_link latency 15s; then
	upload 18010
	wait_for 20 'the full line to be seen' is inner suspect
	sleep 6
	assert_eq "$(ssh_of) $(field inner restarts)" "$ssh 0" 'a line that an upload fills does not count as dead'
	kill "$UPLOAD"
	slow_link_end
	wait_for 30 'answers again' is inner up
else
	note 'this kernel has no tbf qdisc: a full line is not tried'
fi

cut_link
wait_for 8 'the dead path to be found' gone "$ssh"
heal_link
wait_for 10 'data after healing' answers http://127.0.0.1:18009/ 8009
wait_for 3 'up' is inner up
(($(all_ssh | wc -l) == 2)) || fail "left over: $(all_ssh | wc -l) of ssh"
ok 'found dead, and nothing of the old ssh is left'
agent_stop
wait_for 3 'no ssh after SIGTERM' no_ssh
agent -c "$conf" -J hub -L 18009:127.0.0.1:8009 inner
wait_for 8 'up' is inner up
kill -KILL "$AGENT"
wait_for 3 'no ssh after SIGKILL' no_ssh
ok 'neither ssh nor its helper is left'
agent -c "$conf" -J hub -L 18009:127.0.0.1:8009 inner
wait_for 8 'up' is inner up
agent_stop
[[ -z $(ls -A "$STATE_DIR/run") ]] || fail "what a killed agent left was not removed: $(ls "$STATE_DIR/run")"
