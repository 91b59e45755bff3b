#!/bin/bash
# SPDX-License-Identifier: ISC
# Whoever has become _tunlease owns /var/lib/tunlease and /run/leased. The maintainer scripts, which are root's,
# work in both: they must touch, read and remove nothing elsewhere, and hang on nothing. Nor do they use a
# name in /tmp that somebody could have taken.
# timeout: 100
set -euo pipefail
. "$TOP/tests/machine.sh"
machine_host "$@"
packages_built

machine_start gateway
root=$(root_of gateway)
store=/var/lib/tunlease canaries=/var/lib/canary # on one file system: hard links go there
in_gateway() { enter gateway "$@"; }
as_owner() { in_gateway setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
ordinary_accounts gateway
gcc -std=c11 -D_GNU_SOURCE -O1 -o "$root/var/tmp/swap" "$TOP/tests/fault/swap.c" || fail 'tests/fault/swap.c does not build'

install -d -m 0755 "$root$canaries/directory"
for name in shadow new-wal directory/{1..50}; do
	echo 'root:CANARY-SECRET:19000:0:99999:7:::' >"$root$canaries/$name"
	chmod 0600 "$root$canaries/$name"
done
listing_of gateway "$WORK/listing"
canaries_live()
{
	(cd "$root$canaries" && find . -printf '%P %y %m %U:%G %n %T@\n' -type f -exec sha256sum {} + | sort)
}
canaries_live >"$WORK/canaries"
judge()
{
	! grep -q CANARY "$WORK/out" "$WORK/err" || fail "$1: a script reads elsewhere: $(grep -h CANARY "$WORK/out" "$WORK/err" | head -n 1)"
	canaries_live >"$WORK/now"
	diff "$WORK/canaries" "$WORK/now" || fail "$1: a file of root's was touched"
	[[ ! -e $root$canaries/made && ! -e $root/etc/canary ]] || fail "$1: a file was made elsewhere"
	ok "$1"
}

put_debs gateway tunlease libpam-tunnel
install_it() { expect_exit 0 in_gateway apt-get -y -q install "${PUT[@]}"; }
script() { timeout "$(slow 15)" nsenter -t "${machine_leaders[gateway]}" -a env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
	"/var/lib/dpkg/info/tunlease.$1" "${@:2}" >>"$WORK/out" 2>>"$WORK/err"; }
# What apt-get makes of an upgrade, and a boot.
upgrade()
{
	local rc=0
	: >"$WORK/out"; : >"$WORK/err"
	script preinst upgrade 0.1.0-1 0.1.0-1 || fail "$1: the preinst exits $?: $(tail -n 3 "$WORK/err")"
	script postinst configure 0.1.0-1 || rc=$?
	((rc == 0)) || fail "$1: the postinst exits $rc: $(tail -n 3 "$WORK/err")"
	in_gateway timeout "$(slow 10)" systemd-tmpfiles --create tunlease.conf >>"$WORK/out" 2>>"$WORK/err" || :
}
install_it
in_gateway systemctl stop leased.socket leased.service
cp -a "$root$store" "$WORK/good"
restore()
{
	in_gateway systemctl stop leased.socket leased.service
	# The count of its starts that did not last: with that, it would pause before each of them, for up to 30 s.
	in_gateway rm -rf /run/leased
	find "$root$store" -mindepth 1 -delete
	cp -a "$WORK/good/." "$root$store/"
}

note 'links, pipes and directories in place of the files of the store'
attack() # NAME COMMAND...
{
	restore
	"${@:2}"
	upgrade "$1"
	judge "$1"
}
link() { as_owner ln -sf "$2" "$store/$1"; }
pipe() { as_owner rm -f "$store/$1"; as_owner mkfifo "$store/$1"; }
directory() { as_owner rm -f "$store/$1"; as_owner mkdir "$store/$1"; }
attack 'the -wal is a link to a file of root' link leases.db-wal "$canaries/shadow"
attack 'the -shm is a link to a new name' link leases.db-shm "$canaries/made"
attack 'the store is a link to a new name' link leases.db /etc/canary
# systemd-tmpfiles gives a file with several names away, unless the kernel lets others make such names.
if as_owner ln -f "$canaries/shadow" "$store/leases.db-wal" 2>"$WORK/err"; then
	canaries_live >"$WORK/canaries"
	upgrade 'the -wal is a hard link to a file of root'
	judge 'the -wal is a hard link to a file of root'
	rm "$root$store/leases.db-wal"
	canaries_live >"$WORK/canaries"
else
	note "no hard link to a file of root: the kernel refuses it ($(cat "$WORK/err"))"
fi
attack 'the -wal is a pipe' pipe leases.db-wal
restore
link leases.db-wal /dev/zero
script preinst upgrade 0.1.0-1 0.1.0-1 || fail "the preinst exits $?: $(tail -n 3 "$WORK/err")"
ok 'the -wal is a device without an end'
attack 'the -shm is a directory' directory leases.db-shm
restore

note 'names that change places while root works'
swapping() # PATH: it and evil, in the store
{
	(trap - ERR; set +e; as_owner /var/tmp/swap "$store/$1" "$store/evil"; exit 0) 2>/dev/null &
	swapper=$!
}
race() # NAME PATH TARGET: PATH in the store changes places with a link to TARGET
{
	local _
	restore
	as_owner ln -s "$3" "$store/evil"
	swapping "$2"
	for _ in 1 2; do upgrade "$1"; done
	as_owner kill -KILL -1 2>/dev/null || :
	wait "$swapper" 2>/dev/null || :
	judge "$1"
}
race 'the -wal changes places with a link to a file of root' leases.db-wal "$canaries/shadow"
race 'the store changes places with a link to a new name' leases.db "$canaries/made"
restore

note 'a /tmp in which nobody can make a file'
for dir in /tmp /var/tmp; do in_gateway mount -t tmpfs -o ro none "$dir"; done
upgrade 'a /tmp in which nobody can make a file'
script prerm remove || fail "the prerm needs /tmp: $(tail -n 3 "$WORK/err")"
[[ ! -e $root/etc/ssh/sshd_config.d/20-tunlease.conf ]] || fail 'the prerm did not do its work'
script postinst configure 0.1.0-1 || fail "the postinst needs /tmp: $(tail -n 3 "$WORK/err")"
[[ -e $root/etc/ssh/sshd_config.d/20-tunlease.conf ]] || fail 'the postinst did not do its work'
judge 'no script needs a name in /tmp'
for dir in /tmp /var/tmp; do in_gateway umount "$dir"; done

note 'purge of a directory full of traps, while it changes'
# shellcheck disable=SC2016 # sh's, there
as_owner sh -ec 'cd "$1"
	mkdir -m 0700 sub -- -rf; mkdir closed; touch closed/file; chmod 0 closed
	ln -s /etc etc; ln -s /home/ada "$(printf "a\nb etc passwd")"; ln -s "$2/directory" -- "--no-preserve-root"; mkfifo pipe
	for n in $(seq 2000); do : >sub/$n; done
	ln -s "$2/directory" evil
	d=deep; for n in $(seq 200); do mkdir -p $d; d=$d/deep; done' - "$store" "$canaries"
in_gateway systemctl stop leased.socket leased.service
in_gateway install -d -o _tunlease /run/leased
as_owner ln -s "$canaries/directory" /run/leased/link
swapping sub
expect_exit 0 in_gateway apt-get -y -q purge tunlease libpam-tunnel
judge 'purge removes no file elsewhere'
[[ ! -e $root$store ]] || fail 'the store is still there'
grep -q "^tunlease: the user '_tunlease' stays; once its processes have ended: userdel _tunlease" "$WORK/out" "$WORK/err" ||
	fail "the purge does not say whom it had to leave: $(tail -n 5 "$WORK/out" "$WORK/err")"
ok 'a user who still has processes is named'
as_owner kill -KILL -1 2>/dev/null || :
wait "$swapper" 2>/dev/null || :
in_gateway userdel _tunlease
! grep -q '^_tunlease:' "$root/etc/group" || in_gateway groupdel _tunlease
in_gateway rm "${PUT[@]}"
same_listing gateway "$WORK/listing"
