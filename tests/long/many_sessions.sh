#!/bin/bash
# SPDX-License-Identifier: ISC
# 1,100 sessions, for which a program needs two descriptors each: leasectl and leased end them all,
# with the usual limit of 1024 descriptors and with a low one. With hidepid leased cannot see them,
# and does not end them.
# sandbox: --leased
# timeout: 600
set -eu
. "$TOP/tests/lib.sh"

sessions=${TEST_SESSIONS:-1100}
enrol=an-enrolment-key-for-the-tests
api=http://127.0.0.1:12000/
runuser -u _tunlease -- "$TOP/build/tests/fill" --agents 30000 /var/lib/tunlease/leases.db "$sessions" gw-tunnel >/dev/null
start_crowd()
{
	local fd line=''
	exec {fd}< <(exec "$TOP/build/tests/crowd" /var/lib/tunlease/leases.db /run/tunlease "$sessions" 61000 61000)
	crowd=$!
	at_exit "$crowd"
	read -r -t "$(slow 120)" line <&"$fd" || :
	exec {fd}<&-
	[[ $line == ready ]] || fail 'the sessions did not start'
	assert_eq "$(children)" "$sessions" 'sessions are up'
}
children() { pgrep -u nobody -P "$(pgrep -d, -P "$crowd")" -c 2>/dev/null || :; }
none_is_up() { [[ $(children) == 0 ]]; }
metric() { curl -s -H "X-API-Key: $enrol" "${api}metrics" | sed -n "s/^tunlease_$1 //p"; }
metric_is() { [[ $(metric "$1") == "$2" ]]; }
stop_leased() {
	kill -TERM "$(cat /run/leased.pid)"
	wait_for 10 'leased to stop' is_gone "$(cat /run/leased.pid)"
}
set_expiry() {
	python3 -c '
import sqlite3, sys
db = sqlite3.connect("/var/lib/tunlease/leases.db", timeout=10)
db.execute("UPDATE lease SET expires_s = %s WHERE login = ?" % sys.argv[1], ("gw-tunnel",))
db.commit()' "$1"
}
answers() { curl -s -o /dev/null --max-time "$(slow 5)" "${api}healthz"; }
start_leased() {
	(ulimit -n "$1"; exec leased </dev/null) >/run/leased.out 2>&1 &
	leased=$!
	echo "$leased" >/run/leased.pid
	at_exit "$leased"
	wait_for 20 "leased to answer: $(cat /run/leased.out)" answers
}

stop_leased
for limit in 1024 64; do
	note "leasectl alone, $limit descriptors"
	start_crowd
	rc=0
	(ulimit -n "$limit"; leasectl freeze gw-tunnel) >"$WORK/out" 2>"$WORK/err" || rc=$?
	tail -n 2 "$WORK/out" "$WORK/err"
	assert_eq "$rc" 0 'exit status'
	grep -q "^ended $sessions sessions in" "$WORK/out" || fail "$(cat "$WORK/out" "$WORK/err")"
	assert_eq "$(children)" 0 'no session is up'
	kill "$crowd"
	leasectl thaw gw-tunnel >/dev/null
done
for limit in 1024 64; do
	note "leased, $limit descriptors"
	start_leased "$limit"
	start_crowd
	wait_for 20 'leased to see all sessions' metric_is sessions "$sessions"
	start=$EPOCHREALTIME
	set_expiry "created_s"
	wait_for 60 'all sessions to end' none_is_up
	note "in $(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
	wait_for 10 'leased to count no session' metric_is sessions 0
	(($(grep -c 'cannot end pid' "$SANDBOX_LOG" || :) == 0)) || fail "$(grep 'cannot end pid' "$SANDBOX_LOG" | tail -n 3)"
	set_expiry "created_s + 8640000"
	kill "$crowd"
	stop_leased
done

for hidepid in 1 2 4; do
	note "hidepid=$hidepid"
	mount -o "remount,hidepid=$hidepid" /proc
	start_leased 1024
	start_crowd
	wait_for 20 'leased to count all as unseen' metric_is sessions_unseen "$sessions"
	set_expiry "created_s"
	wait_for 20 'leased to count all as overdue' metric_is sessions_overdue "$sessions"
	sleep 1
	assert_eq "$(children)" "$sessions" 'all sessions are still up'
	expect_exit 0 leasectl freeze gw-tunnel
	grep -q "^ended $sessions sessions in" "$WORK/out" || fail "$(cat "$WORK/out" "$WORK/err")"
	leasectl thaw gw-tunnel >/dev/null
	set_expiry "created_s + 8640000"
	kill "$crowd"
	stop_leased
done
ok 'with hidepid leasectl, as root, ends them; leased does not'
