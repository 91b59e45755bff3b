#!/bin/bash
# SPDX-License-Identifier: ISC
# The packages are removed in each order, with tunnels up, and where sshd's or our own file stands in the way.
# Ordinary logins work at every moment, PAM never misses its module, and the purge leaves nothing.
# timeout: 100
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"
packages_built

machine_start gateway
root=$(root_of gateway)
dropin=$root/etc/ssh/sshd_config.d/20-tunlease.conf
ordinary_accounts gateway
know_machine gateway
new_key alice >/dev/null
echo_service gateway 8009
listing_of gateway "$WORK/listing"
in_gateway() { enter gateway "$@"; }
in_pam() { grep -l pam_tunnel "$root"/etc/pam.d/*; }
put_debs gateway tunlease libpam-tunnel
apt() { expect_exit 0 in_gateway apt-get -y -q "$@"; }

# Logs in again and again, each time by PAM's stacks, until it is told to stop.
logins_begin()
{
	# shellcheck disable=SC2016 # bash's, there
	in_gateway bash -c 'while [[ ! -e /run/enough ]]; do
		[[ $(su -s /bin/sh ada -c "id -un" 2>&1) == ada ]] && echo good || echo bad; done' >"$WORK/logins" 2>&1 &
	logins=$!
	has_logged_in() { [[ -s $WORK/logins ]]; }
	wait_for 10 'a login' has_logged_in
}
logins_end() # WHEN
{
	in_gateway touch /run/enough
	wait "$logins" || :
	in_gateway rm /run/enough
	! grep -v good "$WORK/logins" || fail "$1: a login failed"
	! in_gateway journalctl -q -o cat | grep -E 'PAM (unable to dlopen|adding faulty module).*pam_tunnel' || fail "$1: PAM misses its module"
	ok "$1: $(wc -l <"$WORK/logins") logins, and PAM had its module whenever it wanted it"
}
tunnel_is_up()
{
	fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail "no tunnel: $(tail -n 3 "$WORK/ssh.err")"
	talk_to 18009
	talks "$TALK" || fail 'no data through the tunnel'
}
tunnel_has_ended() # WHEN
{
	wait_for 5 "$1: the tunnel to end" is_gone "$FWD_PID"
	[[ ! -e $dropin ]] || fail "$1: the drop-in is still there"
	! in_pam || fail "$1: PAM still names the module"
	ok "$1: the tunnel has ended, the drop-in is gone, and so are PAM's lines"
}

apt install "${PUT[@]}"
expect_exit 0 in_gateway leasectl grant alice --key - --open 8009 <"$WORK/alice.pub"

joining() { in_gateway systemctl -q is-active leased-join.socket && in_gateway id join; }
expect_exit 0 in_gateway leasectl setup --join
joining || fail 'nobody can join'

note 'tunlease first, and alone'
tunnel_is_up
logins_begin
apt remove tunlease
logins_end 'tunlease removed'
tunnel_has_ended 'tunlease removed'
grep -Eq 'ended|live session' "$WORK/out" || fail "the removal does not say that it ends tunnels: $(cat "$WORK/out")"
ordinary_logins gateway
! joining || fail 'the login of JoinLogin stays'
in_gateway sh -c 'ls -d /run/tunlease-join /etc/tmpfiles.d/tunlease-join.conf /etc/tunlease/join-banner; getent group _tunnel-join; grep -l tunlease/join /etc/passwd' >"$WORK/out" 2>/dev/null || :
assert_eq "$(cat "$WORK/out")" '' 'what is left of joining, but its line in tunlease.conf'
apt remove libpam-tunnel

note 'installed again: the leases are there; then libpam-tunnel first, which takes tunlease along'
apt install "${PUT[@]}"
joining || fail 'nobody can join any more'
tunnel_is_up
logins_begin
apt remove libpam-tunnel
logins_end 'libpam-tunnel removed'
tunnel_has_ended 'libpam-tunnel removed'
ordinary_logins gateway

note 'libpam-tunnel alone, by force'
apt install "${PUT[@]}"
tunnel_is_up
logins_begin
expect_exit 0 in_gateway dpkg --force-depends -r libpam-tunnel
logins_end 'libpam-tunnel removed alone'
tunnel_has_ended 'libpam-tunnel removed alone'
ordinary_logins gateway
expect_exit 0 in_gateway dpkg --purge tunlease
expect_exit 0 in_gateway dpkg --purge libpam-tunnel

note 'the configuration of sshd is broken, or our file was edited'
apt install "${PUT[@]}"
expect_exit 0 in_gateway leasectl grant alice --key - --open 8009 <"$WORK/alice.pub"
tunnel_is_up
echo 'NoSuchKeyword yes' >"$root/etc/ssh/sshd_config.d/50-site.conf"
apt remove tunlease libpam-tunnel
tunnel_has_ended 'removed, and sshd not reloaded'
rm "$root/etc/ssh/sshd_config.d/50-site.conf"
ordinary_logins gateway
apt install "${PUT[@]}"
# Then setup --undo goes no further, and the purge has to find all of joining.
expect_exit 0 in_gateway leasectl setup --join
echo '# by hand' >>"$dropin"
apt remove tunlease libpam-tunnel
grep -q '# by hand' "$dropin" || fail 'a file that was edited by hand is gone'
! in_pam || fail 'PAM still names the module'
ordinary_logins gateway
ok 'the removal ends well'

note 'what cannot be stopped'
put_debs gateway tunlease libpam-tunnel tunnel-agent
apt install "${PUT[@]}"
unstoppable=(leased-metrics.socket tunnel-agent.service)
for unit in "${unstoppable[@]}"; do
	mkdir "$root/etc/systemd/system/$unit.d"
	printf '%s\n' '[Unit]' 'RefuseManualStop=yes' >"$root/etc/systemd/system/$unit.d/test.conf"
done
in_gateway systemctl daemon-reload
apt remove tunlease libpam-tunnel tunnel-agent
cat "$WORK/out" "$WORK/err" >"$WORK/said"
for unit in "${unstoppable[@]}"; do
	grep -q "Failed to stop $unit: " "$WORK/said" || fail "nobody says why $unit may stay: $(tail -n 20 "$WORK/said")"
	rm -r "$root/etc/systemd/system/$unit.d"
done
grep -q '^tunlease: why a socket may stay' "$WORK/said" || fail "$(tail -n 20 "$WORK/said")"
grep -q '^tunnel-agent: why tunnels may stay' "$WORK/said" || fail "$(tail -n 20 "$WORK/said")"
in_gateway systemctl daemon-reload
ok 'the removal ends well, and says what may be left'

note 'purge'
apt purge tunlease libpam-tunnel tunnel-agent
in_gateway rm "${PUT[@]}"
ordinary_logins gateway
same_listing gateway "$WORK/listing"
