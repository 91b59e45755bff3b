#!/bin/bash
# SPDX-License-Identifier: ISC
# A session whose processes cannot be seen is not taken for closed, and is not ended: when /proc hides
# them, in another pid namespace, and without enough descriptors to look.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in alice one many; do new_key "$name" >/dev/null; done
serve_echo 8009
registry=/run/tunlease/sessions
pid_of() { leasectl sessions "$1" | cut -f5; }
next_entry() { [[ -n $(find "$registry" -name "$one_id.*" ! -name "*.$monitor") ]]; }
leasectl grant alice --login gw-tunnel --key "$WORK/alice.pub" --listen 20001 >/dev/null
leasectl grant one --key "$WORK/one.pub" --open 8009 --max-sessions 1 >/dev/null
one_id=$(leasectl --json show one | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
# Runs akc for the key of `one`, as sshd does.
read -r key_type key_blob _ <"$WORK/one.pub"
akc() { setpriv --reuid=_tunlease-akc --regid="$(id -g _tunlease-akc)" --init-groups /usr/libexec/tunlease/akc pfwd "$key_type" "$key_blob"; }
akc_refuses()
{
	local out
	out=$(akc) || fail "$1: akc fails: $(tail -n 2 "$SANDBOX_LOG")"
	assert_eq "$out" '' "$1: akc refuses one more"
}
akc_admits() { [[ $(akc) == *ssh-ed25519* ]] || fail "$1: akc refuses: $(tail -n 2 "$SANDBOX_LOG")"; ok "$1: akc admits"; }
# A user who may read the registry and sees only his own processes.
as_reader() { setpriv --reuid=_tunlease --regid=_tunlease --init-groups "$@"; }
entries() { find "$registry" -name "$1.*" | wc -l; }
has_entry() { (($(entries "$1") > 0)); }
no_entry() { (($(entries "$1") == 0)); }

for hidepid in 0 1 2 4; do
	note "hidepid=$hidepid"
	mount -o "remount,hidepid=$hidepid" /proc
	tunnel "$WORK/one" pfwd -L 18001:127.0.0.1:8009; client=$FWD_PID
	wait_for 5 'the session' has_entry "$one_id"
	akc_refuses 'one is up'
	assert_eq "$(as_reader leasectl sessions one 2>/dev/null | cut -f1)" one 'a reader lists it'
	# Root sees everything: takeover and kill work as always.
	fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail "alice: $(tail -n 3 "$WORK/ssh.err")"
	older=$FWD_PID
	fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail "alice does not take over: $(tail -n 3 "$WORK/ssh.err")"
	wait_for 5 'the older one to end' is_gone "$older"
	leasectl kill alice >/dev/null
	port_free 20001 || fail 'its port is bound after the kill'
	# A monitor that is killed leaves its child, and the entry.
	monitor=$(pid_of one)
	child=$(pgrep -P "$monitor")
	kill -KILL "$monitor"
	wait_for 5 'the monitor to end' is_gone "$monitor"
	akc_refuses 'its monitor was killed, its child lives'
	as_reader leasectl sessions one >"$WORK/out" 2>"$WORK/err" || fail "$(cat "$WORK/err")"
	assert_eq "$(cut -f1 "$WORK/out")" one 'a reader lists the child'
	kill -KILL "$child"
	wait_for 5 'the child to end' is_gone "$child"
	assert_eq "$(entries "$one_id")" 1 'its entry is left'
	akc_admits 'its processes are gone'
	assert_eq "$(as_reader leasectl sessions one 2>/dev/null)" '' 'no reader lists it'
	assert_eq "$(entries "$one_id")" 1 'and no reader removes the entry'
	tunnel "$WORK/one" pfwd -L 18001:127.0.0.1:8009 || fail 'no login despite the entry of a dead session'
	wait_for 5 'the next session' next_entry
	assert_eq "$(entries "$one_id")" 1 'a login removes it'
	fwd_stop; fwd_stop "$client"
	wait_for 5 'the entry to go' no_entry "$one_id"
done
mount -o remount,hidepid=0 /proc

note 'from a container with its own pid namespace and our RunDir'
tunnel "$WORK/one" pfwd -L 18001:127.0.0.1:8009; client=$FWD_PID
talk_to 18001
wait_for 5 'the session' has_entry "$one_id"
inside() { unshare --pid --fork --mount-proc "$@"; }
assert_eq "$(inside leasectl sessions one | cut -f1,6,7)" $'one\t?\t?' 'it is listed'
[[ $(inside leasectl --json sessions one) == *'"seen":false'* ]] || fail 'it is listed as seen'
expect_exit 6 inside leasectl kill one
grep -q 'cannot end 1 session .*: it is of another pid namespace' "$WORK/err" || fail "$(cat "$WORK/err")"
assert_eq "$(entries "$one_id")" 1 'its entry stays'
talks "$TALK" || fail 'the session was ended'
akc_refuses 'it is up'
# And with an sshd in that container.
fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail "alice: $(tail -n 3 "$WORK/ssh.err")"
talk_to 20001; through_alice=$TALK
setsid unshare --pid --fork --kill-child --mount-proc "${SSHD:-/usr/sbin/sshd}" -D -p 2202 -o PidFile=/run/inner.pid &
at_exit $!
wait_for 5 'an sshd in a container' test -s /run/inner.pid
inner() # KEY LOGIN WORDS: logs in to that sshd, and waits for WORDS in the log
{
	local lines; lines=$(wc -l <"$SANDBOX_LOG")
	"${SSH[@]}" -N -T -p 2202 -o HostKeyAlias=gateway.test -i "$WORK/$1" -l "$2" "$GATEWAY" </dev/null >/dev/null 2>&1 &
	at_exit $!
	said() { tail -n "+$lines" "$SANDBOX_LOG" | some_line "$1"; }
	wait_for 5 "$3" said "$3"
}
inner one pfwd 'reason=sessions lease=one'
inner alice gw-tunnel 'opened login=gw-tunnel lease=alice'
talks "$through_alice" || fail 'a login in the container ended a session that it cannot see'
assert_eq "$(leasectl sessions alice 2>/dev/null | cut -f6 | sed 's/ .*//' | sort | tr '\n' ' ')" '127.0.0.1:20001 ? ' 'both sessions are listed, and told apart'
leasectl kill one >/dev/null
fwd_stop "$client"

note 'with too few descriptors for all sessions at the same time'
leasectl grant many --key "$WORK/many.pub" --open 8009 >/dev/null
clients=()
for i in 1 2 3 4 5 6 7 8; do
	tunnel "$WORK/many" pfwd -L "1810$i:127.0.0.1:8009" || fail "$i: no login"
	clients+=("$FWD_PID")
done
all_up() { (($(leasectl sessions many | wc -l) == 8)); }
wait_for 5 'eight sessions' all_up
monitors=$(pid_of many)
(ulimit -n 16; expect_exit 0 leasectl revoke many)
grep -q '^ended 8 sessions' "$WORK/out" || fail "$(cat "$WORK/out")"
for pid in $monitors; do no_children "$pid" || fail "$pid: reported as ended, but up"; done
assert_eq "$(leasectl sessions many)" '' 'no session is left'

note 'leased, started as root, removes entries of dead sessions'
tunnel "$WORK/one" pfwd -L 18001:127.0.0.1:8009
wait_for 5 'the session' has_entry "$one_id"
monitor=$(pid_of one)
kill -KILL "$monitor" "$(pgrep -P "$monitor")"
wait_for 5 'the monitor to end' is_gone "$monitor"
assert_eq "$(entries "$one_id")" 1 'an entry is left'
/usr/sbin/leased -D -u >"$WORK/leased.out" 2>&1 &
at_exit $!
wait_for 5 'the entry to go' no_entry "$one_id"
