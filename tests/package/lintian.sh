#!/bin/bash
# SPDX-License-Identifier: ISC
# lintian finds neither errors nor warnings in the packages of this tree, and each override has its reason.
# timeout: 120
set -euo pipefail
. "$TOP/tests/machine.sh"
SANDBOX_LOG=/dev/null # lib.sh's
. "$TOP/tests/lib.sh"

type -P lintian >/dev/null || { echo 'needs lintian'; exit 77; }
packages_built
# The source and all packages at once, debug symbols among them.
expect_exit 0 lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$DEBS"/*.changes
cat "$WORK/out"
ok 'lintian finds no error and no warning'
for package in tunlease libpam-tunnel tunnel-agent; do
	expect_exit 0 dpkg-deb --fsys-tarfile "$(deb_of "$package")"
	tar -tf "$WORK/out" | some_line "^./usr/share/doc/$package/copyright$" || fail "$package has no copyright"
	tar -tf "$WORK/out" | some_line '^./usr/share/man/' || fail "$package has no manual page"
	ok "$package: copyright, manual page"
done
# A comment of an override is the line above it.
find "$TOP/packaging/debian" -name '*lintian-overrides' -exec awk '
	/^#/ { reason = 1; next }
	NF && !reason { print FILENAME ": no reason: " $0; bad = 1 }
	{ reason = 0 }
	END { exit bad }' {} + || fail 'an override has no reason'
field() { dpkg-deb -f "$(deb_of "$1")" "$2"; }
for source in glibc sqlite3 jansson libbsd libmd; do
	[[ $(field tunlease Static-Built-Using) == *"$source (= "* ]] || fail "akc or join has parts of $source, and Static-Built-Using does not say so"
done
for package in libc6 libsqlite3-0 libjansson4 libevent-core-2.1-7 openssh-server libpam-tunnel; do
	[[ $(field tunlease Depends) == *"$package"* ]] || fail "tunlease does not depend on $package"
done
ok 'Depends and Static-Built-Using'
[[ $(field tunnel-agent Depends) != *@(sqlite|pam)* ]] || fail 'the agent depends on parts of the gateway'
assert_eq "$(field libpam-tunnel Multi-Arch)" same 'libpam-tunnel is for several architectures at once'
