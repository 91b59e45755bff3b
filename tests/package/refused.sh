#!/bin/bash
# SPDX-License-Identifier: ISC
# apt install where setup stops: sshd's configuration is broken, or would let no tunnel login in, or a name is
# somebody's. It ends well, says what to do, changes nothing of sshd's and PAM's, and tells no sshd to reload. What
# belongs to people outlives the purge.
# timeout: 100
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"
packages_built

machine_start gateway
root=$(root_of gateway)
ssh=$root/etc/ssh config=$root/etc/ssh/sshd_config dropin=$root/etc/ssh/sshd_config.d/20-tunlease.conf
ordinary_accounts gateway
know_machine gateway
in_gateway() { enter gateway "$@"; }
site() { printf '%s\n' "$@" >"$ssh/sshd_config.d/50-site.conf"; }

# Returns when sshd listens again, which it says once for each of two addresses.
listens() { in_gateway journalctl -q -o cat -u ssh | grep -c '^Server listening' || :; }
has_listened() { (($(listens) >= $1)); }
reload_ssh()
{
	local before
	before=$(listens)
	in_gateway systemctl reload ssh
	wait_for 10 'sshd to listen again' has_listened $((before + 2))
}

# What sshd and PAM go by, who sshd is, and how often it was told to reload.
state()
{
	# The time of a directory is that of the drop-in, which was there for a moment. pam-auth-update, which
	# libpam-tunnel's installation calls, writes PAM's files anew, with the same content.
	(
		cd "$root/etc"
		find ssh pam.d \( -type d -printf '%p %m %U:%G\n' -o -printf '%p %y %l %m %U:%G\n' \) -type f -exec sha256sum {} + | sort
		find ssh -type f -printf '%p %T@\n' | sort
	)
	in_gateway systemctl show -P MainPID ssh
	in_gateway journalctl -q -o cat -u ssh | grep -c 'Received SIGHUP' || :
}
# not_set_up WORDS RESULT: of RESULT, what apt-get or the postinst has said, one line is WORDS, one is ours.
not_set_up()
{
	[[ $(state) == "$before" ]] || fail "something has changed: $(diff <(echo "$before") <(state))"
	assert_eq "$(grep -Ec "^leasectl: setup: $1" "$2") $(grep -c '^leasectl:' "$2") $(grep -c '^tunlease is installed, and NOT set up' "$2")" \
		'1 1 1' "not set up, and sshd and PAM are as they were: $(sed -n 's/^leasectl: setup: //p' "$2" | cut -c -90)"
}
# refused WORDS COMMAND...: COMMAND changes sshd's files or the accounts, and sshd reads that. Then the postinst.
refused()
{
	local words=$1 rc=0; shift
	"$@"
	reload_ssh
	before=$(state)
	in_gateway /var/lib/dpkg/info/tunlease.postinst configure 0.1.0-1 >"$WORK/out" 2>&1 || rc=$?
	((rc == 0)) || fail "the postinst exits $rc: $(cat "$WORK/out")"
	not_set_up "$words" "$WORK/out"
	cp -a "$WORK/ssh/." "$ssh/"
	rm -f "$ssh/sshd_config.d/50-site.conf"
	reload_ssh
}

note 'a configuration that is broken before we come'
cp -a "$ssh" "$WORK/ssh"
site 'NoSuchKeyword yes'
before=$(state)
put_debs gateway tunlease libpam-tunnel
expect_exit 0 in_gateway sh -c 'apt-get -y -q install "$@" 2>&1' - "${PUT[@]}"
not_set_up "'sshd -t' refuses the configuration that is there: .*NoSuchKeyword" "$WORK/out"
# shellcheck disable=SC2016 # dpkg's
assert_eq "$(in_gateway dpkg-query -W -f '${db:Status-Abbrev}' tunlease)" 'ii ' 'the package is installed'
! grep '^pfwd:' "$root/etc/passwd" || fail 'a login was made'
ordinary_logins gateway
rm "$ssh/sshd_config.d/50-site.conf"

note 'an sshd that would let no tunnel login in'
refused "sshd has 'UsePAM no'.* Set 'UsePAM yes'" site 'UsePAM no'
refused "sshd does not read .* Add the line 'Include" sed -i '/^Include/d' "$config"
refused "sshd would let no tunnel login in: AllowUsers does not name 'pfwd'.*add the line 'AllowUsers pfwd'" site 'AllowUsers ada root'
refused "sshd would let no tunnel login in: AllowGroups .*add the line 'AllowGroups _tunnel'" site 'AllowGroups ada root'

note 'names that are of somebody else'
in_gateway userdel pfwd
in_gateway useradd -m -s /bin/bash pfwd
in_gateway install -d -o pfwd -m 0700 /home/pfwd/.ssh
in_gateway install -o pfwd -m 0600 /dev/stdin /home/pfwd/.ssh/authorized_keys <"$WORK/ada.pub"
person=$(grep '^pfwd:' "$root"/etc/{passwd,shadow})
pfwd_works() { says "$1: pfwd, a person" pfwd "${SSH[@]}" -i "$WORK/ada" "pfwd@$GATEWAY" id -un; }
refused "'pfwd' is somebody's account.* choose another name; ForwardLogin in '/etc/tunlease/tunlease.conf' names it" pfwd_works 'before'
pfwd_works 'after that'
in_gateway usermod -aG _tunnel ada
refused "group '_tunnel' has the member 'ada'" pfwd_works 'with a group of people'
ordinary_logins gateway

note 'the purge leaves them'
expect_exit 0 in_gateway apt-get -y -q purge tunlease libpam-tunnel
assert_eq "$(grep '^pfwd:' "$root"/etc/{passwd,shadow})" "$person" 'the person keeps his account'
pfwd_works 'after the purge'
assert_eq "$(grep '^_tunnel:' "$root/etc/group" | cut -d: -f4)" ada 'the group of people stays'
! grep -E 'tunlease|gw-tunnel' "$root"/etc/{passwd,group,shadow,gshadow} || fail 'an account of ours is left'
[[ ! -e $root/etc/tunlease && ! -e $root/var/lib/tunlease && ! -e $dropin ]] || fail 'files of ours are left'
ok 'all of ours is gone'

note 'DisableForwarding for everybody is no obstacle: our Match blocks have their own'
in_gateway userdel -f -r pfwd 2>/dev/null # logind keeps a manager of his for a while
in_gateway gpasswd -d ada _tunnel >/dev/null
in_gateway groupdel _tunnel
site 'DisableForwarding yes'
reload_ssh
expect_exit 0 in_gateway apt-get -y -q install "${PUT[@]}"
[[ -e $dropin ]] || fail 'not set up'
expect_exit 0 in_gateway leasectl doctor
expect_exit 0 in_gateway leasectl verify
ok 'set up, doctor finds nothing, verify passes'

note 'what the admin undoes stays undone in an upgrade'
expect_exit 0 in_gateway leasectl setup --undo
before=$(state)
expect_exit 0 in_gateway sh -c '/var/lib/dpkg/info/tunlease.postinst configure 0.1.0-1 2>&1'
grep -q "'leasectl setup --undo' was run on this host, and that stays so" "$WORK/out" || fail "$(cat "$WORK/out")"
assert_eq "$(state)" "$before" 'nothing has changed'
