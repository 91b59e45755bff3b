#!/bin/bash
# SPDX-License-Identifier: ISC
# The packages on hosts whose sshd somebody else has configured: with key commands of their own, one of them
# systemd's for user records, as Debian 13 has it, and with Match blocks before, behind and beside ours. Whatever
# is installed, removed and purged, nothing of theirs changes, and their logins go on working.
# timeout: 100
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"
packages_built

# ---- two hosts that have an owner ------------------------------------------------------------------------------

# site_files NAME: what both hosts have: users, keys that are not in their homes, and sshd's files.
site_files()
{
	local name=$1 root
	root=$(root_of "$name")
	ordinary_accounts "$name"
	[[ -e $WORK/bob ]] || { new_key bob >/dev/null; new_key alice >/dev/null; }
	enter "$name" groupadd sftponly
	enter "$name" useradd -m -s /bin/bash -G sftponly eve
	enter "$name" useradd -r -s /usr/sbin/nologin sitekeys
	# The first has no newline at its end, and leaves its block open.
	printf '%s\n' 'Match Group sftponly' '    X11Forwarding no' '    PermitTTY no' '    ForceCommand internal-sftp' \
		>"$root/etc/ssh/sshd_config.d/15-sftp.conf"
	truncate -s -1 "$root/etc/ssh/sshd_config.d/15-sftp.conf"
	printf '%s\n' 'AuthorizedKeysCommand /usr/bin/userdbctl ssh-authorized-keys %u' 'AuthorizedKeysCommandUser root' \
		>"$root/etc/ssh/sshd_config.d/20-systemd-userdb.conf"
	printf '%s\n' 'MaxAuthTries 5' 'Match User *,!root' '    Banner none' 'Match LocalPort 22 User bob,ada' '    LogLevel VERBOSE' \
		>"$root/etc/ssh/sshd_config.d/90-late.conf"
	printf '%s\n' 'Match User bob' '    AllowTcpForwarding no' '    GatewayPorts yes' >>"$root/etc/ssh/sshd_config"
}

# One host has a global command of its own, which sorts first and so puts systemd's out of force.
site_host()
{
	local root
	root=$(root_of site)
	enter site useradd -m -s /bin/bash bob
	mkdir -p "$root/etc/site-keys" "$root/usr/local/libexec"
	cp "$WORK/bob.pub" "$root/etc/site-keys/bob"
	printf '%s\n' '#!/bin/sh' "exec cat \"/etc/site-keys/\$1\"" >"$root/usr/local/libexec/site-keys"
	chmod 0755 "$root/usr/local/libexec/site-keys"
	printf '%s\n' 'AuthorizedKeysCommand /usr/local/libexec/site-keys %u' 'AuthorizedKeysCommandUser sitekeys' \
		'Match Address 192.0.2.0/24' '    PasswordAuthentication no' >"$root/etc/ssh/sshd_config.d/10-site.conf"
}
# On the other, systemd's is in force: bob is a user record with a key, and in no line of passwd(5). And a block
# before ours, which is for no login in particular, takes something from ours.
trixie_host()
{
	local root line
	root=$(root_of trixie)
	userdb_of "$root"
	mkdir -p "$root/etc/userdb"
	line='"realName":"Bob","uid":4711,"gid":4711,"disposition":"regular","homeDirectory":"/home/bob","shell":"/bin/bash"'
	printf '{"userName":"bob",%s}\n' "$line" >"$root/etc/userdb/bob.user"
	printf '{"privileged":{"sshAuthorizedKeys":["%s"]}}\n' "$(cat "$WORK/bob.pub")" >"$root/etc/userdb/bob.user-privileged"
	echo '{"groupName":"bob","gid":4711}' >"$root/etc/userdb/bob.group"
	chmod 0600 "$root/etc/userdb/bob.user-privileged"
	ln -s bob.user "$root/etc/userdb/4711.user"
	ln -s bob.group "$root/etc/userdb/4711.group"
	install -d -o 4711 -g 4711 -m 0700 "$root/home/bob"
	sed -i -E 's/^((passwd|group|shadow):.*)/\1 systemd/' "$root/etc/nsswitch.conf"
	printf '%s\n' 'Match Address 192.0.2.0/24' '    PasswordAuthentication no' '    AllowTcpForwarding no' \
		>"$root/etc/ssh/sshd_config.d/10-site.conf"
}
# The files of two packages of systemd's, which the other tests do not need.
userdb_of()
{
	local dir=$machine_packages/userdb lock download
	mkdir -p "$machine_packages"
	exec {lock}>"$machine_packages/lock"
	flock "$lock"
	[[ -d $dir ]] || {
		rm -rf "$dir.new"
		mkdir "$dir.new"
		# A host made from an image has no package lists yet.
		download="cd '$dir.new' && apt-get -qq download systemd-userdbd libnss-systemd"
		nsenter --net="/proc/self/fd/$MACHINE_NET" sh -c "{ $download; } || { apt-get -qq update && $download; }" >"$WORK/err" 2>&1 ||
			machine_skip "no Debian mirror has systemd-userdbd: $(tail -n 1 "$WORK/err")"
		for deb in "$dir.new"/*.deb; do dpkg -x "$deb" "$dir.new"; done
		rm "$dir.new"/*.deb
		mv "$dir.new" "$dir"
	}
	exec {lock}>&-
	cp -a "$dir"/usr/{bin,lib} "$1/usr/"
	cp -a "$dir/lib/." "$1/usr/lib/"
}

# ---- what may not change ---------------------------------------------------------------------------------------

# What sshd does with a dozen users from four places, for everybody but our logins.
sshd_says()
{
	# shellcheck disable=SC2016 # bash's, there
	enter "$1" bash -ec 'for user in root ada bob eve sitekeys daemon nobody sshd www-data backup sync no-such-user; do
		for from in addr=127.0.0.1,laddr=127.0.0.1 addr=192.0.2.7,laddr=10.77.0.1 addr=10.77.0.254,laddr=10.77.0.1 addr=::1,laddr=::1; do
			echo "== $user $from"; sshd -T -C "user=$user,host=h,lport=22,$from"; done; done'
}
# All files of /etc with their contents, modes, owners and times, but for accounts and PAM's common files, which
# useradd and pam-auth-update write, and of which the content is compared after the purge.
etc_of()
{
	(
		cd "$(root_of "$1")/etc"
		find . \( -path ./tunlease -o -path ./ssh/sshd_config.d/20-tunlease.conf -o -path './systemd/system/*/leased*' -o \
			-path './systemd/system/user@*.service' -o -regex './g?\(passwd\|shadow\|group\)-?' -o -path './sub[ug]id*' -o \
			-path './pam.d/common-*' -o -path ./.pwd.lock -o -path ./ld.so.cache \) -prune -o \
			-not -type d -printf '%p %y %l %m %U:%G %T@\n' | sort
		find . -type d -printf '%p %m %U:%G\n' | grep -v '^./tunlease ' | sort
	)
}
unchanged() # NAME WHEN
{
	sshd_says "$1" >"$WORK/sshd.now"
	diff "$WORK/sshd.$1" "$WORK/sshd.now" >"$WORK/diff" || fail "$1 $2: sshd does something else: $(head -n 5 "$WORK/diff")"
	etc_of "$1" >"$WORK/etc.now"
	diff "$WORK/etc.$1" "$WORK/etc.now" >"$WORK/diff" || fail "$1 $2: files of others in /etc: $(head -n 5 "$WORK/diff")"
	ok "$1 $2: sshd does the same for $(grep -c '^==' "$WORK/sshd.now") kinds of logins, and $(wc -l <"$WORK/etc.now") files of others in /etc are as they were"
}
bobs_key_works() # NAME WHEN
{
	says "$1 $2: bob, whose key their command knows" bob "${SSH[@]}" -i "$WORK/bob" "bob@$(address_of "$1")" id -un
}
all_as_before() { unchanged "$@"; bobs_key_works "$@"; }

install_it() # NAME: what apt-get says goes to $WORK/apt
{
	put_debs "$1" tunlease libpam-tunnel
	enter "$1" apt-get -y -q install "${PUT[@]}" >"$WORK/apt" 2>&1 || fail "apt-get install: $(tail -n 5 "$WORK/apt")"
	enter "$1" rm "${PUT[@]}"
}
tunnel_works() # NAME
{
	enter "$1" leasectl grant alice --key - --open 8009 <"$WORK/alice.pub" >/dev/null
	GATEWAY=$(address_of "$1")
	fwd_L "$WORK/alice" pfwd 18009:127.0.0.1:8009 || fail "$1: no tunnel: $(tail -n 3 "$WORK/ssh.err")"
	talk_to 18009
	talks "$TALK" || fail "$1: no data through the tunnel"
	ok "$1: a tunnel carries data"
}

machine_start site
machine_start trixie
for host in site trixie; do
	know_machine "$host"
	site_files "$host"
	"${host}_host"
	enter "$host" sshd -t || fail "their configuration is wrong"
	enter "$host" systemctl reload ssh
	echo_service "$host" 8009
	sshd_says "$host" >"$WORK/sshd.$host"
	etc_of "$host" >"$WORK/etc.$host"
	bobs_key_works "$host" 'before'
	listing_of "$host" "$WORK/all.$host"
done
in_force() { sed -n 's/^authorizedkeyscommand //p' <<<"$(enter "$1" sshd -T -C "user=$2,host=h,addr=127.0.0.1,laddr=127.0.0.1,lport=22")"; }
assert_eq "$(in_force site bob)" '/usr/local/libexec/site-keys %u' "on site their own command is in force"
assert_eq "$(in_force trixie bob)" '/usr/bin/userdbctl ssh-authorized-keys %u' "on trixie systemd's is"

for host in site trixie; do
	note "$host: installed"
	install_it "$host"
	all_as_before "$host" 'after the install'
	assert_eq "$(in_force "$host" pfwd)" '/usr/libexec/tunlease/akc %u %t %k' "$host: sshd asks akc for our logins"
	tunnel_works "$host"
	enter "$host" leasectl --json doctor >"$WORK/doctor.json" || :
	python3 -c 'import json, sys
for f in json.load(open(sys.argv[1])):
    if f["result"] not in ("ok", "note"): print(f["result"], f["detail"], sep=": ")' "$WORK/doctor.json" >"$WORK/doctor"
	if [[ $host == site ]]; then
		[[ ! -s $WORK/doctor ]] || fail "$host: doctor finds something: $(cat "$WORK/doctor")"
		ok "$host: doctor finds nothing"
	else
		assert_eq "$(grep -c "^fail: for '[a-z-]*' from 192.0.2.1 allowtcpforwarding is 'no',.*: '/etc/ssh/sshd_config.d/10-site.conf:3'" \
			"$WORK/doctor") of $(wc -l <"$WORK/doctor")" '2 of 2' "$host: doctor names the line that takes something from our logins"
	fi
	enter "$host" leasectl verify alice >"$WORK/out" 2>&1 || fail "$host: verify: $(tail -n 5 "$WORK/out")"
	ok "$host: verify passes"
	ordinary_logins "$host"
	all_as_before "$host" 'after logins'

	note "$host: removed, with the tunnel up"
	enter "$host" apt-get -y -q remove tunlease >"$WORK/apt" 2>&1 || fail "apt-get remove: $(tail -n 5 "$WORK/apt")"
	wait_for 5 'the tunnel to end' is_gone "$FWD_PID"
	all_as_before "$host" 'after the removal'
	enter "$host" apt-get -y -q purge tunlease libpam-tunnel >"$WORK/apt" 2>&1 || fail "apt-get purge: $(tail -n 5 "$WORK/apt")"
	all_as_before "$host" 'after the purge'
	ordinary_logins "$host"
	same_listing "$host" "$WORK/all.$host"
done
