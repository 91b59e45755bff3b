#!/bin/bash
# SPDX-License-Identifier: ISC
# The sandbox works in a chroot, where / is not a mount point, and none of its mounts appears outside.
# If it cannot work, it says why.
# timeout: 60
set -euo pipefail
cd "$TOP"
. tests/words.sh
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }

if [[ -z ${CHROOT_WORK-} ]]; then
	((EUID == 0)) || { echo 'needs root, for namespaces'; exit 77; }
	CHROOT_WORK=$(mktemp -d)
	export CHROOT_WORK
	trap 'rm -rf --one-file-system "$CHROOT_WORK"' EXIT
	unshare --mount true 2>/dev/null || { echo 'this kernel or container does not allow new namespaces'; exit 77; }
	unshare --mount "${BASH_SOURCE[0]}"
	exit
fi

# Shared, as with systemd, so that a mount that is not private would appear outside.
mount --make-rshared /
root=$CHROOT_WORK/root
mkdir "$root"
for name in /*; do
	if [[ -L $name ]]; then
		cp -a "$name" "$root"
	elif [[ -d $name ]]; then
		mkdir "$root$name"
		case $name in
		/proc|/sys|/tmp|/run) ;;
		*) mount --rbind "$name" "$root$name" ;;
		esac
	fi
done
chmod 1777 "$root/tmp"
mkdir -p "$root$TOP"
mount --rbind "$TOP" "$root$TOP"

# refused WORDS COMMAND...: COMMAND exits 77 and prints WORDS.
refused()
{
	local words=$1 rc=0; shift
	"$@" >"$CHROOT_WORK/out" 2>&1 || rc=$?
	((rc == 77)) || fail "$*: exit $rc: $(cat "$CHROOT_WORK/out")"
	grep -qF -- "$words" "$CHROOT_WORK/out" || fail "$*: $(cat "$CHROOT_WORK/out")"
	echo "ok - $(cat "$CHROOT_WORK/out")"
}
refused 'and /proc is none either' chroot "$root" "$TOP/tests/sandbox" --bare true
refused 'Operation not permitted' setpriv --bounding-set=-sys_admin tests/sandbox --bare true

mount -t proc proc "$root/proc"
mounts() { findmnt -rn -o TARGET,SOURCE,FSTYPE; }
before=$(mounts)
mkfifo "$CHROOT_WORK/end"
exec {end}<>"$CHROOT_WORK/end"
# shellcheck disable=SC2016  # TOP is the same in there
chroot "$root" "$TOP/tests/sandbox" --bare bash -c '"$TOP/tests/e2e/sandbox.sh" && echo all && read -r _' \
	<&"$end" >"$CHROOT_WORK/out" 2>&1 & sandbox=$!
until grep -qx all "$CHROOT_WORK/out"; do
	kill -0 "$sandbox" 2>/dev/null || fail "$(tail -n 5 "$CHROOT_WORK/out")"
	sleep 0.02
done
[[ $(mounts) == "$before" ]] || fail "mounts are seen outside: $(diff <(printf '%s\n' "$before") <(mounts))"
echo >&"$end"
wait "$sandbox" || fail "$(tail -n 5 "$CHROOT_WORK/out")"
[[ $(mounts) == "$before" ]] || fail "mounts are left outside: $(diff <(printf '%s\n' "$before") <(mounts))"
echo "ok - $(grep -c '^ok' "$CHROOT_WORK/out") claims on the sandbox hold in a chroot, and outside nothing of it is seen"
