# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# machine.sh: Debian 12 machines that a test boots, with systemd as their first process. A test sources it
# outside tests/sandbox, as its first step, and then calls machine_host.
#
#   machine_host "$@"             starts the test again, as root, in namespaces of its own, where all that it
#                                 mounts, boots and configures ends with it; then loads tests/lib.sh. Exits 77
#                                 with the reason where that is refused. The test's own network has
#                                 10.77.0.254, and the machines are 10.77.0.1, 10.77.0.2 and so on.
#   base_root [PACKAGE...]        sets BASE to the root of a minimal Debian 12 with sshd, sudo, cron and all that
#                                 tunlease's packages depend on, and these packages. Made once, kept in
#                                 build/packages; made again when the list of packages changes.
#   machine_make NAME [LOWER]     an overlay over LOWER (default: base_root's), not yet booted. LOWER is not
#                                 changed; what the machine writes is in memory. It has the host name NAME.test,
#                                 host keys of its own, an address, and the names of all machines in /etc/hosts.
#   machine_start NAME [OPTION...]   boots it, after machine_make if need be, and waits until systemd has started
#                                 all. OPTIONs are systemd's, as on the kernel's command line. TOP is there,
#                                 read-only, at the same path.
#   machine_stop NAME             a clean shutdown
#   machine_reboot NAME           the same, and machine_start
#   machine_crash NAME            what a power failure does
#   enter NAME COMMAND...         runs COMMAND there as root, with the descriptors of the caller
#   root_of NAME                  prints where the machine's root is mounted; it may be changed at any time
#   address_of NAME               prints its address
#   know_machine NAME             makes it the GATEWAY of fwd_L, fwd_R and login_works in tests/lib.sh, which
#                                 connect from outside
#   machine_state NAME            what `systemctl is-system-running` says there, but for sessions that ended too soon
#   doctor_finds_nothing NAME WHEN   fails unless leasectl doctor there has no line but ok and note
#   echo_service NAME PORT        a service on its loopback that sends every line back, until the machine stops
#   listing_of NAME FILE          writes all that the root file system holds to FILE, a line each, with type, mode,
#                                 owner and content, but for logs and what other programs note in passing
#   same_listing NAME FILE        fails, and shows the difference, unless a listing now is that of FILE
#   packages_built                makes the packages of this tree with `make deb`, if they are not made yet; sets DEBS
#                                 to their directory (TEST_DEBS=DIRECTORY: takes those there). Call it first: it may
#                                 take a minute
#   deb_of PACKAGE                prints the file of that package
#   put_debs NAME PACKAGE...      copies these packages into /root there; their paths are in PUT
#   ordinary_accounts NAME        makes a user ada with a password, a key and sudo, and a key of root's
#   ordinary_logins NAME          fails unless ada and root can log in: by ssh with password and with key, by su,
#                                 by sudo, and ada by cron
#
# A machine that fails a test shows the end of its journal. Names of machines are letters and digits.
: "${TOP:?run me through tests/run}"

# What our packages depend on, and what tests use in a machine: with these, apt-get installs our packages
# without a mirror.
base_packages=(systemd-sysv dbus libpam-systemd openssh-server openssh-client openssh-sftp-server sudo cron adduser
	passwd python3 iproute2 procps curl netcat-openbsd init-system-helpers libpam-runtime libsqlite3-0 libbsd0
	libmd0 libjansson4 libevent-core-2.1-7 libevent-extra-2.1-7 libcurl4)
machine_packages=$TOP/build/packages

machine_skip() { printf '%s\n' "$*"; exit 77; }

# ---- the test's own namespaces ---------------------------------------------------------------------------------

machine_host()
{
	local name why rc=0
	if [[ ${MACHINE_HOST-} != inside ]]; then
		((EUID == 0)) || machine_skip 'needs root, to boot a machine'
		for name in systemd-nspawn unshare nsenter mount ip flock; do
			type -P "$name" >/dev/null || machine_skip "needs $name"
		done
		why=$(unshare "${machine_namespaces[@]}" true 2>&1) ||
			machine_skip "this kernel or container does not allow new namespaces: $why"
		machine_cgroups
		trap 'machine_leave_cgroups; rmdir "$MACHINE_WORLD"' EXIT
		export MACHINE_HOST=inside MACHINE_NET MACHINE_WORLD
		exec {MACHINE_NET}</proc/self/ns/net # for the mirror
		MACHINE_WORLD=$(mktemp -d)
		# unshare(1) ignores SIGTERM; it takes all with it when it is killed.
		env --default-signal=INT,QUIT unshare "${machine_namespaces[@]}" "$0" "$@" <&0 &
		trap 'kill -KILL "$!"; wait "$!" 2>/dev/null; exit 143' TERM
		wait "$!" || rc=$?
		exit "$rc"
	fi
	unset MACHINE_HOST
	umask 022 # root's may be 077: then nobody else could enter the root of a machine
	machine_world=$MACHINE_WORLD
	mount -t tmpfs -o mode=0755 world "$machine_world"
	# What nspawn notes of its machines there stays here. Without systemd nobody may seem to have booted it.
	machine_private=/run/systemd
	[[ ! -d /run/systemd/system ]] || machine_private=/run/systemd/nspawn
	mkdir -p "$machine_private"
	mount -t tmpfs -o mode=0755 private "$machine_private"
	ip link set lo up
	ip link add machines type bridge
	ip address add 10.77.0.254/24 dev machines
	ip link set machines up
	cp /etc/hosts "$machine_world/hosts"
	mount --bind "$machine_world/hosts" /etc/hosts
	# shellcheck disable=SC2034 # lib.sh's
	SANDBOX_LOG=/dev/null
	export TMPDIR=$machine_world
	# shellcheck source=tests/lib.sh
	. "$TOP/tests/lib.sh"
	trap 'machine_cleanup "$?"' EXIT
}
# However the test ends, the kernel ends its machines and removes its mounts.
machine_namespaces=(--mount --net --pid --fork --kill-child --mount-proc --propagation private)

machine_cleanup()
{
	local rc=$1 name
	for name in "${!machine_pids[@]}"; do
		((rc == 0 || rc == 77)) || { echo "# the journal of $name:"; enter "$name" journalctl -q --no-pager -o short-precise -n 80 | grep -v ' systemd.[0-9][0-9]'; } 2>/dev/null || :
		machine_crash "$name"
	done
	lib_cleanup
}

# Where no systemd runs, nspawn makes its cgroups next to ours; below a cgroup of our own we can
# remove them.
machine_cgroups()
{
	local root
	machine_cgroup_roots=()
	[[ ! -d /run/systemd/system ]] || return 0
	for root in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
		[[ -w $root/cgroup.procs ]] || continue
		mkdir "$root/tunlease-test.$$" 2>/dev/null || continue
		echo $$ >"$root/tunlease-test.$$/cgroup.procs"
		machine_cgroup_roots+=("$root")
	done
}
machine_leave_cgroups()
{
	local root _
	for root in "${machine_cgroup_roots[@]}"; do
		echo $$ >"$root/cgroup.procs"
		# Processes that were killed leave it a moment later, on a busy host some seconds.
		for _ in {1..400}; do
			find "$root/tunlease-test.$$" -depth -type d -exec rmdir {} + 2>/dev/null || :
			[[ -d $root/tunlease-test.$$ ]] || break
			sleep 0.05
		done
	done
}

# ---- the root that they share ----------------------------------------------------------------------------------

# shellcheck disable=SC2120 # most tests need no further packages
base_root()
{
	local packages key lock
	packages=$(printf '%s,' "${base_packages[@]}" "$@")
	key=$(sha256sum <<<"bookworm 2 $packages")
	BASE=$machine_packages/base-${key:0:12}
	mkdir -p "$machine_packages"
	# Two tests that start together make it once.
	exec {lock}>"$machine_packages/lock"
	flock "$lock"
	[[ -d $BASE ]] || base_make "${packages%,}"
	exec {lock}>&-
	touch "$BASE.used"
}
base_make()
{
	local old log=$machine_packages/base.log
	type -P mmdebstrap >/dev/null || machine_skip 'needs mmdebstrap, to make the root of a Debian 12'
	for old in "$machine_packages"/base-*.used; do
		[[ -z $(find "$old" -mtime +7 2>/dev/null) ]] || rm -rf --one-file-system "${old%.used}" "$old"
	done
	rm -rf --one-file-system "$BASE.new"
	nsenter --net="/proc/self/fd/$MACHINE_NET" mmdebstrap --mode=root --variant=minbase --format=directory \
		--include="$1" bookworm "$BASE.new" >"$log" 2>&1 </dev/null ||
		{ tail -n 10 "$log"; machine_skip 'no Debian mirror, or mmdebstrap is refused: see build/packages/base.log'; }
	rm "$BASE.new"/etc/ssh/ssh_host_*
	systemctl -q --root="$BASE.new" enable systemd-networkd.service 2>>"$log"
	mv "$BASE.new" "$BASE"
}

# ---- a machine -------------------------------------------------------------------------------------------------

machine_booted=''
declare -A machine_pids=() machine_leaders=() machine_numbers=()

root_of() { printf '%s\n' "$machine_world/$1/root"; }
address_of() { printf '%s\n' "10.77.0.${machine_numbers[$1]}"; }

machine_make()
{
	local name=$1 lower=${2-} dir=$machine_world/$1 number=$((${#machine_numbers[@]} + 1))
	[[ -n $lower ]] || { base_root; lower=$BASE; }
	machine_numbers[$name]=$number
	mkdir -p "$dir"/{upper,work,root}
	mount -t overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" overlay "$dir/root" ||
		machine_skip "no overlay over $lower"
	machine_furnish "$name" "$dir/root"
}

machine_furnish()
{
	local name=$1 root=$2 other
	echo "$name.test" >"$root/etc/hostname"
	: >"$root/etc/machine-id"
	for other in "${!machine_numbers[@]}"; do
		machine_hosts "$(root_of "$other")/etc/hosts"
	done
	machine_hosts /etc/hosts
	ssh-keygen -A -f "$root" >/dev/null
	rm -rf "$root/var/log/journal"
	mkdir -p "$root/etc/systemd/network" "$root/etc/systemd/logind.conf.d" "$root/var/log/journal"
	# Below cgroups of version 1 systemd may miss the end of a person's manager, which is stopped 10 s after the
	# last logout; her next login then hangs for two minutes.
	printf '%s\n' '[Login]' UserStopDelaySec=infinity >"$root/etc/systemd/logind.conf.d/10-test.conf"
	printf '%s\n' '[Match]' Name=host0 '[Network]' "Address=$(address_of "$name")/24" Gateway=10.77.0.254 \
		LinkLocalAddressing=no >"$root/etc/systemd/network/10-test.network"
}
machine_hosts()
{
	local name
	printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$1"
	for name in "${!machine_numbers[@]}"; do
		echo "$(address_of "$name") $name.test $name" >>"$1"
	done
}

# systemd-nspawn's system call filter does not allow these before systemd 253.
machine_calls='landlock_create_ruleset landlock_add_rule landlock_restrict_self'
machine_start()
{
	local name=$1 options=(--register=no) number; shift
	[[ -n ${machine_numbers[$name]-} ]] || machine_make "$name"
	number=${machine_numbers[$name]}
	[[ -d /run/systemd/system ]] || options+=(--keep-unit)
	systemd-nspawn -q "${options[@]}" --network-bridge=machines -D "$(root_of "$name")" --bind-ro="$TOP" \
		-M "test$number" --hostname="$name.test" --system-call-filter="$machine_calls" --boot --console=pipe "$@" \
		</dev/null >"$machine_world/$name/console" 2>&1 &
	machine_pids[$name]=$!
	machine_leaders[$name]=''
	if ! poll 30 machine_has_started "$name" || [[ -z ${machine_pids[$name]} ]]; then
		tail -n 5 "$machine_world/$name/console"
		[[ -z $machine_booted ]] || fail "$name boots no more, and one has booted here before"
		machine_skip 'systemd-nspawn boots no systemd here'
	fi
	machine_booted=yes
	poll 60 machine_is_up "$name" || fail "$name does not finish its boot: $(enter "$name" systemctl list-jobs 2>&1)"
}
# nspawn's only child is nspawn itself, until it has become systemd.
machine_has_started()
{
	local name=$1 pid
	kill -0 "${machine_pids[$name]}" 2>/dev/null || { machine_pids[$name]=''; return 0; }
	pid=$(pgrep -P "${machine_pids[$name]}") || return 1
	[[ $(cat "/proc/$pid/comm" 2>/dev/null) == systemd ]] || return 1
	machine_leaders[$name]=$pid
}
machine_is_up() { [[ $(enter "$1" systemctl is-system-running 2>/dev/null) == @(running|degraded) ]]; }
# Where a connection ends before systemd has moved its process into its scope, the scope has failed, on any
# host; on a busy one that happens. It says nothing about us. A scope may fail so while it is looked at. systemd
# keeps that a scope has failed over a daemon-reload, but not why: then the result is called success.
machine_state()
{
	local scope result state=''
	for _ in 1 2 3; do
		for scope in $(enter "$1" systemctl list-units --failed --no-legend --plain 'session-*.scope' 2>/dev/null | awk '{ print $1 }'); do
			result=$(enter "$1" systemctl show -P Result "$scope")
			if [[ $result == @(resources|success) ]]; then enter "$1" systemctl reset-failed "$scope"; else printf '%s: %s\n' "$scope" "$result" >&2; fi
		done
		state=$(enter "$1" systemctl is-system-running 2>/dev/null) || :
		[[ $state == degraded ]] || break
		sleep 0.5
	done
	printf '%s\n' "$state"
}

doctor_finds_nothing()
{
	expect_exit 0 enter "$1" leasectl doctor
	! grep -Ev '^(ok|note)' "$WORK/out" || fail "$1, $2: doctor finds something"
	ok "$1, $2: doctor finds nothing"
}

machine_stop()
{
	enter "$1" systemctl --no-block poweroff 2>/dev/null || :
	wait "${machine_pids[$1]}" || :
	unset "machine_pids[$1]"
}
machine_reboot()
{
	machine_stop "$1"
	machine_start "$@"
}
machine_crash()
{
	[[ -n ${machine_pids[$1]-} ]] || return 0
	kill -KILL "${machine_leaders[$1]:-${machine_pids[$1]}}" 2>/dev/null || :
	wait "${machine_pids[$1]}" 2>/dev/null || :
	unset "machine_pids[$1]"
}

enter()
{
	local name=$1; shift
	nsenter -t "${machine_leaders[$name]}" -a env -i HOME=/root LC_ALL=C TOP="$TOP" SANDBOX_LOG=/dev/null \
		TEST_SLOW_PERCENT="$TEST_SLOW_PERCENT" DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

know_machine()
{
	GATEWAY=$(address_of "$1")
	cat "$(root_of "$1")"/etc/ssh/ssh_host_*_key.pub | sed "s/^/$GATEWAY,$1.test,$1 /" >>"$WORK/known_hosts"
}

echo_service()
{
	enter "$1" systemd-run -q --collect --unit="echo$2" python3 "$TOP/tests/echo.py" 127.0.0.1 "$2"
	wait_for 10 "a service on port $2 of $1" machine_listens "$1" "$2"
}
machine_listens() { [[ -n $(enter "$1" ss -Hltn "sport = :$2") ]]; }

# A line of a listing that means nothing: what apt, dpkg, the tools for accounts, PAM's faillog and systemd write
# into their own files, whatever is installed or who logs in.
machine_notes='var/lib/dpkg/(status|available|lock.*|triggers/.*)|var/lib/dpkg/.*-old|etc/(passwd|group|shadow|gshadow|subuid|subgid)-'
machine_notes+='|var/lib/apt/.*|var/cache/(apt/.*|debconf/.*-old)|var/lib/systemd/(random-seed|timers/.*|timesync/.*)|home/[^/]*/\.[^/]*'
# Left out are logs, too, and directories whose content is for one boot.
listing_of()
{
	(
		cd "$(root_of "$1")" || exit
		find . -xdev \( -path './proc/*' -o -path './sys/*' -o -path './dev/*' -o -path './run/*' -o -path './tmp/*' -o \
			-path './var/tmp/*' -o -path './var/log/*' \) -prune -o -printf '%P\t%y %m %U:%G %l\n' -type f -fprint0 "$machine_world/files"
		xargs -0 sha256sum -- <"$machine_world/files" | sed -E 's,^([0-9a-f]+) +\./(.*),\2\t\1,'
	) | grep -Ev "^($machine_notes)"$'\t' | sort >"$2"
}
same_listing()
{
	local file
	listing_of "$1" "$2.now"
	if ! diff "$2" "$2.now" >"$2.diff"; then
		head -n 40 "$2.diff"
		fail "$1 is not as it was"
	fi
	ok "$1: $(wc -l <"$2") lines of listing are the same"
}

# ---- packages --------------------------------------------------------------------------------------------------

# shellcheck disable=SC2034 # DEBS and PUT are for the test
packages_built()
{
	local lock archive now
	DEBS=${TEST_DEBS:-$TOP/build/deb}
	[[ -z ${TEST_DEBS-} ]] || return 0
	mkdir -p "$machine_packages"
	exec {lock}>"$machine_packages/lock"
	flock "$lock"
	# The source archive has all that they are made of, and is the same bytes while nothing changes.
	archive=$(make -s -C "$TOP" dist)
	now=$(sha256sum <"$TOP/$archive")
	if [[ $now != "$(cat "$DEBS/made-of" 2>/dev/null)" ]]; then
		rm -rf "$DEBS"
		make -s -C "$TOP" QUIET=1 deb >"$machine_packages/deb.log" 2>&1 || { tail -n 10 "$machine_packages/deb.log"; fail 'make deb'; }
		echo "$now" >"$DEBS/made-of"
	fi
	exec {lock}>&-
}
deb_of()
{
	local file=("$DEBS/$1"_*.deb)
	[[ ${#file[@]} == 1 && -f ${file[0]} ]] || fail "not one package $1 in $DEBS: ${file[*]}"
	printf '%s\n' "${file[0]}"
}
put_debs()
{
	local name=$1 package file root; shift
	root=$(root_of "$name")
	PUT=()
	for package; do
		file=$(deb_of "$package")
		cp "$file" "$root/root/"
		PUT+=("/root/${file##*/}")
	done
}

# ---- ordinary logins -------------------------------------------------------------------------------------------

machine_password='correct horse'
ordinary_accounts()
{
	local root
	root=$(root_of "$1")
	[[ -e $WORK/ada ]] || { new_key ada >/dev/null; new_key root >/dev/null; }
	enter "$1" useradd -m -s /bin/bash -G sudo ada
	printf '%s\n' "ada:$machine_password" "root:$machine_password" | enter "$1" chpasswd
	mkdir -p "$root/root/.ssh"
	cat "$WORK/root.pub" >>"$root/root/.ssh/authorized_keys"
	enter "$1" install -d -o ada -g ada -m 0700 /home/ada/.ssh
	enter "$1" install -o ada -g ada -m 0600 /dev/stdin /home/ada/.ssh/authorized_keys <"$WORK/ada.pub"
	# shellcheck disable=SC2016 # cron's shell expands it
	enter "$1" su -c 'echo "@reboot echo \$LOGNAME > /tmp/cron.ada" | crontab -' ada
	printf '#!/bin/sh\necho "%s"\n' "$machine_password" >"$WORK/askpass"
	chmod 0755 "$WORK/askpass"
}
says() { # WHAT WANT COMMAND...
	local what=$1 want=$2 got; shift 2
	got=$("$@" 2>"$WORK/says.err" | tail -n 1) || :
	[[ $got == "$want" ]] || fail "$what: '$got', not '$want': $(tail -n 3 "$WORK/says.err")"
	ok "$what"
}
ordinary_logins()
{
	local name=$1 GATEWAY
	know_machine "$name"
	local by_password=("${SSH[@]/BatchMode=yes/BatchMode=no}")
	by_password=("${by_password[@]/PreferredAuthentications=publickey/PreferredAuthentications=password}")
	says "$name: ada's ssh with her key" ada "${SSH[@]}" -i "$WORK/ada" "ada@$GATEWAY" id -un
	says "$name: root's ssh with a key" root "${SSH[@]}" -i "$WORK/root" "root@$GATEWAY" id -un
	says "$name: ada's ssh with her password" ada env SSH_ASKPASS="$WORK/askpass" SSH_ASKPASS_REQUIRE=force \
		"${by_password[@]}" "ada@$GATEWAY" id -un
	says "$name: ada's sudo" root "${SSH[@]}" -i "$WORK/ada" "ada@$GATEWAY" 'sudo -S id -un' <<<"$machine_password"
	says "$name: ada's su to root" root "${SSH[@]}" -i "$WORK/ada" "ada@$GATEWAY" 'su - -c "id -un"' <<<"$machine_password"
	says "$name: root's su to ada" ada "${SSH[@]}" -i "$WORK/root" "root@$GATEWAY" 'su - ada -c "id -un"'
	# cron runs its @reboot jobs when it starts and this file is not there.
	enter "$name" rm -f /run/crond.reboot /tmp/cron.ada
	enter "$name" systemctl restart cron
	poll 10 machine_cron_ran "$name" || fail "$name: no job of ada's ran: $(enter "$name" journalctl -q -o cat -u cron -n 6)"
	ok "$name: ada's job in cron"
}
machine_cron_ran() { [[ $(enter "$1" cat /tmp/cron.ada 2>/dev/null) == ada ]]; }
