#!/bin/bash
# SPDX-License-Identifier: ISC
# e2e/takeover a hundred times; then two real clients with one key that each reconnect at once.
# sandbox:
# timeout: 600
set -eu
TEST_TAKEOVERS=100 "$TOP/tests/e2e/takeover.sh"
. "$TOP/tests/lib.sh"

key=$(new_key fighter)
leasectl grant fighter --login gw-tunnel --key "$key.pub" --listen 20009 >/dev/null
words="refused login=gw-tunnel key=$(ssh-keygen -lf "$key.pub" | cut -d' ' -f2) .*two clients use its key"
count() { grep -c "$1" "$SANDBOX_LOG" || :; }
before=$(count 'took over')
fight()
{
	trap 'kill $! 2>/dev/null; exit' TERM
	while :; do
		"${SSH[@]}" -N -T -i "$key" -R 20009:127.0.0.1:8009 -l gw-tunnel "$GATEWAY" </dev/null >/dev/null 2>&1 &
		wait $! || :
	done
}
fight & a=$!
fight & b=$!
at_exit $a; at_exit $b
damped() { log_has "${words//+/\\+}"; }
wait_for 55 'the takeovers to be refused' damped
fought=$(($(count 'took over') - before))
((fought == 60)) || fail "$fought takeovers before they are refused"
# In the pause one of the two keeps the port, undisturbed.
pid=$(leasectl sessions fighter | cut -f5)
sleep 20
assert_eq "$(leasectl sessions fighter | cut -f5)" "$pid" 'the same session after 20 s'
assert_eq "$(($(count 'took over') - before)) $(count "$words")" '60 1' 'no more takeovers, and one line in the log'
kill $a $b
