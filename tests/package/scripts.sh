#!/bin/bash
# SPDX-License-Identifier: ISC
# What the packages' scripts do where the road is not straight: something of somebody else's is in the way of a
# setup, a downgrade, an undo by the admin, a drop-in that was edited, a configuration that is broken, accounts
# that are not ours.
# timeout: 100
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"

packages_built
base_root
machine_start gw
root=$(root_of gw)
dropin=$root/etc/ssh/sshd_config.d/20-tunlease.conf
ordinary_accounts gw
know_machine gw
in_gw() { enter gw "$@"; }
version=$(dpkg-deb -f "$(deb_of tunlease)" Version)

# The packages of this tree with another version, and what they ask of a store with another number.
repack() # VERSION [STORE_VERSION]
{
	local package work
	for package in tunlease libpam-tunnel; do
		work=$WORK/repack
		rm -rf "$work"
		dpkg-deb -R "$(deb_of "$package")" "$work"
		sed -i -e "s/^Version: .*/Version: $1/" -e "s/libpam-tunnel (= [^)]*)/libpam-tunnel (= $1)/" "$work/DEBIAN/control"
		[[ -z ${2-} ]] || sed -i "s/-gt \"[0-9]*\"/-gt \"$2\"/" "$work/DEBIAN/preinst"
		dpkg-deb -Znone -b "$work" "$root/root/${package}_$1.deb" >/dev/null
	done
}
install_debs() # VERSION WORD...
{
	enter gw env "${@:2}" apt-get -qq -y --allow-downgrades install "/root/tunlease_$1.deb" "/root/libpam-tunnel_$1.deb"
}
has_versions() # VERSION WHAT
{
	# shellcheck disable=SC2016 # dpkg-query's
	assert_eq "$(in_gw dpkg-query -W -f '${db:Status-Abbrev}${Version} ' tunlease libpam-tunnel)" "ii $1 ii $1 " "$2"
	assert_eq "$(in_gw dpkg --audit)" '' "$2: dpkg has nothing left to do"
}
says_on_error() # TEXT WHAT
{
	grep -q -F -- "$1" "$WORK/err" "$WORK/out" || fail "$2: $(tail -n 5 "$WORK/err" "$WORK/out")"
	ok "$2"
}
ada_logs_in() { says "$1: ada logs in" ada "${SSH[@]}" -i "$WORK/ada" "ada@$GATEWAY" id -un; }
pam_is_clean() { ! grep -q pam_tunnel "$root"/etc/pam.d/* || fail "$1: PAM still names pam_tunnel"; ok "$1: PAM does not name pam_tunnel"; }
is_set_up() { doctor_finds_nothing gw "$1"; }

repack "$version"
repack 9.1

note "a login that is somebody's"
enter gw useradd -m -s /usr/sbin/nologin pfwd
enter gw install -D -o pfwd -m 0600 /dev/stdin /home/pfwd/.ssh/authorized_keys <"$WORK/ada.pub"
expect_exit 0 install_debs "$version"
has_versions "$version" 'the packages are installed'
says_on_error 'then: leasectl setup' 'apt says what to run later'
[[ ! -e $dropin ]] || fail 'there is a drop-in'
pam_is_clean 'before a setup'
ada_logs_in 'before a setup'
assert_eq "$(in_gw systemctl is-active leased.socket leased.service | tr '\n' ' ')" 'active active ' 'leased runs'
enter gw userdel -r pfwd 2>/dev/null
expect_exit 0 in_gw leasectl setup
is_set_up 'after what was in the way has gone'

note 'an upgrade, and a downgrade'
socket=$(in_gw systemctl show -p InvocationID leased.socket)
daemon=$(in_gw systemctl show -p InvocationID leased.service)
expect_exit 0 install_debs 9.1
has_versions 9.1 'a newer version is installed'
assert_eq "$(in_gw systemctl show -p InvocationID leased.socket)" "$socket" 'the socket was not closed'
[[ $(in_gw systemctl show -p InvocationID leased.service) != "$daemon" ]] || fail 'leased was not restarted'
is_set_up 'after an upgrade'
expect_exit 100 install_debs "$version"
says_on_error 'TUNLEASE_DOWNGRADE=yes' 'a downgrade is refused, with the word that allows it'
has_versions 9.1 'after the refusal'
assert_eq "$(in_gw systemctl is-active leased.socket leased.service | tr '\n' ' ')" 'active active ' 'leased runs after the refusal'
is_set_up 'after the refusal'
expect_exit 0 install_debs "$version" TUNLEASE_DOWNGRADE=yes
has_versions "$version" 'the admin has insisted'
is_set_up 'after the downgrade'

note 'a store that the package cannot read'
enter gw systemctl stop leased.socket leased.service
# The new number is in the log alone.
set_version='
import os, sqlite3, sys
db = sqlite3.connect("/var/lib/tunlease/leases.db")
db.execute("PRAGMA user_version = " + sys.argv[1])
db.commit()
os._exit(0)'
enter gw python3 -c "$set_version" 99
printf 'Database %s\n' /var/lib/tunlease/leases.db /var/lib/another.db >"$WORK/first_counts"
cat "$root/etc/tunlease/tunlease.conf" >>"$WORK/first_counts"
cp "$root/etc/tunlease/tunlease.conf" "$WORK/conf"
cp "$WORK/first_counts" "$root/etc/tunlease/tunlease.conf"
for word in NOTHING=1 TUNLEASE_DOWNGRADE=yes; do
	expect_exit 100 install_debs 9.1 "$word"
	says_on_error 'has version 99' 'a package that cannot read the store is refused'
	has_versions "$version" 'after that'
done
cp "$WORK/conf" "$root/etc/tunlease/tunlease.conf"
enter gw python3 -c "$set_version" "$(sed -n 's/.*STORE_VERSION = \([0-9]*\),.*/\1/p' "$TOP/lib/store/version.h")"
enter gw systemctl start leased.socket leased.service
is_set_up 'with a store that it reads'

note 'what an admin has undone'
expect_exit 0 in_gw leasectl setup --undo
expect_exit 0 install_debs 9.1
says_on_error "until 'leasectl setup'" 'apt says that the host is not set up'
expect_exit 0 in_gw pam-auth-update --package
[[ ! -e $dropin ]] || fail 'an upgrade has set the host up again'
pam_is_clean 'an upgrade, and an update of PAM'
expect_exit 0 in_gw apt-get -qq -y remove tunlease
has_gone() { [[ -z $(in_gw pgrep -x leased) ]] || fail "$1: leased still runs"; ok "$1: leased has gone"; }
has_gone 'after a removal'
expect_exit 0 install_debs 9.1
is_set_up 'an install sets up again'

note 'a drop-in that was edited'
echo '# mine' >>"$dropin"
expect_exit 0 in_gw apt-get -qq -y remove tunlease libpam-tunnel
grep -q '# mine' "$dropin" || fail 'the text of the drop-in has gone'
expect_exit 0 in_gw sshd -t
pam_is_clean 'after the removal'
has_gone 'after the removal'
ada_logs_in 'after the removal'

note 'a configuration that is broken'
sed -i '/# mine/d' "$dropin"
expect_exit 0 install_debs 9.1
is_set_up 'installed again'
echo 'Nonsense here' >>"$root/etc/tunlease/tunlease.conf"
expect_exit 0 in_gw apt-get -qq -y remove tunlease libpam-tunnel
[[ ! -e $dropin ]] || fail 'sshd would still read the drop-in'
pam_is_clean 'after the removal with a broken configuration'
ada_logs_in 'after the removal with a broken configuration'
sed -i '/Nonsense/d' "$root/etc/tunlease/tunlease.conf"

note 'libpam-tunnel goes first'
expect_exit 0 install_debs 9.1
is_set_up 'installed again'
expect_exit 0 in_gw dpkg -r --force-depends libpam-tunnel
pam_is_clean 'without the module'
ada_logs_in 'without the module'
expect_exit 0 in_gw sshd -t
# apt-get would not go on from there.
expect_exit 0 in_gw dpkg -i /root/libpam-tunnel_9.1.deb
expect_exit 0 in_gw leasectl setup
is_set_up 'with the module again'

note 'an sshd that a socket unit starts reads the drop-in as soon as it is there'
expect_exit 0 in_gw leasectl setup --undo
enter gw systemctl -q disable --now ssh.service
enter gw systemctl -q enable --now ssh.socket
enter gw mv /usr/sbin/pam-auth-update /usr/sbin/pam-auth-update.own
enter gw install -m 0755 /dev/stdin /usr/sbin/pam-auth-update <<'EOF'
#!/bin/sh
[ ! -e /etc/ssh/sshd_config.d/20-tunlease.conf ] || touch /root/drop-in-first
exec /usr/sbin/pam-auth-update.own "$@"
EOF
expect_exit 0 in_gw leasectl setup
enter gw mv /usr/sbin/pam-auth-update.own /usr/sbin/pam-auth-update
[[ ! -e $root/root/drop-in-first ]] || fail 'sshd read the drop-in before PAM had the module'
is_set_up 'with a socket unit'
enter gw systemctl -q disable --now ssh.socket
enter gw systemctl -q enable --now ssh.service

note 'a purge, and what is not ours'
enter gw useradd -M -d / -s /usr/sbin/nologin friend
expect_exit 0 in_gw leasectl login add friend
expect_exit 0 in_gw leasectl login add jobs
printf '%s\n' '@daily true' | enter gw crontab -u jobs -
expect_exit 0 in_gw leasectl login add plain
put_debs gw tunnel-agent
expect_exit 0 in_gw apt-get -qq -y install "${PUT[@]}"
enter gw install -m 0600 /dev/null /etc/tunlease/agent.env
enter gw touch /etc/tunlease/tunnels.conf
# As where the store has a disk of its own.
enter gw mount --bind /var/lib/tunlease /var/lib/tunlease
expect_exit 0 in_gw apt-get -qq -y purge tunlease libpam-tunnel
assert_eq "$(ls -A "$root/var/lib/tunlease")" '' 'the store is gone, and its disk is still mounted'
enter gw sh -c 'umount /var/lib/tunlease && rmdir /var/lib/tunlease'
says_on_error "account 'friend' was there before tunlease" "apt says that friend's account stays"
says_on_error "account 'jobs' has got other uses" "apt says that the account with a crontab stays"
for login in friend jobs; do
	enter gw getent passwd "$login" >/dev/null || fail "$login was deleted"
done
for name in pfwd gw-tunnel plain _tunlease _tunlease-akc; do
	! enter gw getent passwd "$name" >/dev/null || fail "$name is still there"
done
! enter gw getent group _tunlease || fail 'a group is still there'
[[ -z $(find "$root/etc/systemd/system" -lname /dev/null) ]] || fail 'a mask is still there'
assert_eq "$(cd "$root/etc/tunlease" && echo *)" 'agent.env tunnels.conf' "the agent's settings stay"
expect_exit 0 in_gw apt-get -qq -y purge tunnel-agent
[[ ! -e $root/etc/tunlease && ! -e $root/var/lib/tunlease && ! -e $root/run/tunlease && ! -e $root/var/lib/tunnel-agent ]] ||
	fail 'something of ours is still there'
! enter gw getent passwd _tunnel-agent >/dev/null || fail '_tunnel-agent is still there'
ada_logs_in 'after the purge'
assert_eq "$(machine_state gw)" running 'systemctl is-system-running'
