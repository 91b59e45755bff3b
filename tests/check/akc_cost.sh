#!/bin/bash
# SPDX-License-Identifier: ISC
# One lookup of akc costs at most 550,000 instructions and 90 system calls: in the default build, with
# the whole schema, as the user that sshd runs it as. These counts do not depend on the machine's load.
# timeout: 120
set -eu
cd "$TOP"
. tests/words.sh

max_instructions=550000 max_syscalls=90

if ((EUID != 0)); then
	echo 'needs root, to run akc as another user'
	exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
mkdir -m 1777 "$work/out"
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }

[[ $(readelf -d build/bin/akc) != *NEEDED* ]] || fail 'build/bin/akc is not the default static build'

# akc runs as a user that may only read the store.
mkdir -m 2750 "$work/store"
chgrp nogroup "$work/store"
chmod 2750 "$work/store"
key=$(build/tests/fill "$work/store/leases.db" 1000 pfwd)
cp build/bin/akc "$work/akc"
sed "s,^# PublicHost.*,&\nDatabase $work/store/leases.db," packaging/tunlease.conf >"$work/tunlease.conf"

# Traced on a busy machine, akc may need longer than its own limit of a second: so it gets priority.
first=(chrt --fifo 1)
"${first[@]}" true 2>/dev/null || first=()
# sshd's bare environment (docs/sshd-facts.md 5).
as_akc() {
	# shellcheck disable=SC2086 # type and base64 are two words
	"${first[@]}" env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/games USER=_tunlease-akc LOGNAME=_tunlease-akc \
		HOME=/nonexistent LANG=C.UTF-8 setpriv --reuid=65534 --regid=65534 --clear-groups \
		"$@" "$work/akc" -c "$work/tunlease.conf" pfwd $key
}
line=$(as_akc env)
[[ $line == restrict,port-forwarding,*" ${key#* } holder-999" ]] || fail "akc does not answer: $line"

# traced TRACER...: tries again a few times if a second was not enough all the same.
traced() {
	local _
	for _ in 1 2 3 4 5; do ! as_akc "$@" >/dev/null || return 0; done
	fail "akc under $1 does not answer within its second, five times"
}
traced valgrind --tool=callgrind --callgrind-out-file=/dev/null --log-file="$work/out/callgrind"
instructions=$(sed -n 's/.*Collected : //p' "$work/out/callgrind")
traced strace -f -o "$work/out/strace"
syscalls=$(grep -c '(' "$work/out/strace")
# strace's line for the execve is counted, too.
echo "akc: $instructions instructions (at most $max_instructions), $syscalls system calls (at most $max_syscalls)"
((instructions > 100000 && syscalls > 30)) || fail 'that is too few to be true'
((instructions <= max_instructions)) || fail 'too many instructions'
((syscalls <= max_syscalls)) || fail 'too many system calls'
