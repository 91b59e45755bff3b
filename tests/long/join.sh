#!/bin/bash
# SPDX-License-Identifier: ISC
# The floods of attack/join in full: 200 idle connections, a master that tries codes until it is ended, and leased
# killed at 60 moments of a joining. TEST_JOIN_KILLS gives another number. 10,000 wrong codes: long/join_flood.
# sandbox:
# timeout: 5400
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_lib.sh"

kills=${TEST_JOIN_KILLS:-60}
sources=50
new_key stranger >/dev/null
stranger=$WORK/stranger
join_gateway

# friend NAME: a new key joins with CODE; how long it took is in TOOK_MS. A flood of more logins than this machine
# can keep up with may end the connection before it is done: then he runs the line again, as a person would.
again=0
friend()
{
	local rc start_ms=$((${EPOCHREALTIME/[.,]/} / 1000))
	[[ -e $WORK/$1 ]] || new_key "$1" >/dev/null
	while :; do
		rc=0
		"${JOIN_SSH[@]}" -i "$WORK/$1" "join@$GATEWAY" "$CODE" </dev/null >"$WORK/out" 2>"$WORK/err" || rc=$?
		((rc == 255)) || break
		grep -qE 'closed by remote host|Broken pipe|reset by' "$WORK/err" || break
		again=$((again + 1))
	done
	((rc == 0)) || fail "joining exits $rc: $(cat "$WORK/err")"
	TOOK_MS=$((${EPOCHREALTIME/[.,]/} / 1000 - start_ms))
}

note '200 idle connections'
invite friend --open 8009 # an invite is open, or sshd refuses all of them
for ((i = 0; i < 200; i++)); do
	"${SSH[@]}" -b "127.0.1.$((i % sources + 1))" -N -T -i "$stranger" "join@$GATEWAY" </dev/null >/dev/null 2>&1 &
	at_exit "$!"
done
idle=$(($(find /run/tunlease/join -type f -name '*.*' | wc -l)))
friend friend
note "a friend joins beside $idle of them in $TOOK_MS ms; $again times he was ended before"
wait_for 60 'all of them to end' nobody_joins
ok '200 idle connections end, and a friend joins meanwhile'

note 'a master that tries a hundred codes'
invite held --open 8009
"${SSH[@]}" -M -S "$WORK/master" -N -T -i "$stranger" "join@$GATEWAY" </dev/null 2>"$WORK/master.err" &
at_exit "$!"
wait_for 5 'the master' test -S "$WORK/master"
tries=0
while ((tries < 100)); do
	rc=0
	ssh -F none -S "$WORK/master" -o ProxyCommand=false "join@$GATEWAY" "AAAA-BBBB-CCCC-DDDD" </dev/null >"$WORK/out" 2>"$WORK/err" || rc=$?
	# The session before may not be closed yet, and there is one at a time.
	((rc != 3)) || tries=$((tries + 1))
	ssh -F none -S "$WORK/master" -O check "join@$GATEWAY" 2>/dev/null || break
done
((tries > 0 && tries <= 31)) || fail "$tries codes through one connection"
ok "its connection was ended after $tries codes"

note "leased killed at $kills moments"
for ((i = 1; i <= kills; i++)); do
	invite "killed$i" --open 8009
	new_key "killed$i" >/dev/null
	"${JOIN_SSH[@]}" -i "$WORK/killed$i" "join@$GATEWAY" "$CODE" </dev/null >"$WORK/out" 2>"$WORK/err" &
	client=$!
	sleep "0.$(printf %03d $((i * 300 / kills)))"
	kill -KILL "$LEASED"
	wait "$client" || :
	wait_for 5 'leased is gone' is_gone "$LEASED"
	leased_starts
	open=no lease=no
	! invite_open "killed$i" || open=yes
	! leasectl show "killed$i" >/dev/null 2>&1 || lease=yes
	[[ $open != "$lease" ]] || fail "killed after $((i * 300 / kills)) ms: invite open: $open, lease: $lease"
	friend "killed$i"
	leasectl revoke "killed$i" >/dev/null
done
ok 'spent with the lease there, or not spent, and the same line joins'
