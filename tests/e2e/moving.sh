#!/bin/bash
# SPDX-License-Identifier: ISC
# Sessions that open or close during a scan of /proc are not reported as unregistered by revoke,
# doctor, /healthz or /metrics, even when the scan takes long and logins come and go all the time.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

rounds=${TEST_ROUNDS:-3}
enrol=an-enrolment-key-for-the-tests
for name in friend other; do new_key "$name" >/dev/null; done
leasectl grant friend --key "$WORK/friend.pub" --open 127.0.0.1:18080 >/dev/null

note 'with so many processes that a scan of /proc takes long'
exec {crowd}< <(exec python3 -c '
import ctypes, os, signal, sys
for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        os.closerange(0, 3)
        ctypes.CDLL(None).prctl(1, 9)
        signal.pause()
print("ready", flush=True)
signal.pause()' "${TEST_CROWD:-2000}")
at_exit "$!"
crowd_pid=$!
read -r line <&"$crowd"
[[ $line == ready ]] || fail 'no crowd'

note 'others log in and out all the time'
loops=()
logins()
{
	while [[ ! -e $WORK/stop ]]; do
		timeout "$(slow 5)" "${SSH[@]}" -N -T -i "$WORK/friend" -l pfwd "$GATEWAY" </dev/null >/dev/null 2>&1 &
		sleep 0.25
		kill $! 2>/dev/null || :
		wait $! 2>/dev/null || :
	done
}
for _ in {1..4}; do logins & at_exit $!; loops+=($!); done
busy() { (($(grep -c 'tunnel.*\|Accepted publickey for pfwd' "$SANDBOX_LOG") > 4)); }
wait_for 10 'several logins' busy

innocent=0
for ((i = 0; i < rounds; i++)); do
	leasectl grant other --key "$WORK/other.pub" --open 127.0.0.1:18080 >/dev/null
	rc=0
	leasectl revoke other >"$WORK/out" 2>"$WORK/err" || rc=$?
	((rc == 0)) || { innocent=$((innocent + 1)); note "exit $rc: $(cat "$WORK/err")"; }
	health=$(curl -s -o "$WORK/health" -w '%{http_code}' http://127.0.0.1:12000/healthz)
	[[ $health == 200 ]] || { innocent=$((innocent + 1)); note "$health $(cat "$WORK/health")"; }
	strays=$(curl -s -H "X-API-Key: $enrol" http://127.0.0.1:12000/metrics | sed -n 's/^tunlease_unregistered_sessions //p')
	[[ $strays == 0 ]] || { innocent=$((innocent + 1)); note "unregistered_sessions $strays"; }
	((i % 4)) || ! leasectl doctor 2>/dev/null | grep 'in no entry' || innocent=$((innocent + 1))
done
((innocent == 0)) || fail "$innocent times registered sessions were reported as unregistered"
ok "$rounds times: revoke, doctor, /healthz and /metrics report no session as unregistered"
: >"$WORK/stop"
wait "${loops[@]}"
kill "$crowd_pid"

note 'an unregistered session is reported, on a login that was added while leased runs'
leasectl login add team >/dev/null
leasectl setup >/dev/null
leasectl grant stray --login team --key "$WORK/other.pub" --open 127.0.0.1:18080 >/dev/null
module=$(find /usr/lib /lib -name pam_tunnel.so | head -n 1)
mv "$module" "$module.away"
ssh_start "$WORK/other" team '^Authenticated to ' || fail "$(tail -n 3 "$WORK/ssh.err")"
stray=$FWD_PID
mv "$module.away" "$module"
unwell() { [[ $(curl -s -o "$WORK/health" -w '%{http_code}' http://127.0.0.1:12000/healthz) == 503 ]]; }
wait_for 10 '/healthz' unwell
grep -q '1 connections of tunnel logins are in no registry entry' "$WORK/health" || fail "$(cat "$WORK/health")"
[[ $(curl -s -H "X-API-Key: $enrol" http://127.0.0.1:12000/metrics | sed -n 's/^tunlease_unregistered_sessions //p') == 1 ]] || fail '/metrics'
leasectl doctor >"$WORK/out" 2>/dev/null || :
grep -q '1 connection of tunnel logins is in no entry' "$WORK/out" || fail "$(cat "$WORK/out")"
mend=$(sed -n 's/.*connects again, at the latest after: //p' "$WORK/out")
[[ $mend =~ ^kill\ [0-9]+$ && $(ps -o user= -p "${mend#kill }") == team* ]] || fail "doctor's mend is '$mend'"
fwd_stop "$stray"
ok '/healthz, /metrics and doctor report it'
