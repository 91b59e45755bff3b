#!/bin/bash
# SPDX-License-Identifier: ISC
# When leasectl has ended a session, its client is gone and its port is free. Nothing else is ended:
# another lease on the same login, and a person, carry data all the while.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

for name in alice second bob li; do new_key "$name" >/dev/null; done
cp "$WORK/li.pub" /home/li/.ssh/authorized_keys
pub() { echo "$WORK/$1.pub"; }
fingerprint() { ssh-keygen -lf "$(pub "$1")" | cut -d' ' -f2; }
serve_echo 8009
serve_echo 8010
leasectl login add team >/dev/null
leasectl setup >/dev/null

note 'sessions that must not be touched: another lease on the same login, and a person'
leasectl grant bob --login team --key "$(pub bob)" --open 8009 --listen 20002 >/dev/null
tunnel "$WORK/bob" team -L 18002:127.0.0.1:8009 -R 20002:127.0.0.1:8010
bob=$FWD_PID
talk_to 18002; bob_out=$TALK
talk_to 20002; bob_in=$TALK
tunnel "$WORK/li" li -L 18003:127.0.0.1:8009
talk_to 18003; li_out=$TALK
untouched()
{
	{ kill -0 "$bob" && talks "$bob_out" && talks "$bob_in"; } || fail "$1: the session of another lease does not work any more"
	talks "$li_out" || fail "$1: the session of li does not work any more"
}

grant() { leasectl grant alice --login team --key "$(pub alice)" --open 8009 --open 8010 --listen 20001 >/dev/null; }
connect_alice()
{
	tunnel "$WORK/alice" team -L 18001:127.0.0.1:8009 -R 20001:127.0.0.1:8010 || fail "alice: $(tail -n 3 "$WORK/ssh.err")"
	alice=$FWD_PID
	talk_to 18001; out=$TALK
	talk_to 20001; in=$TALK
	{ talks "$out" && talks "$in"; } || fail 'the new session carries no data'
}
listed() { leasectl sessions | cut -f1 | tr '\n' ' '; }

# stays WHAT COMMAND...: COMMAND ends no session.
stays()
{
	local what=$1; shift
	expect_exit 0 "$@"
	! grep -q '^ended' "$WORK/out" "$WORK/err" || fail "$what: leasectl says that it ended a session"
	{ talks "$out" && talks "$in" && kill -0 "$alice"; } || fail "$what: alice is ended"
	untouched "$what"
	assert_eq "$(listed)" 'bob alice ' "$what: the session stays"
}

# No data in either direction, the port is free, the client is gone, and the session is not listed.
assert_ended()
{
	port_free 20001 || fail "$1: the port is still bound when leasectl returns"
	{ ! talks "$out" && ! talks "$in"; } || fail "$1: data still goes through"
	wait_for 5 "$1: the client to go" is_gone "$alice"
	untouched "$1"
	assert_eq "$(listed)" 'bob ' "$1: the session is ended"
	exec {out}>&- {in}>&-
}
# ends WHAT COMMAND...: COMMAND ends alice's session, and no other.
ends()
{
	local what=$1; shift
	expect_exit 0 "$@"
	grep -q '^ended 1 session in [0-9]* ms$' "$WORK/out" || fail "$what: $(cat "$WORK/out")"
	[[ ! -s $WORK/err ]] || fail "$what: $(cat "$WORK/err")"
	assert_ended "$what"
}

note 'leasectl sessions, in each form'
assert_eq "$(listed)" 'bob ' 'only the lease that is connected'
grant
connect_alice
pid=$(leasectl sessions alice | cut -f5)
assert_eq "$(ps -o user= -p "$(pgrep -P "$pid")")" team 'the pid is that of the monitor'
row=$(leasectl sessions alice)
assert_eq "$(cut -f1-3,6 <<<"$row" | sed 's/ \[::1\].*//')" $'alice\tteam\t127.0.0.1\t127.0.0.1:20001' 'a row'
[[ " $(cut -f7 <<<"$row") " == *' 127.0.0.1:8009 '* ]] || fail "no forward in $row"
[[ $(cut -f4 <<<"$row") =~ ^20[0-9-]{8}T[0-9:]{8}Z$ ]] || fail "no time in $row"
json() { leasectl --json sessions "$@" | python3 -c 'import json,sys; print([[s["lease"], s["login"], s["from"], s["pid"], s["fingerprint"], "127.0.0.1:20001" in s["listeners"], "127.0.0.1:8009" in s["forwards"]] for s in json.load(sys.stdin)])'; }
assert_eq "$(json alice)" "[['alice', 'team', '127.0.0.1', $pid, '$(fingerprint alice)', True, True]]" 'JSON'
assert_eq "$(json --port 20001)" "$(json alice)" '--port finds the session that listens there'
assert_eq "$(leasectl sessions --port 20002 | cut -f1)" bob '--port finds the session of the other lease'
assert_eq "$(leasectl sessions --port 18001)" '' '--port finds none for a port that is only opened'
expect_exit 3 leasectl sessions nobody
expect_exit 2 leasectl sessions --port 0

note 'kill ends a session, whatever its lease permits'
ends 'kill' leasectl kill alice
assert_eq "$(json)" "$(json bob)" 'JSON after the kill'
expect_exit 3 leasectl kill alice
expect_exit 3 leasectl kill nobody
connect_alice
ends 'kill --pid' leasectl kill --pid "$(leasectl sessions alice | cut -f5)"
for pid in $$ 1 "$(cat /run/sshd.pid)" "$bob"; do expect_exit 3 leasectl kill --pid "$pid"; done
# The pid must be that of a session's monitor: neither that of its child, nor that of a person's
# monitor.
expect_exit 3 leasectl kill --pid "$(pgrep -u team)"
expect_exit 3 leasectl kill --pid "$(ps -o ppid= -p "$(pgrep -u li sshd)" | tr -d ' ')"
untouched 'kill --pid of a process that is no session'
expect_exit 2 leasectl kill
expect_exit 2 leasectl kill alice --pid 1

note 'set: a wider lease keeps its sessions, a narrower one ends them'
connect_alice
stays 'a note' leasectl set alice --note hello
stays 'one more permit' leasectl set alice --open +8011
stays 'a wider address' leasectl set alice --from 127.0.0.0/8
stays 'another key' leasectl key add alice --key "$(pub second)"
stays 'the other key removed' leasectl key remove alice "$(fingerprint second)"
ends 'an open permit removed' leasectl set alice --open -8010
connect_alice
ends 'another address' leasectl set alice --from 192.0.2.0/24
expect_exit 0 leasectl set alice --from none
connect_alice
expect_exit 0 leasectl set alice --listen +20003 --listen -20001
grep -q '^ended 1 session in [0-9]* ms$' "$WORK/out" || fail "$(cat "$WORK/out")"
assert_ended 'a listen permit removed'
expect_exit 0 leasectl set alice --listen +20001 --listen -20003

note 'key remove'
expect_exit 0 leasectl key add alice --key "$(pub second)"
connect_alice
ends 'its key removed' leasectl key remove alice "$(fingerprint alice)"
login_works "$WORK/second" team || fail 'the other key does not get in'
expect_exit 0 leasectl key add alice --key "$(pub alice)"

note 'revoke'
connect_alice
ends 'revoke' leasectl revoke alice
login_refused "$WORK/alice" team || fail 'the lease is revoked, and its key gets in'
grant
connect_alice
expect_exit 0 leasectl --json revoke alice
python3 -c 'import json,sys; assert json.load(sys.stdin)["state"] == "revoked"' <"$WORK/out" || fail 'standard output is not the JSON alone'
grep -q '^ended 1 session in [0-9]* ms$' "$WORK/err" || fail "$(cat "$WORK/err")"
assert_ended 'revoke --json'
grant
connect_alice
stays 'revoke --keep-sessions' leasectl revoke --keep-sessions alice
login_refused "$WORK/alice" team || fail 'the lease is revoked with its session kept, and the next login gets in'
ends 'kill of a session that revoke kept' leasectl kill "#$(leasectl --json list --all | python3 -c 'import json,sys; print(max(l["id"] for l in json.load(sys.stdin) if l["name"] == "alice"))')"

note 'a stopped process does not act on SIGTERM, and its session is ended all the same'
grant
connect_alice
kill -STOP "$(pgrep -P "$(leasectl sessions alice | cut -f5)")"
ends 'revoke with the child stopped' leasectl revoke alice
grant
connect_alice
kill -STOP "$(leasectl sessions alice | cut -f5)"
ends 'revoke with the monitor stopped' leasectl revoke alice

note 'without leased a session outlives the expiry of its lease; delete ends it'
grant
connect_alice
expire_soon alice
state() { [[ $(leasectl --json show alice) == *"\"state\":\"$1\""* ]]; }
wait_for 10 'the lease to expire' state expired
login_refused "$WORK/alice" team || fail 'the lease is expired, and its key gets in'
ends 'delete' leasectl delete alice

note 'a lower max_sessions ends the newest sessions'
leasectl grant three --login team --key "$(pub second)" --open 8009 >/dev/null
pids=() fds=()
for port in 18011 18012 18013; do
	tunnel "$WORK/second" team -L $port:127.0.0.1:8009
	pids+=("$FWD_PID")
	talk_to $port; fds+=("$TALK")
done
expect_exit 0 leasectl set three --max-sessions 3
! grep -q '^ended' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 0 leasectl set three --max-sessions 1
grep -q '^ended 2 sessions in [0-9]* ms$' "$WORK/out" || fail "$(cat "$WORK/out")"
talks "${fds[0]}" || fail 'the oldest session is ended'
for i in 1 2; do
	wait_for 5 'a newer session to end' is_gone "${pids[i]}"
	! talks "${fds[i]}" || fail 'a newer session carries data'
done
login_refused "$WORK/second" team || fail 'one more login gets in'
untouched 'max_sessions'

note 'a session without an entry may be of any lease: it is reported, and not ended'
module=$(find /usr/lib /lib -name pam_tunnel.so | head -n 1)
mv "$module" "$module.away"
leasectl grant stray --login pfwd --key "$(pub alice)" --open 8009 >/dev/null
tunnel "$WORK/alice" pfwd -L 18004:127.0.0.1:8009
stray=$FWD_PID
mv "$module.away" "$module"
stray_runs() { pgrep -u pfwd >/dev/null; } # the client may be up before sshd's child has become the login
wait_for 5 "sshd's child to run as the login" stray_runs
expect_exit 6 leasectl revoke stray
grep -q "pid $(pgrep -u pfwd))*" "$WORK/err" || fail "$(cat "$WORK/err")"
kill "$(pgrep -u pfwd)"
wait_for 5 'the client to go' is_gone "$stray"
ok 'exit 6, and killing the pid that it names ends the session'

note 'revoke of several leases ends the sessions of all of them at once, on each login'
leasectl grant one --login pfwd --key "$(pub alice)" --open 8009 >/dev/null
leasectl grant two --login team --key "$(pub alice)" --open 8009 >/dev/null
tunnel "$WORK/alice" pfwd -L 18006:127.0.0.1:8009; one=$FWD_PID
tunnel "$WORK/alice" team -L 18007:127.0.0.1:8009; two=$FWD_PID
expect_exit 0 leasectl revoke one two
assert_eq "$(grep -o '^ended.*session.*in' "$WORK/out")" 'ended 2 sessions in' 'they are ended together'
wait_for 5 'the first to go' is_gone "$one"
wait_for 5 'the second to go' is_gone "$two"
untouched 'a revoke of several'

note 'freeze of one login, and of all'
leasectl grant other --login pfwd --key "$(pub alice)" --open 8009 >/dev/null
tunnel "$WORK/alice" pfwd -L 18005:127.0.0.1:8009
other=$FWD_PID
talk_to 18005; other_out=$TALK
expect_exit 0 leasectl freeze team
grep -q '^ended 2 sessions in [0-9]* ms$' "$WORK/out" || fail "$(cat "$WORK/out")"
port_free 20002 || fail 'a port of the frozen login is bound'
wait_for 5 'bob to go' is_gone "$bob"
talks "$other_out" || fail 'another login is frozen as well'
assert_eq "$(listed)" 'other ' 'freeze of a login'
expect_exit 0 leasectl freeze
grep -q '^ended 1 session in [0-9]* ms$' "$WORK/out" || fail "$(cat "$WORK/out")"
wait_for 5 'other to go' is_gone "$other"
talks "$li_out" || fail 'li is frozen as well'
assert_eq "$(listed)" '' 'freeze of all'
login_works "$WORK/li" li || fail 'a person cannot log in'
leasectl thaw >/dev/null; leasectl thaw team >/dev/null
login_works "$WORK/bob" team || fail 'the login is thawed, and bob cannot log in'
