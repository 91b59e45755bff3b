#!/bin/bash
# SPDX-License-Identifier: ISC
# From source, on a machine that has booted: make install, leasectl setup, a tunnel, setup --undo, make uninstall.
# What is left is what README says: /etc/tunlease, the leases and the accounts. Ordinary logins work all the time.
# timeout: 90
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"

machine_start gateway
ordinary_accounts gateway
ordinary_logins gateway
listing_of gateway "$WORK/before"
for file in passwd group shadow; do cp "$(root_of gateway)/etc/$file" "$WORK/$file.before"; done
in_gateway() { enter gateway "$@"; }
root=$(root_of gateway)
# The machine has no make, and this folder is read-only there.
into_machine() { make -s -C "$TOP" NO_DEPS=1 QUIET=1 PREFIX=/usr DESTDIR="$root" "$@" >"$WORK/make.out" 2>&1 || fail "make $*: $(cat "$WORK/make.out")"; }

note 'make install enables nothing'
into_machine install
ordinary_logins gateway
assert_eq "$(in_gateway systemctl is-enabled leased.service leased.socket | tr '\n' ' ')" 'disabled disabled ' 'the units'
in_gateway sh -c 'ls /etc/ssh/sshd_config.d; grep -l pam_tunnel /etc/pam.d/*; getent passwd pfwd gw-tunnel _tunlease' >"$WORK/out" || :
assert_eq "$(cat "$WORK/out")" '' 'what make install does to sshd, PAM and the accounts'

note 'setup'
echo 'PublicHost gateway.test' >>"$root/etc/tunlease/tunlease.conf"
expect_exit 0 in_gateway leasectl setup
expect_exit 0 in_gateway systemctl -q enable --now leased.socket leased.service
doctor_finds_nothing gateway 'after setup'
expect_exit 0 in_gateway leasectl verify
know_machine gateway
new_key alice >/dev/null
expect_exit 0 in_gateway leasectl grant alice --key - --open 22 <"$WORK/alice.pub"
fwd_L "$WORK/alice" pfwd 8009:127.0.0.1:22 || fail "$(tail -n 3 "$WORK/ssh.err")"
alice=$FWD_PID
banner() { local line; exec {fd}<>/dev/tcp/127.0.0.1/8009 && read -r -t "$(slow 5)" line <&"$fd" && [[ $line == SSH-2.0-* ]]; }
banner || fail 'no data through the tunnel'
ordinary_logins gateway
assert_eq "$(machine_state gateway)" running 'systemctl is-system-running'

note 'setup --join, while leased runs and a tunnel is up'
expect_exit 0 in_gateway leasectl setup --join
banner || fail 'the tunnel ended'
assert_eq "$(in_gateway systemctl is-enabled leased-join.socket) $(in_gateway systemctl is-active leased-join.socket leased.socket leased.service | tr '\n' ' ')" \
	'enabled active active active ' 'leased has its join socket'
assert_eq "$(in_gateway stat -c '%a %U:%G' /run/tunlease-join /run/tunlease-join/socket | tr '\n' ' ')" '750 root:_tunnel-join 660 root:_tunnel-join ' 'and its directory'
in_gateway journalctl -q -u leased -o cat | grep 'nobody can join' && fail 'leased does not take the socket'
expect_exit 0 in_gateway leasectl setup --dry-run
assert_eq "$(cat "$WORK/out")" '' 'a second setup has nothing to do'
doctor_finds_nothing gateway 'after setup --join'
ordinary_logins gateway

note 'and back, as README says'
expect_exit 0 in_gateway systemctl -q disable --now leased.socket leased.service
expect_exit 0 in_gateway leasectl setup --undo
wait_for 5 'the tunnel to end' is_gone "$alice"
login_refused "$WORK/alice" pfwd || fail 'a lease is good after setup --undo'
ordinary_logins gateway
into_machine uninstall
expect_exit 0 in_gateway systemctl daemon-reload
ordinary_logins gateway
assert_eq "$(machine_state gateway)" running 'systemctl is-system-running'
listing_of gateway "$WORK/after"
diff "$WORK/before" "$WORK/after" | sed -n 's/^[<>] \([^\t]*\)\t.*/\1/p' | sort -u >"$WORK/changed" || :
# The mask of its systemd --user is part of an account.
{
	printf '%s\n' etc/group etc/gshadow etc/passwd etc/shadow etc/tunlease etc/tunlease/tunlease.conf var/lib/tunlease \
		var/lib/tunlease/leases.db{,-leased,-shm,-wal}
	for name in pfwd gw-tunnel; do echo "etc/systemd/system/user@$(in_gateway id -u "$name").service"; done
} | sort >"$WORK/kept"
diff "$WORK/kept" "$WORK/changed" || fail 'what is left is not what README says'
for file in passwd group shadow; do
	diff "$WORK/$file.before" <(grep -vE '^(pfwd|gw-tunnel|_tunlease|_tunlease-akc|_tunnel):' "$root/etc/$file") ||
		fail "accounts that are not ours changed in /etc/$file"
done
ok 'what is left is the configuration, the leases and the accounts'
