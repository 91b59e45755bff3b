#!/bin/bash
# SPDX-License-Identifier: ISC
# /run/tunlease is missing, as in a container without tmpfiles.d or after /run was wiped. A login
# makes it, or leasectl, or leased's unit; a leased that may not make it uses it as soon as it is
# there. A directory that is not root's is not used.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

api=http://127.0.0.1:12000/
log=$WORK/leased.log
new_key alice >/dev/null
new_key brief >/dev/null
serve 8009
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
wipe() { rm -rf /run/tunlease; }
assert_made()
{
	assert_eq "$(stat -c '%n %a %U:%G' /run/tunlease /run/tunlease/* /run/tunlease/join/* | tr '\n' ' ')" \
		'/run/tunlease 750 root:_tunlease /run/tunlease/join 750 root:_tunlease /run/tunlease/lock 700 root:root /run/tunlease/sessions 750 root:_tunlease /run/tunlease/join/lock 700 root:root /run/tunlease/join/sessions 750 root:_tunlease ' "$1"
	assert_eq "$(find /run -maxdepth 1 -name '*tunlease*')" /run/tunlease "$1: nothing else is made"
}

note 'a login makes it, and so do many logins at once'
wipe
login_works "$WORK/alice" pfwd || fail 'no login without it'
assert_made 'by a login'
no_sshd_of_pfwd() { ! pgrep -u pfwd >/dev/null; }
wait_for 5 'the session to be over' no_sshd_of_pfwd
wipe
pids=()
for i in {1..12}; do
	"${SSH[@]}" -N -o ExitOnForwardFailure=yes -L "$((19000 + i)):127.0.0.1:8009" -i "$WORK/alice" -l pfwd "$GATEWAY" </dev/null 2>"$WORK/ssh.$i" &
	pids+=("$!"); at_exit "$!"
done
all_up() { for i in {1..12}; do [[ $(fetch "http://127.0.0.1:$((19000 + i))/") == 'hello from 8009' ]] || return 1; done; }
wait_for 10 'twelve sessions' all_up
assert_made 'by twelve logins at once'
assert_eq "$(leasectl sessions | wc -l)" 12 'each session has its entry'
expect_exit 0 leasectl revoke alice
assert_eq "$(leasectl sessions)" '' 'a revoke ends them all'
for pid in "${pids[@]}"; do fwd_stop "$pid"; done

note 'leasectl makes it, but not to read it'
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
wipe
leasectl doctor >"$WORK/out" 2>&1 || :
grep -q "^warning.registry.*the next login makes it" "$WORK/out" || fail "$(grep registry "$WORK/out")"
expect_exit 1 leasectl sessions
grep -q 'or the next login, makes it' "$WORK/err" || fail "$(cat "$WORK/err")"
[[ ! -e /run/tunlease ]] || fail 'doctor or sessions made it'
expect_exit 0 leasectl freeze pfwd
assert_made 'by freeze'
expect_exit 0 leasectl thaw pfwd

note 'a link, a file, or a directory that others can write in its place'
for how in 'ln -s /run/other /run/tunlease' 'install -d -o li -m 0755 /run/tunlease' 'install -d -m 0777 /run/tunlease' 'touch /run/tunlease'; do
	wipe
	mkdir -p /run/other
	$how
	expect_exit 255 timeout "$(slow 10)" "${SSH[@]}" -N -i "$WORK/alice" -l pfwd "$GATEWAY" # 255: no session was opened
	wait_for 5 "$how: no session" no_sshd_of_pfwd
	[[ -z $(ls -A /run/other) ]] || fail "$how: the link was followed"
	[[ ! -d /run/tunlease/ || -z $(ls -A /run/tunlease/) ]] || fail "$how: the directory was used"
	expect_exit 1 leasectl setup
done
ok 'logins and setup refuse, and nothing is made there'
wipe

note 'leased -P, which the unit runs as root, makes it and removes dead entries'
expect_exit 0 leased -P
assert_made 'by leased -P'
fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail "$(tail -n 3 "$WORK/ssh.err")"
assert_eq "$(fetch http://127.0.0.1:18009/)" 'hello from 8009' 'a session is up'
monitor=$(leasectl sessions alice | cut -f5)
child=$(pgrep -P "$monitor")
entries() { find /run/tunlease/sessions -name "[1-9]*.$monitor" | wc -l; }
expect_exit 0 leased -P
assert_eq "$(entries)" 1 'a live session keeps its entry'
kill -KILL "$monitor" "$child"
wait_for 5 'both processes to end' no_sshd_of_pfwd
assert_eq "$(entries)" 1 'a session that was killed leaves its entry'
expect_exit 0 leased -P
assert_eq "$(entries)" 0 'leased -P removes it'
fwd_stop "$FWD_PID"
wipe
expect_exit 1 setpriv --reuid=_tunlease --regid=_tunlease --clear-groups leased -P
ok 'leased -P fails where it may not make it'

note 'leased, with the rights that its unit gives, starts without it, and uses it once it is there'
echo 'API_KEY=an-enrolment-key-for-the-tests' >/etc/tunlease/leased.env
chown _tunlease:root /etc/tunlease/leased.env
chmod 0400 /etc/tunlease/leased.env
setpriv --reuid=_tunlease --regid=_tunlease --clear-groups --inh-caps=-all,+kill --ambient-caps=+kill --bounding-set=-all,+kill \
	--no-new-privs leased -D </dev/null >"$log" 2>&1 & at_exit $!
health() { curl -s -o /dev/null -w '%{http_code}' --max-time "$(slow 1)" "${api}healthz"; }
health_is() { [[ $(health) == "$1" ]]; }
wait_for 5 'leased to answer 503' health_is 503
grep -q "cannot make the session registry '/run/tunlease': Permission denied" "$log" || fail "$(cat "$log")"
leasectl grant brief --key "$WORK/brief.pub" --open 8009 --for "$(slow 4)s" >/dev/null
fwd_L "$WORK/brief" pfwd 18009:127.0.0.1:8009 || fail "$(tail -n 3 "$WORK/ssh.err")"
assert_eq "$(fetch http://127.0.0.1:18009/)" 'hello from 8009' 'a session makes it'
wait_for 5 'leased to use the registry' health_is 200
wait_for 8 'leased to end the session at its expiry' is_gone "$FWD_PID"
wait_for 5 'the line about it in the log' grep -q 'ended login=pfwd lease=brief reason=expired' "$log"
ok 'leased ends expired sessions'
