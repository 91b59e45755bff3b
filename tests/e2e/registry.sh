#!/bin/bash
# SPDX-License-Identifier: ISC
# However a session ends, the next reader of the registry finds no entry of it. An entry that names
# a process that is no session has no effect on that process. Two logins at the same moment are
# counted one after the other.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in alice bob one; do new_key "$name" >/dev/null; done
serve_echo 8009
lease_id() { leasectl --json show "$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])'; }
leasectl grant alice --login gw-tunnel --key "$WORK/alice.pub" --listen 20001 >/dev/null
leasectl grant bob --login gw-tunnel --key "$WORK/bob.pub" --listen 20002 >/dev/null
printf 'Match User gw-tunnel\n    ClientAliveInterval 1\n    ClientAliveCountMax 2\nMatch all\n' >/etc/ssh/sshd_config.d/05-alive.conf
reload_sshd
alice_id=$(lease_id alice)
registry=/run/tunlease/sessions

fwd_R "$WORK/bob" gw-tunnel 20002:127.0.0.1:8009 || fail 'the session of bob, which must not be touched, does not come up'
bob=$FWD_PID
bob_pid=$(leasectl sessions bob | cut -f5)
talk_to 20002; witness=$TALK
untouched() { { kill -0 "$bob" && talks "$witness"; } || fail "$1: another session does not work any more"; }

# connect_alice: makes a session of alice; sets the pids client, monitor and child.
connect_alice()
{
	fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail "alice: $(tail -n 3 "$WORK/ssh.err")"
	client=$FWD_PID
	monitor=$(leasectl sessions alice | cut -f5)
	child=$(pgrep -P "$monitor")
}
group_answers() { kill -0 -- "-$monitor" 2>/dev/null; }
group_silent() { ! group_answers; }
both_gone() { is_gone "$monitor" && is_gone "$child"; }
assert_ended() # WHAT: when its last process is gone, the session is not listed and its entry is removed
{
	wait_for 15 "$1: the session to end" both_gone
	# A zombie still counts as a member of its process group, until its parent reaps it.
	wait_for 15 "$1: the process group to be silent" group_silent
	assert_eq "$(leasectl sessions alice)$(leasectl sessions --port 20001)" '' "$1: not listed"
	assert_eq "$(find "$registry" -name '*[0-9]' -printf '%f ')" "$(lease_id bob).$bob_pid " "$1: no entry is left"
	port_free 20001 || fail "$1: the port is bound"
	untouched "$1"
	kill -CONT "$client" 2>/dev/null || :
	fwd_stop "$client"
}
assert_alive() # WHAT
{
	assert_eq "$(leasectl sessions alice | cut -f5,6 | sed 's/ .*//')" "$monitor"$'\t'127.0.0.1:20001 "$1: listed, with its port"
	talk_to 20001
	talks "$TALK" || fail "$1: no data"
	exec {TALK}>&-
	untouched "$1"
}

note 'every way in which a session ends'
for how in 'TERM client' 'KILL client' 'STOP client' 'TERM monitor' 'HUP monitor' 'INT monitor' 'TERM child' 'KILL child'; do
	connect_alice
	assert_alive "before $how"
	declare -n whom=${how#* }
	kill -"${how% *}" "$whom"
	assert_ended "$how"
done

note 'SIGKILL to the monitor: its child, an orphan, lives on, and is still listed and ended as a session'
for how in 'kill alice' 'kill --pid' 'revoke alice' login 'TERM client' 'KILL child'; do
	connect_alice
	kill -KILL "$monitor"
	wait_for 5 'the monitor to end' is_gone "$monitor"
	kill -0 "$child" || fail 'the child ended with its monitor'
	# By this the registry knows an orphan: sshd's monitor leads a process group, and its child
	# stays in it.
	group_answers || fail 'the process group of an orphan does not answer'
	assert_alive 'an orphan'
	case $how in
	login)
		orphan=$child orphan_client=$client
		connect_alice
		is_gone "$orphan" || fail 'a new login does not end the orphan'
		assert_alive 'after a takeover from an orphan'
		fwd_stop "$orphan_client"
		kill "$client" ;;
	*client|*child)
		declare -n whom=${how#* }
		kill -"${how% *}" "$whom" ;;
	*)
		words=$how
		[[ $how != *--pid ]] || words+=" $monitor"
		# shellcheck disable=SC2086
		expect_exit 0 leasectl $words
		grep -q '^ended 1 session in' "$WORK/out" || fail "$how: $(cat "$WORK/out")"
		is_gone "$child" || fail "$how: the orphan is still there" ;;
	esac
	assert_ended "an orphan, $how"
	[[ $how != revoke* ]] || {
		leasectl grant alice --login gw-tunnel --key "$WORK/alice.pub" --listen 20001 >/dev/null
		alice_id=$(lease_id alice)
	}
done

note 'sshd reloaded, stopped and started again'
connect_alice
reload_sshd
assert_alive 'reload'
listener=$(cat /run/sshd.pid)
kill "$listener"
wait_for 5 'sshd to stop' is_gone "$listener"
assert_alive 'sshd stopped'
"${SSHD:-/usr/sbin/sshd}"
assert_alive 'sshd started'
kill -TERM "$client"
assert_ended 'after a restart of sshd'

note 'many entries of sessions that were killed'
python3 - "$alice_id" "$(id -u gw-tunnel)" "$(getent group _tunlease | cut -d: -f3)" <<'END'
import os, sys
lease, uid, group = (int(a) for a in sys.argv[1:])
for pid in range(3000000, 3000300):
    for which, state in ((lease, "open"), (0, "opening")):
        path = f"/run/tunlease/sessions/{which}.{pid}"
        with open(path, "w") as f:
            f.write(f"v 1\npid {pid}\nstart_ticks 5\nlease_id {which}\nlease alice\nlogin gw-tunnel\nuid {uid}\n"
                    f"fingerprint f\nsource 192.0.2.1\nsince_s 1795802400\nstate {state}\n")
        os.chown(path, 0, group)
        os.chmod(path, 0o640)
END
python3 -c '
import os, time
for _ in range(500):
    if os.fork() == 0:
        time.sleep(30)
        os._exit(0)
time.sleep(30)' & crowd=$!
at_exit "$crowd"
sleep 0.5
before_ms=$(($(date +%s%N) / 1000000))
connect_alice
note "a login next to 600 entries of dead sessions: $(($(date +%s%N) / 1000000 - before_ms)) ms"
assert_eq "$(find "$registry" -name "*.3000???" | wc -l)" 0 'leasectl sessions clears them all'
kill -TERM "$client"
assert_ended 'next to entries of dead sessions'
kill "$crowd"

note 'a forged entry'
sleep 300 & bystander=$!
at_exit $bystander
setpriv --reuid=gw-tunnel --regid=_tunnel --clear-groups sleep 300 & own=$!
at_exit $own
start_of() { sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; }
# forge NAME PID START: writes an entry of alice's lease
forge()
{
	printf '%s\n' 'v 1' "pid $2" "start_ticks $3" "lease_id $alice_id" 'lease alice' 'login gw-tunnel' \
		"uid $(id -u gw-tunnel)" "fingerprint $(ssh-keygen -lf "$WORK/alice.pub" | cut -d' ' -f2)" \
		'source 127.0.0.1' "since_s $(date +%s)" 'state open' 'opens ' 'listens 127.0.0.1:20001' >"$registry/$1"
	chmod 0640 "$registry/$1"
	chgrp _tunlease "$registry/$1"
}
unharmed() { { kill -0 $bystander && kill -0 $own; } || fail "$1: a process that is no session was killed"; untouched "$1"; }
forge_entries()
{
	for pid in $bystander $own "$bob_pid" 1; do forge "$alice_id.$pid" "$pid" $(($(start_of "$pid") - 1)); done
	forge "$alice_id.4194000" 4194000 5
}
assert_cleaned() { [[ -z $(find "$registry" -name "$alice_id.*") ]] || fail "$1: left: $(ls "$registry")"; ok "$1: ignored, and cleaned up"; }
forge_entries
chmod o+rx /run/tunlease "$registry"
assert_eq "$(setpriv --reuid=li --regid=_tunlease --clear-groups leasectl sessions 2>/dev/null | cut -f1)" bob 'not listed for a user who may not remove them'
assert_eq "$(find "$registry" -name "$alice_id.*" | wc -l)" 5 'who did not remove them'
assert_eq "$(leasectl sessions | cut -f1)" bob 'not listed for root, who removes them'
unharmed 'sessions'; assert_cleaned sessions
forge_entries
expect_exit 3 leasectl kill alice
unharmed 'kill'; assert_cleaned kill
for pid in $bystander $own; do
	forge_entries
	expect_exit 3 leasectl kill --pid "$pid"
	unharmed 'kill --pid'
done
forge_entries
connect_alice
assert_eq "$(grep -c "took over .*lease=alice .*from pid \($bystander\|$own\|$bob_pid\|1\) " "$SANDBOX_LOG" || :)" 0 'a login takes over from none of them'
unharmed 'a login'
forge_entries
expect_exit 6 leasectl revoke alice      # 6: a process of the login is in no true entry
grep -q "pid $own)" "$WORK/err" || fail "$(cat "$WORK/err")"
assert_eq "$(grep -o '^ended.*session' "$WORK/out")" 'ended 1 session' 'only the true session is ended'
unharmed 'revoke'; assert_cleaned revoke
# The right start time; but the file is of another user, has another pid in its name, is a link, is
# cut off, or is a FIFO.
true_start=$(start_of $bystander)
assert_ignored() { assert_eq "$(leasectl sessions | cut -f1)" bob "$1: not believed"; expect_exit 3 leasectl kill --pid "$bystander"; unharmed "$1"; rm -f "$registry/$alice_id".*; }
forge "$alice_id.$bystander" $bystander "$true_start"; chown li "$registry/$alice_id.$bystander"; assert_ignored 'a file of another user'
forge "$alice_id.4194001" $bystander "$true_start"; assert_ignored 'the name of another pid'
forge "$alice_id.$bystander" $bystander "$true_start"; mv "$registry/$alice_id.$bystander" "$WORK/entry"
ln -s "$WORK/entry" "$registry/$alice_id.$bystander"; assert_ignored 'a link'
head -c 100 "$WORK/entry" >"$registry/$alice_id.$bystander"; assert_ignored 'half an entry'
mkfifo "$registry/$alice_id.$bystander"; assert_ignored 'a fifo'

note 'two logins at the same moment, with --max-sessions 1'
leasectl grant one --key "$WORK/one.pub" --open 8009 --max-sessions 1 >/dev/null
start() # PORT: the client's pid in $STARTED
{
	"${SSH[@]}" -v -N -T -i "$WORK/one" -L "$1":127.0.0.1:8009 -l pfwd "$GATEWAY" </dev/null >/dev/null 2>"$WORK/err.$1" & STARTED=$!
	at_exit $STARTED
}
is_decided() { is_gone "$1" || grep -q 'Remote: .*key options' "$WORK/err.$2"; }
port_carries() { { exec {TALK}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null && talks "$TALK"; }
idle() { [[ -z $(leasectl sessions one) && -z $(pgrep -u pfwd) ]]; }
refused=0
for ((i = 1; i <= 20; i++)); do
	start 18001; a=$STARTED
	start 18002; b=$STARTED
	wait_for 10 'the first login to be decided' is_decided "$a" 18001
	wait_for 10 'the second login to be decided' is_decided "$b" 18002
	n=0
	! port_carries 18001 || n=$((n + 1))
	! port_carries 18002 || n=$((n + 1))
	((n == 1)) || fail "$i: $n of two carry data: $(tail -n 2 "$WORK"/err.1800?)"
	assert_eq "$(leasectl sessions one | wc -l)" 1 "$i: one session" >/dev/null
	fwd_stop "$a"; fwd_stop "$b"
	wait_for 10 'both to be gone' idle
done
refused=$(grep -c 'pam_tunnel.*refused login=pfwd .*: the lease has as many sessions as it may have' "$SANDBOX_LOG" || :)
ok "20 tries, one session each; $refused of the others were admitted by akc and then refused by pam_tunnel"
