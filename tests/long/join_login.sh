#!/bin/bash
# SPDX-License-Identifier: ISC
# Connections of JoinLogin by the clock: those that run no command, one that runs it, and a master that
# runs it again and again are each ended 30 seconds after they were opened, over a restart of leased
# too. While leased is stopped sshd's own limits end them, where it has such limits.
# sandbox: --leased
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"

key=$(new_key friend)
echo 'JoinLogin join' >>/etc/tunlease/tunlease.conf
leasectl setup --join >"$WORK/setup" 2>&1 </dev/null || cat "$WORK/setup"
dropin=/etc/ssh/sshd_config.d/20-tunlease.conf
cp "$dropin" "$WORK/dropin"
restart_leased()
{
	kill "$(cat /run/leased.pid)"
	wait_for 10 'leased to end' port_free 12000
	leased </dev/null >/run/leased.out 2>&1 &
	echo $! >/run/leased.pid
	at_exit $!
	wait_for 10 'leased to start' curl -s -o /dev/null --max-time 1 http://127.0.0.1:12000/healthz
}
restart_leased
leasectl invite alice --open 8009 --valid 1h >/dev/null
alive() { local e; for e in /run/tunlease/join/sessions/1.*; do [[ ! -e $e ]] || is_gone "${e##*.}" || echo "${e##*.}"; done; }
stand() { [[ $(alive | wc -l) == "$1" ]]; }
none() { stand 0; }
hold() { # SOURCE OPTION...: ssh in the background
	local source=$1; shift
	"${SSH[@]}" -T -i "$key" -b "$source" "$@" -l join "$GATEWAY" </dev/null >/dev/null 2>&1 &
	at_exit $!
}
# ended FROM TO WHAT: all that stand are ended between FROM and TO seconds after start_us.
ended()
{
	local took_ms
	wait_for "$2" "$3: all to be ended" none
	took_ms=$(((${EPOCHREALTIME/./} - start_us) / 1000))
	((took_ms >= $1 * 1000 && took_ms <= $(slow $(($2 * 1000))))) || fail "$3: ended after $took_ms ms"
	ok "$3: ended after $took_ms ms"
}

note 'sshd ends what is idle, where it can; here leased alone shall'
sed -i '/UnusedConnectionTimeout\|ChannelTimeout/d' "$dropin"
reload_sshd
start_us=${EPOCHREALTIME/./}
for source in 127.0.0.{2..4}; do for _ in 1 2 3 4; do hold "$source" -N; done; done
hold 127.0.0.5 -M -S "$WORK/master" -N
"${SSH[@]}" -T -i "$key" -b 127.0.0.6 -l join "$GATEWAY" < <(sleep 60) >/dev/null 2>&1 & at_exit $!
wait_for 15 'fourteen to stand' stand 14
# The master asks for the program again and again.
while [[ -S $WORK/master ]]; do timeout 5 ssh -S "$WORK/master" -l join "$GATEWAY" WRONG-CODE </dev/null >/dev/null 2>&1 || :; sleep 1; done & at_exit $!
ended 25 35 'idle, running, a master'
[[ $(grep -c 'leased.*ended login=join ' "$SANDBOX_LOG") -ge 13 ]] || fail 'not all of them by leased'

note 'a restart of leased in between gives nobody more time'
start_us=${EPOCHREALTIME/./}
hold 127.0.0.2 -N
wait_for 15 'one to stand' stand 1
sleep 15
restart_leased
ended 28 35 'over a restart'

note 'leased is stopped'
cp "$WORK/dropin" "$dropin"
reload_sshd
kill "$(cat /run/leased.pid)"
wait_for 10 'leased to end' port_free 12000
start_us=${EPOCHREALTIME/./}
hold 127.0.0.2 -N
wait_for 15 'one to stand' stand 1
if grep -q UnusedConnectionTimeout "$dropin"; then
	ended 9 30 'by UnusedConnectionTimeout'
else
	sleep 35
	stand 1 || fail 'it was ended, and nobody is there who would'
	ok 'it stands, as pam_tunnel(8) says'
fi
