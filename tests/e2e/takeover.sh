#!/bin/bash
# SPDX-License-Identifier: ISC
# A client that vanished without closing keeps its port until sshd notices. Its successor with the
# same key takes over the port at the first try, again and again, and no other session is touched.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

tries=${TEST_TAKEOVERS:-10}

for name in alice bob both; do new_key "$name" >/dev/null; done
serve_echo 8009
leasectl grant alice --login gw-tunnel --key "$WORK/alice.pub" --listen 20001 >/dev/null
leasectl grant bob --login gw-tunnel --key "$WORK/bob.pub" --listen 20002 >/dev/null
id=$(leasectl --json show alice | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')

fwd_R "$WORK/bob" gw-tunnel 20002:127.0.0.1:8009 || fail 'the session of bob, which must not be touched, does not come up'
bob=$FWD_PID
talk_to 20002; witness=$TALK
untouched() { { kill -0 "$bob" && talks "$witness"; } || fail "$1: the session of another lease on the login does not work any more"; }
sessions() { leasectl sessions alice | cut -f5; }

note "a stopped client, from which the next one takes over, $tries times"
fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail 'the first session does not come up'
for ((i = 1; i <= tries; i++)); do
	# At most about one a second: faster takeovers are refused as a fight of two clients (see
	# below).
	start=${EPOCHREALTIME/./}
	old=$FWD_PID
	talk_to 20001; through_old=$TALK
	talks "$through_old" || fail "$i: the old session carries no data"
	kill -STOP "$old"
	! port_free 20001 || fail "$i: the stopped client lost its port by itself"
	fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail "$i: no takeover at the first try: $(tail -n 3 "$WORK/ssh.err")"
	talk_to 20001; through_new=$TALK
	talks "$through_new" || fail "$i: the new session carries no data"
	[[ $(sessions | wc -l) == 1 ]] || fail "$i: not one session: $(leasectl sessions)"
	untouched "$i"
	exec {through_old}>&- {through_new}>&-
	kill -KILL "$old"
	wait "$old" 2>/dev/null || :
	while ((tries > 50 && ${EPOCHREALTIME/./} - start < 1050000)); do sleep 0.05; done
done
ok "$tries of $tries takeovers at the first try"
count() { grep -c "$1" "$SANDBOX_LOG" || :; }
assert_eq "$(count 'took over login=gw-tunnel lease=alice source=127.0.0.1 from pid [0-9]* source=127.0.0.1')" "$tries" 'each takeover has its line in the log'

note 'no takeover where nothing listens: two sessions with one key live next to each other'
leasectl grant two --key "$WORK/both.pub" --open 8009 >/dev/null
tunnel "$WORK/both" pfwd -L 18001:127.0.0.1:8009; first=$FWD_PID
talk_to 18001; through_first=$TALK
tunnel "$WORK/both" pfwd -L 18002:127.0.0.1:8009
talk_to 18002
{ kill -0 "$first" && talks "$through_first" && talks "$TALK"; } || fail 'one of the two is ended'
assert_eq "$(leasectl sessions two | wc -l)" 2 'two sessions'

note 'two clients that fight: the 61st takeover within a minute and all that follow are refused, and logged once'
# prefill writes takeovers into the lease's lock file, where they are counted
# (lib/session/takeovers.c).
monotonic_ms() { python3 -c 'import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000000)'; }
prefill() # COUNT AGE_MS REFUSED_UNTIL
{
	local now; now=$(monotonic_ms)
	{ printf '%s' "$3"; for ((n = 0; n < $1; n++)); do printf ' %s' $((now - $2 + n)); done; echo; } >"/run/tunlease/lock/$id"
}
damped='two clients use its key'
prefill 59 1000 0
fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail 'the 60th takeover is refused'
holder=$FWD_PID
talk_to 20001; held=$TALK
assert_eq "$(count "$damped")" 0 'the 60th takeover is admitted'
for _ in 1 2 3; do
	! fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail 'one more takeover is admitted'
done
{ kill -0 "$holder" && talks "$held"; } || fail 'a login that is refused ends the session that has the port'
assert_eq "$(count "$damped")" 1 'one line in the log for all that are refused'
untouched 'a fight'
! fwd_R "$WORK/alice" gw-tunnel 20003:127.0.0.1:8009 || fail 'a port that the lease does not permit is bound'
note 'after the pause, and when the takeovers are older than a minute, the next one is admitted'
prefill 60 1000 $(($(monotonic_ms) + 20000))
! fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail 'admitted within the pause'
prefill 60 70000 $(($(monotonic_ms) - 1))
fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail 'refused after the pause'
wait_for 5 'the older session to end' is_gone "$holder"
for junk in '' '0' 'x' '0 1 2' "$(printf '%5000s' 9)"; do
	printf '%s' "$junk" >"/run/tunlease/lock/$id"
	fwd_R "$WORK/alice" gw-tunnel 20001:127.0.0.1:8009 || fail "a damaged count refuses the login: '${junk:0:20}'"
done
untouched 'the end'
ok 'refused in a fight, and admitted again'
