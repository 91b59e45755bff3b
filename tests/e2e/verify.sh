#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl verify distinguishes refused by policy, service down, sshd unreachable and forwarding
# off; it finds a hole where there is one, and leaves nothing behind.
# sandbox:
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"

key=$(new_key alice)
new_key box >/dev/null
new_key gone >/dev/null
leasectl agent add box --key "$WORK/box.pub" >/dev/null
leasectl agent add gone --key "$WORK/gone.pub" >/dev/null
box=$(leasectl --json show box | sed -n 's/.*"listen":\["127.0.0.1:\([0-9]*\)"\].*/\1/p')
leasectl grant alice --key "$key.pub" --open 8009 --open agent:box --open agent:gone --from 192.0.2.1 >/dev/null
leasectl revoke gone >/dev/null
row() { awk -F'\t' -v what="$1" '$2 ~ what { print $3 ": " $4 }' "$WORK/out"; }
says() { [[ $(row "$1") == "$2"* ]] || fail "$1: want $2, got $(row "$1")"; ok "$1: $(row "$1")"; }

note 'service down, and an sshd that prints its settings as 10.5 does'
mixed_case_sshd /usr/local/sbin/sshd-mixed
sed -i '1i Sshd /usr/local/sbin/sshd-mixed' /etc/tunlease/tunlease.conf
expect_exit 1 leasectl verify alice
sed -i 1d /etc/tunlease/tunlease.conf
says '127.0.0.1:8009 with -L' 'not run: permitted, but the service is down'
says "127.0.0.1:$box with -L" 'not run: permitted, but the service is down'
says 'agent:gone with -L' 'not run: permitted, but there is no such agent now'
leasectl set alice --open -agent:gone >/dev/null

note 'all is well'
serve 8009
serve "$box" # in place of the agent's tunnel
files() { find /tmp /run -not -path '/run/sandbox*' -not -path '/run/motd*' -not -path "$WORK*" | sort; }
before=$(files)
leases=$(leasectl list --all)
expect_exit 0 leasectl verify alice
says '127.0.0.1:8009 with -L' 'pass: data came back'
says "127.0.0.1:$box with -L" 'pass: data came back'
says 'a shell' 'pass: This account is currently not available.'
[[ $(awk -F'\t' '$3 == "pass"' "$WORK/out" | wc -l) -ge 14 ]] || fail "too few rows: $(cat "$WORK/out")"
[[ $(cut -f1 "$WORK/out" | sort -u | tr -d '\n') == ABCDE ]] || fail 'not all of the checks A to E'

note 'explain --last passes over the keys that verify lets be refused'
log_has 'akc.*refused login=pfwd .*reason=[a-z]* lease=verify-' || fail 'no key of verify was refused'
ln -sf "$SANDBOX_LOG" /var/log/auth.log
expect_exit 3 leasectl explain --last pfwd
rm /var/log/auth.log

note 'nothing is left behind'
[[ $(files) == "$before" ]] || fail "files: $(diff <(echo "$before") <(files))"
[[ $(leasectl list --all) == "$leases" ]] || fail 'a probe lease is left'
pgrep -u pfwd && fail 'a connection is left'
pgrep -f leasectl-verify && fail 'a process is left'

note 'nothing is left behind when verify is interrupted'
leasectl verify alice >"$WORK/interrupted" 2>/dev/null &
verify=$!
probing() { leasectl list | grep -q '^[0-9]*.verify-'; }
wait_for 10 'verify to make its probe lease' probing
kill -TERM "$verify"
rc=0; wait "$verify" || rc=$?
assert_eq "$rc" 1 'an interrupted verify has not passed'
[[ $(files) == "$before" ]] || fail "files: $(diff <(echo "$before") <(files))"
[[ $(leasectl list --all) == "$leases" ]] || fail 'a probe lease is left'

note 'verify says so when it cannot try a permit'
leasectl login add team >/dev/null
new_key team >/dev/null
leasectl grant team --login team --key "$WORK/team.pub" --listen 20009 >/dev/null
cp /etc/tunlease/tunlease.conf "$WORK/conf"
echo 'AllowListen 127.0.0.1:20009' >>/etc/tunlease/tunlease.conf
expect_exit 1 leasectl verify team
says 'the permitted port with -R' 'not run: no port is free within AllowListen'
cp "$WORK/conf" /etc/tunlease/tunlease.conf

note 'without a lease name, verify probes a service of its own'
expect_exit 0 leasectl verify
expect_exit 0 leasectl verify --login gw-tunnel
says 'with -R' 'pass: data came back: tunlease-greeting'
sed '/^AllowOpen/d' "$WORK/conf" >/etc/tunlease/tunlease.conf
echo 'AllowOpen 127.0.0.1:8009' >>/etc/tunlease/tunlease.conf
expect_exit 0 leasectl verify
says '127.0.0.1:8009 with -L' 'pass: data came back'
ok 'where every port is in use, the service that is there'
echo 'AllowOpen 127.0.0.1:8009-8010' >>/etc/tunlease/tunlease.conf
sed -i '/8009$/d' /etc/tunlease/tunlease.conf
expect_exit 0 leasectl verify
says '127.0.0.1:8010 with -L' 'pass: data came back: tunlease-greeting'
ok 'of a range, a port that is free'
cp "$WORK/conf" /etc/tunlease/tunlease.conf

note 'forwarding off'
cp /etc/ssh/sshd_config.d/20-tunlease.conf "$WORK/good"
printf 'Match User pfwd\n    AllowTcpForwarding no\nMatch all\n' >/etc/ssh/sshd_config.d/05-off.conf
reload_sshd
expect_exit 1 leasectl verify alice
says '127.0.0.1:8009 with -L' 'FAIL: forwarding is off in sshd: AllowTcpForwarding no'
rm /etc/ssh/sshd_config.d/05-off.conf

note 'refused by policy'
printf 'Match User pfwd\n    PermitOpen 127.0.0.1:9999\nMatch all\n' >/etc/ssh/sshd_config.d/05-other.conf
reload_sshd
expect_exit 1 leasectl verify alice
says '127.0.0.1:8009 with -L' 'FAIL: refused by policy'
rm /etc/ssh/sshd_config.d/05-other.conf
reload_sshd

note 'verify finds a hole'
mv /usr/libexec/tunlease/akc /usr/libexec/tunlease/akc.real
cat >/usr/libexec/tunlease/akc <<'SHIM'
#!/bin/sh
/usr/libexec/tunlease/akc.real "$@" | sed 's/permitopen="127.0.0.1:8009"/permitopen="*:*"/'
SHIM
chmod 755 /usr/libexec/tunlease/akc
expect_exit 1 leasectl verify alice
says 'another port with -L' 'FAIL: data came back'
says 'another port through -D' 'FAIL: data came back'
mv /usr/libexec/tunlease/akc.real /usr/libexec/tunlease/akc

note 'sshd unreachable'
pid=$(cat /run/sshd.pid)
kill "$pid"
gone() { ! kill -0 "$1" 2>/dev/null; }
wait_for 5 'sshd to end' gone "$pid"
expect_exit 1 leasectl verify alice
says 'a shell' 'not run: sshd is unreachable at 127.0.0.1 port 22'
/usr/sbin/sshd

note 'what verify cannot check'
expect_exit 3 leasectl verify nobody
leasectl revoke alice >/dev/null
expect_exit 3 leasectl verify alice
expect_exit 2 leasectl verify --login li
expect_exit 2 leasectl verify a b
expect_exit 1 setpriv --reuid=li --clear-groups leasectl verify
