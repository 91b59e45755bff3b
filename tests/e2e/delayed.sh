#!/bin/bash
# SPDX-License-Identifier: ISC
# A login pauses at each step of open_session while an admin revokes something. The change applies
# to that login: no session of it lives afterwards, and its forwards carry nothing.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in alice spare; do new_key "$name" >/dev/null; done
serve_echo 8009
serve_echo 8010
module=$(find /usr/lib /lib -name pam_tunnel.so | head -n 1)
cp "$TOP/build/tests/delayed/pam_tunnel.so" "$module"
fingerprint=$(ssh-keygen -lf "$WORK/alice.pub" | cut -d' ' -f2)
grant() { leasectl grant alice --key "$WORK/alice.pub" --open 8009 --open 8010 >/dev/null; leasectl key add alice --key "$WORK/spare.pub" >/dev/null; }

paused() { [[ -e /run/delayed.now ]]; }
unpaused() { [[ ! -e /run/delayed.now ]]; }
port_carries() { { exec {TALK}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null && talks "$TALK"; }

# login_at STEP WHEN MS: starts a login that pauses before or after STEP.
login_at()
{
	echo "$*" >/run/delayed
	"${SSH[@]}" -v -N -T -i "$WORK/alice" -L 18009:127.0.0.1:8009 -L 18010:127.0.0.1:8010 \
		-l pfwd "$GATEWAY" </dev/null >/dev/null 2>"$WORK/err.ssh" & client=$!
	at_exit $client
	wait_for 10 "$*: the login to pause" paused
	rm /run/delayed
}
assert_ended() # WHAT: nothing of the session is left
{
	wait_for 5 "$1: the client to go" is_gone "$client"
	wait_idle
	rm -f /run/delayed.now      # left by a login that was ended in its pause
	[[ -z $(pgrep -u pfwd) && -z $(leasectl sessions) ]] || fail "$1: a session is alive: $(leasectl sessions)"
	[[ -z $(find /run/tunlease/sessions -mindepth 1 ! -name '.*.ns') ]] || fail "$1: an entry is left"
	ok "$1: the session is ended"
}
assert_admitted()
{
	wait_for 5 "$1: the pause to end" unpaused
	wait_for 5 "$1: the forward" port_carries 18010
	assert_eq "$(leasectl sessions | cut -f1)" alice "$1: admitted"
	fwd_stop "$client"
	wait_idle
}

grant
for step in 'add before' 'add after' 'check before' 'check after' 'lock before' 'lock after' 'open before' 'open after'; do
	note "$step"
	# shellcheck disable=SC2086
	login_pausing() { login_at $step 600; }
	login_pausing
	leasectl set alice --note untouched >/dev/null
	assert_admitted "$step, nothing revoked"
	login_pausing
	expect_exit 0 leasectl set alice --open -8009
	assert_ended "$step, set --open -"
	leasectl set alice --open +8009 >/dev/null
	login_pausing
	expect_exit 0 leasectl key remove alice "$fingerprint"
	assert_ended "$step, key remove"
	leasectl key add alice --key "$WORK/alice.pub" >/dev/null
	login_pausing
	expect_exit 0 leasectl revoke alice
	assert_ended "$step, revoke"
	login_refused "$WORK/alice" pfwd || fail 'the lease is revoked, and the next login gets in'
	grant
done

note 'the key moves to another lease meanwhile: sshd has the line of the first lease'
for step in 'add before' 'check before' 'lock before'; do
	# shellcheck disable=SC2086
	login_at $step 900
	leasectl revoke alice >/dev/null || (($? == 6)) || fail "revoke, at $step"
	expect_exit 0 leasectl grant alice2 --key "$WORK/alice.pub" --open 8010
	assert_ended "$step, revoked and granted again"
	login_works "$WORK/alice" pfwd || fail 'the new lease does not let the key in'
	wait_idle
	leasectl revoke alice2 >/dev/null
	grant
done

note 'the address is no longer permitted'
for step in 'add before' 'check after'; do
	# shellcheck disable=SC2086
	login_at $step 600
	expect_exit 0 leasectl set alice --from 192.0.2.0/24
	assert_ended "$step, set --from"
	leasectl set alice --from none >/dev/null
done

note 'a narrowed lease refuses only logins that began before; a note that cannot be read refuses all'
lock=/run/tunlease/lock/$(leasectl --json show alice | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')
expect_exit 0 leasectl set alice --open -8009
login_works "$WORK/alice" pfwd || fail 'the next login is refused'
wait_idle
leasectl set alice --open +8009 >/dev/null
cp "$lock.narrowed" "$WORK/narrowed"
for junk in '' x '9 9'; do
	printf '%s' "$junk" >"$lock.narrowed"
	! fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || wait_for 5 "'$junk': the client to go" is_gone "$FWD_PID"
done
wait_log 5 'refused login=pfwd .*: the lease was narrowed while this login was on its way'
cp "$WORK/narrowed" "$lock.narrowed"
login_works "$WORK/alice" pfwd || fail 'a note that is older than the login refuses it'
wait_idle
# leasectl says so when it cannot write the note; the note is deleted with its lease.
rm "$lock.narrowed"; mkdir "$lock.narrowed"
expect_exit 6 leasectl set alice --open -8009
grep -q 'may still get the old permits' "$WORK/err" || fail "$(cat "$WORK/err")"
rmdir "$lock.narrowed"
leasectl set alice --open +8009 >/dev/null
leasectl set alice --open -8009 >/dev/null
leasectl set alice --open +8009 >/dev/null
[[ -e $lock.narrowed ]] || fail 'no note was written'
leasectl revoke alice >/dev/null
leasectl delete alice >/dev/null
[[ ! -e $lock.narrowed && ! -e $lock ]] || fail 'the note is left after its lease was deleted'
grant

note 'open_session takes longer than its one second: refused, though nothing was revoked'
for step in 'add before' 'add after' 'check before' 'check after' 'lock before' 'lock after'; do
	# shellcheck disable=SC2086
	login_at $step 1200
	assert_ended "$step, 1.2 s"
done
echo 'check before 600' >/run/delayed
login_works "$WORK/alice" pfwd || fail 'a pause of less than a second is refused as well'
