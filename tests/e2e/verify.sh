#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl verify distinguishes refused by policy, service down, sshd unreachable and forwarding off, and
# says which layer is the cause; it finds a hole where there is one, on each listener of sshd, and leaves
# nothing behind.
# sandbox:
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"

conf=/etc/tunlease/tunlease.conf
for key in alice box gone far down team off other hole; do new_key "$key" >/dev/null; done
for login in team off other hole; do leasectl login add "$login" >/dev/null; done
for agent in box gone far; do leasectl agent add "$agent" --key "$WORK/$agent.pub" >/dev/null 2>&1; done
store=/var/lib/tunlease/leases.db
query() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups sqlite3 "$store" "$1"; }
port_of() { leasectl --json show "$1" | sed -n 's/.*"listen":\["127.0.0.1:\([0-9]*\)"\].*/\1/p'; }
grant() { leasectl grant "$1" --key "$WORK/$1.pub" "${@:2}" >/dev/null; }
grant alice --open 8009 --open agent:box --from 192.0.2.1
grant down --login team --open 8012 --open agent:far --open agent:gone
grant team --login team --listen 20009
for name in off other hole; do grant "$name" --login "$name" --open 8009; done
leasectl revoke gone >/dev/null
box=$(port_of box) far=$(port_of far)
serve 8009
serve "$box" # in place of the agent's tunnel

# begin NAME ARGUMENT...: one verify in the background, with others at its side. Each has a login, a
# lease or a configuration of its own.
begun=()
begin()
{
	local name=$1; shift
	(
		rc=0
		leasectl "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" || rc=$?
		echo "$rc" >"$WORK/$name.rc"
	) &
	begun+=("$!")
}
finish_all() { wait "${begun[@]}"; begun=(); }
# ended NAME STATUS: from here on says looks at its rows.
ended()
{
	[[ $(cat "$WORK/$1.rc") == "$2" ]] || fail "verify of $1: not $2: $(cat "$WORK/$1.err" "$WORK/$1.out")"
	ok "verify of $1: $2"
	cp "$WORK/$1.out" "$WORK/out"
}
row() { awk -F'\t' -v what="$1" '$2 ~ what { print $3 ": " $4 }' "$WORK/out"; }
says() { [[ $(row "$1") == "$2"* ]] || fail "$1: want $2, got $(row "$1")"; ok "$1: $(row "$1")"; }
names() { [[ $(row "$1") == *"$2"* ]] || fail "$1: want ...$2..., got $(row "$1")"; ok "$1: ...$2"; }
passes()
{
	[[ $(awk -F'\t' '$3 == "pass"' "$WORK/out" | wc -l) -ge 14 ]] || fail "too few rows: $(cat "$WORK/out")"
	[[ $(cut -f1 "$WORK/out" | sort -u | tr -d '\n') == ABCDE ]] || fail 'not all of the checks A to E'
}
# Files, leases, connections and processes that a verify may leave behind.
files() { find /tmp /run -not -path '/run/sandbox*' -not -path '/run/motd*' -not -path "$WORK*" | sort; }
nothing_left()
{
	[[ $(files) == "$before" ]] || fail "$1: files: $(diff <(echo "$before") <(files))"
	[[ $(leasectl list --all) == "$leases" ]] || fail "$1: a probe lease is left"
	pgrep -u pfwd && fail "$1: a connection is left"
	pgrep -f leasectl-verify && fail "$1: a process is left"
	ok "$1: nothing is left"
}

note 'configurations: forwarding off for one login, another ceiling for another, and a hole in akc'
leasectl setup >/dev/null
printf 'Match User off\n    AllowTcpForwarding no\nMatch User other\n    PermitOpen 127.0.0.1:9999\nMatch all\n' \
	>/etc/ssh/sshd_config.d/05-test.conf
reload_sshd
mv /usr/libexec/tunlease/akc /usr/libexec/tunlease/akc.real
cat >/usr/libexec/tunlease/akc <<'SHIM'
#!/bin/sh
[ "$1" = hole ] || exec /usr/libexec/tunlease/akc.real "$@"
/usr/libexec/tunlease/akc.real "$@" | sed 's/permitopen="127.0.0.1:8009"/permitopen="*:*"/'
SHIM
chmod 755 /usr/libexec/tunlease/akc
# An sshd that prints its settings as 10.5 does.
mixed_case_sshd /usr/local/sbin/sshd-mixed
sed '1i Sshd /usr/local/sbin/sshd-mixed' "$conf" >"$WORK/mixed.conf"
sed "\$a AllowListen 127.0.0.1:20009" "$conf" >"$WORK/full.conf"
sed '/^AllowOpen/d; $a AllowOpen 127.0.0.1:8009' "$conf" >"$WORK/one.conf"
sed '/^AllowOpen/d; $a AllowOpen 127.0.0.1:8009-8010' "$conf" >"$WORK/two.conf"
# Another sshd, with host keys of its own, where the leases hold, too; on its port 2223 nothing is forwarded.
mkdir /etc/ssh/second.d
printf 'Match LocalPort 2223\n    AllowTcpForwarding no\nMatch all\n' >/etc/ssh/second.d/05.conf
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/second_key
{
	printf '%s\n' 'Port 2222' 'Port 2223' 'ListenAddress 127.0.0.2' 'HostKey /etc/ssh/second_key' \
		'PidFile /run/second.pid' 'Include /etc/ssh/second.d/*.conf'
	grep -v -E '^(Port|ListenAddress|HostKey|PidFile)' /etc/ssh/sshd_config
} >/etc/ssh/second_config
/usr/sbin/sshd -f /etc/ssh/second_config
second_listens() { ! port_free 2222 && ! port_free 2223; }
wait_for 5 'the second sshd' second_listens

login_works "$WORK/down" team || fail 'no login' # what the first login makes stays
wait_idle
before=$(files) leases=$(leasectl list --all)
begin alice verify alice
begin down -c "$WORK/mixed.conf" verify down
begin team -c "$WORK/full.conf" verify team
begin none verify
begin agents verify --login gw-tunnel
finish_all
begin one -c "$WORK/one.conf" verify
begin two -c "$WORK/two.conf" verify
begin off verify off
begin other verify other
begin hole verify hole
begin second verify alice --host 127.0.0.2 --port 2222
begin third verify --port 2223 alice
finish_all
nothing_left 'twelve, some at a time'

note 'verify uses up no lease numbers'
numbers="SELECT seq FROM sqlite_sequence WHERE name = 'lease'"
assert_eq "$(query "SELECT max(id) FROM lease")" "$(query "$numbers")" 'no number was taken'
assert_eq "$(query "SELECT count(*) > 30, max(lease_id) < 0 FROM audit WHERE lease LIKE 'verify-%'")" '1|1' \
	'the audit has its probes, with numbers of their own'

note 'all is well'
ended alice 0
says '127.0.0.1:8009 with -L' 'pass: data came back'
says "127.0.0.1:$box with -L" 'pass: data came back'
says 'a shell' 'pass: This account is currently not available.'
passes

note 'service down'
ended down 1
says '127.0.0.1:8012 with -L' 'not run: permitted, but the service is down'
says "127.0.0.1:$far with -L" 'not run: permitted, but the service is down'
says 'agent:gone with -L' 'not run: permitted, but there is no such agent now'

note 'verify says so when it cannot try a permit'
ended team 1
says 'the permitted port with -R' 'not run: no port is free within AllowListen'

note 'without a lease name, verify probes a service of its own'
ended none 0
ended agents 0
says 'with -R' 'pass: data came back: tunlease-greeting'
ended one 0
says '127.0.0.1:8009 with -L' 'pass: data came back'
ok 'where every port is in use, the service that is there'
ended two 0
says '127.0.0.1:8010 with -L' 'pass: data came back: tunlease-greeting'
ok 'of a range, a port that is free'

note 'the cause: forwarding off, refused by policy, a hole'
ended off 1
says '127.0.0.1:8009 with -L' 'FAIL: refused by policy'
names '127.0.0.1:8009 with -L' "; sshd: forwarding with -L is off in sshd for 'off': AllowTcpForwarding no; mend: leasectl setup"
ended other 1
says '127.0.0.1:8009 with -L' 'FAIL: refused by policy'
names '127.0.0.1:8009 with -L' "; sshd: PermitOpen for 'other' is '127.0.0.1:9999', not 127.0.0.1:8009; mend: "
ended hole 1
says 'another port with -L' 'FAIL: data came back'
names 'another port with -L' '; though lease: '
says 'another port through -D' 'FAIL: data came back'
mv /usr/libexec/tunlease/akc.real /usr/libexec/tunlease/akc

note 'another listener, with another configuration'
ended second 0
passes
ended third 1
names '127.0.0.1:8009 with -L' "AllowTcpForwarding no"

note 'refused logins come from another address of this host'
refused_from() { grep -c "Connection closed by authenticating user pfwd $1" "$SANDBOX_LOG" || :; }
assert_eq "$(refused_from '127\.0\.0\.[12] ')" 0 'none from the address at which others connect'
(($(refused_from 127) >= 2)) || fail 'the refused logins are not in the log'

note 'explain --last passes over the keys that verify lets be refused'
log_has 'akc.*refused login=pfwd .*reason=[a-z]* lease=verify-' || fail 'no key of verify was refused'
ln -sf "$SANDBOX_LOG" /var/log/auth.log
expect_exit 3 leasectl explain --last pfwd
rm /var/log/auth.log

note 'nothing is left behind when verify is interrupted'
begin interrupted verify alice
# Its probe, by the name that it has.
probe_of() { leasectl list --all | cut -f2 | grep '^verify-'; }
probing() { probe_of >/dev/null; }
wait_for 10 'verify to make its probe lease' probing
pkill -TERM -P "${begun[0]}" -x leasectl
finish_all
ended interrupted 1
nothing_left 'an interrupted one'

note 'a verify that is killed with SIGKILL'
begin killed verify alice
wait_for 10 'verify to make its probe lease' probing
on_probe() { leasectl sessions | some_line '^verify-'; }
wait_for 10 'a session of the probe' on_probe
pkill -KILL -P "${begun[0]}" -x leasectl
finish_all
no_more() { ! pgrep -u pfwd && ! pgrep -f leasectl-verify; } >/dev/null
wait_for 5 'its connections and processes to end' no_more
directory=$(echo /tmp/leasectl-verify.*)
[[ -f $directory/key ]] || fail 'it was killed too early'
probe=$(probe_of)
(($(query "SELECT expires_s - unixepoch() FROM lease WHERE name = '$probe'") <= 60)) || fail 'the probe lasts longer than 60 s'
query "UPDATE lease SET expires_s = unixepoch() - 1 WHERE name = '$probe'"
login_refused "$directory/key" pfwd || fail 'the key is good for longer than the probe'
leasectl set alice --note x >/dev/null
assert_eq "$(probe_of)" "$probe" 'a verify that is only slow keeps its probe'
query "UPDATE lease SET expires_s = unixepoch() - 100 WHERE name = '$probe'"
leasectl set alice --note '' >/dev/null
[[ $(leasectl list --all) == "$leases" ]] || fail 'the next change does not delete the probe of the killed verify'
touch -d '1 minute ago' "$directory"
mkdir /tmp/leasectl-verify.abcdef # another user's
touch -d '1 minute ago' /tmp/leasectl-verify.abcdef
chown -R li /tmp/leasectl-verify.abcdef
expect_exit 1 leasectl verify alice --port 2224
[[ -d /tmp/leasectl-verify.abcdef ]] || fail "another user's directory is removed"
rmdir /tmp/leasectl-verify.abcdef
nothing_left 'the next ones'
query "INSERT INTO lease(id, kind, name, live, login, open, listen, sources, max_sessions, note, created_s, renewed_s, expires_s,
	fixed_end, revoked_s, keep_sessions, last_login_s, heartbeat_ms, secret_used, agent_facts)
	VALUES(-7, 'grant', 'verify-left', 1, 'pfwd', '127.0.0.1:8009', '', '', 0, '', 1, 0, 2, 0, 0, 0, 0, 0, 0, '')"
leased 2>/dev/null &
leased=$!
at_exit "$leased"
deleted() { [[ -z $(query 'SELECT id FROM lease WHERE id < 0') ]]; }
wait_for 10 'leased to delete a probe that was left' deleted
kill "$leased"
wait "$leased" || :

note 'a login that sshd refuses'
echo 'DenyUsers team' >/etc/ssh/sshd_config.d/05-test.conf
reload_sshd
expect_exit 1 leasectl verify team
names 'a shell' "; sshd: DenyUsers has 'team'"
rm /etc/ssh/sshd_config.d/05-test.conf

note 'sshd unreachable'
pid=$(cat /run/sshd.pid)
kill "$pid"
gone() { ! kill -0 "$1" 2>/dev/null; }
wait_for 5 'sshd to end' gone "$pid"
expect_exit 1 leasectl verify alice
says 'a shell' 'not run: sshd is unreachable at 127.0.0.1 port 22'
/usr/sbin/sshd
expect_exit 1 leasectl verify alice --port 2224
says 'a shell' 'not run: sshd is unreachable at 127.0.0.1 port 2224'

note 'what verify cannot check'
expect_exit 1 leasectl verify --host nowhere.invalid
grep -q "cannot find the host 'nowhere.invalid'" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 2 leasectl verify --port 65536
expect_exit 3 leasectl verify nobody
leasectl revoke alice >/dev/null
expect_exit 3 leasectl verify alice
expect_exit 2 leasectl verify --login li
expect_exit 2 leasectl verify a b
expect_exit 1 setpriv --reuid=li --clear-groups leasectl verify
