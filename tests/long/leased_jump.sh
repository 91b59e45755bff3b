#!/bin/bash
# SPDX-License-Identifier: ISC
# The clock is set beyond the end of a lease that has a live session: leased ends the session at its
# next check of all sessions. After the clock is set back, a new session lives. Only leased sees
# this clock (clock_shift.so).
# sandbox:
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"

set_clock() { printf '%+030d %+030d  ' "$1" 0 1<>"$WORK/shift"; }
chmod 0755 "$WORK"
set_clock 0
truncate -s 64 "$WORK/shift"
CLOCK_SHIFT_FILE=$WORK/shift LD_PRELOAD=$TOP/build/tests/clock_shift.so leased </dev/null >"$WORK/out" 2>&1 & at_exit $!
up() { curl -s -o /dev/null --max-time 1 http://127.0.0.1:12000/healthz; }
wait_for 5 'leased answers' up
serve 8022
new_key alice >/dev/null
expect_exit 0 leasectl grant alice --key "$WORK/alice.pub" --open 8022 --for 1d
connect() { fwd_L "$WORK/alice" pfwd 18022:127.0.0.1:8022 || fail "$(tail -n 3 "$WORK/ssh.err")"; }
connect
sleep 1
set_clock $((2 * 86400))
start=$SECONDS
wait_for 12 'the session to end' is_gone "$FWD_PID"
wait_log 5 'leased.*ended login=pfwd lease=alice reason=expired'
note "ended $((SECONDS - start)) s after the clock was set"
wait_log 5 'leased.*the clock jumped by_s=17'
set_clock 0
sleep 11
connect
sleep 11
kill -0 "$FWD_PID" || fail 'the clock is set back, and the new session was ended'
assert_eq "$(fetch http://127.0.0.1:18022/)" 'hello from 8022' 'clock set back: the lease works as before'
