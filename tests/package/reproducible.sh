#!/bin/bash
# SPDX-License-Identifier: ISC
# The packages are the same bytes when they are built from the unpacked source archive, without git, by another
# user, at another path, with another umask, time zone, language and clock.
# timeout: 240
set -euo pipefail
. "$TOP/tests/machine.sh"
SANDBOX_LOG=/dev/null # lib.sh's
. "$TOP/tests/lib.sh"

type -P faketime >/dev/null || { echo 'needs faketime'; exit 77; }
packages_built
# Below another path than the tree, and readable for nobody, who builds there.
away=$(mktemp -d /var/tmp/away.XXXXXX)
trap 'rm -rf "$away"; lib_cleanup' EXIT
version=$(cat "$TOP/VERSION")
orig=("$DEBS"/tunlease_*.orig.tar.gz)
tar -C "$away" -xzf "${orig[0]}"
as=(env)
((EUID != 0)) || { chown -R nobody "$away"; as=(setpriv --reuid nobody --regid nogroup --clear-groups env); }
chmod 0755 "$away"
(
	umask 0077
	cd "$away/tunlease-$version"
	# What is built lies there, and in no cache of compilers.
	"${as[@]}" -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$away" TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 \
		faketime -f '+400d' make NO_DEPS=1 QUIET=1 deb
) >"$WORK/log" 2>&1 || { tail -n 20 "$WORK/log"; fail 'the build of the unpacked archive'; }
cmp "${orig[0]}" "$away/tunlease-$version/build/tunlease-$version.tar.gz" || fail 'the archive differs'
ok 'the source archive makes itself again'
count=0
for deb in "$DEBS"/*.deb; do
	cmp "$deb" "$away/tunlease-$version/build/deb/${deb##*/}" || fail "${deb##*/} differs"
	count=$((count + 1))
done
ok "$count packages are the same, byte for byte"
