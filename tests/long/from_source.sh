#!/bin/bash
# SPDX-License-Identifier: ISC
# A stranger's first hour: a fresh minimal Debian 12 that has git and make, `git clone`, `make demo`, `make check`,
# and nothing else typed. Needs a Debian mirror, and 3 GB of memory for what these install.
# timeout: 2400
set -euo pipefail
. "$TOP/tests/bare_dev.sh"

there()
{
	local fresh=$1 command=$2
	mount --bind "$fresh" "$fresh"
	mount -t proc -o nosuid,nodev,noexec proc "$fresh/proc"
	mount --rbind /sys "$fresh/sys" # journald does not start where it finds no cgroups
	bare_dev "$fresh/dev"
	exec chroot "$fresh" env -i HOME=/root TERM=dumb \
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd; $command"
}
[[ ${1-} != typed ]] || there "${@:2}"

. "$TOP/tests/machine.sh"
machine_host "$@"

type -P mmdebstrap >/dev/null || machine_skip 'needs mmdebstrap'
# In memory: apt-get waits for a disk longer than for anything else.
fresh=$machine_world/fresh
outside() { nsenter --net="/proc/self/fd/$MACHINE_NET" "$@"; }
outside mmdebstrap --mode=root --variant=minbase --format=directory --include=git,make,ca-certificates bookworm "$fresh" \
	>"$WORK/mmdebstrap.log" 2>&1 </dev/null || { tail -n 5 "$WORK/mmdebstrap.log"; machine_skip 'no Debian mirror, or mmdebstrap is refused'; }
cp /etc/resolv.conf "$fresh/etc/resolv.conf"
git clone -q --bare "$TOP" "$fresh/srv/tunlease.git"

# A root that is a mount, as that of a machine or a container, with devices of its own. Each command has it in
# namespaces of its own, so that nothing but files is left when it ends.
typed() # COMMAND: what somebody types there
{
	note "$1"
	outside unshare --mount --pid --fork --kill-child --propagation private "$0" typed "$fresh" "$1" </dev/null \
		>"$WORK/typed.out" 2>&1 || {
			awk '/^FAIL/ { shown = 1 } /^[^ F]/ { shown = 0 } shown' "$WORK/typed.out"
			tail -n 40 "$WORK/typed.out"
			fail "$1"
		}
}

typed 'git clone /srv/tunlease.git tunlease'
typed 'cd tunlease && make demo'
grep -q '^gateway# leasectl revoke' "$WORK/typed.out" || fail "the demo shows no revoke: $(tail -n 20 "$WORK/typed.out")"
ok "make demo, $(wc -l <"$WORK/typed.out") lines"
assert_eq "$(chroot "$fresh" sh -c 'ls -A /etc/tunlease /var/lib/tunlease /etc/ssh/sshd_config.d 2>/dev/null')" \
	'/etc/ssh/sshd_config.d:' 'what the demo leaves in the system'
typed 'cd tunlease && make check'
tail -n 15 "$WORK/typed.out"
