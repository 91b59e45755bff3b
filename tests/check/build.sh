#!/bin/bash
# SPDX-License-Identifier: ISC
# make names the Debian packages that are missing before it compiles anything, and tunnel-agent alone needs
# fewer. What make build-deps installs is what the check asks for.
# timeout: 60
set -euo pipefail
cd "$TOP"
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A directory of headers in place of the compiler's own: all, or all but some.
headers=(stdio.h bsd sha2.h jansson.h event2 curl sqlite3.h security)
lacks()
{
	local name
	rm -rf "$work/include" "$work/build"
	mkdir "$work/include" "$work/build"
	for name in "${headers[@]}"; do
		[[ " $* " == *" $name "* ]] || ln -s "$(find /usr/include -maxdepth 2 -name "$name" | sort | head -n 1)" "$work/include/$name"
	done
}
build() { make -s "BUILD=$work/build" "CPPFLAGS=-nostdinc -isystem $work/include" "$@" >"$work/out" 2>&1; }
# names PACKAGES GOAL...
names()
{
	local packages=$1; shift
	if build "$@"; then fail "make $* succeeds without $packages"; fi
	grep -qx "  apt-get install --no-install-recommends $packages" "$work/out" || fail "$(cat "$work/out")"
	grep -q 'make build-deps' "$work/out" || fail "make build-deps is not named: $(cat "$work/out")"
	[[ -z $(find "$work/build" -name '*.o') ]] || fail 'something was compiled'
	! grep -q 'fatal error' "$work/out" || fail "$(cat "$work/out")"
}
lacks event2 sqlite3.h; names 'libevent-dev libsqlite3-dev'
lacks event2 sqlite3.h; names 'libevent-dev' install-agent
lacks curl; names 'libcurl4-openssl-dev' install-agent
lacks stdio.h bsd sha2.h jansson.h security; names 'libbsd-dev libc6-dev libjansson-dev libmd-dev libpam0g-dev' all
lacks sqlite3.h security curl; build HTTPS=0 "$work/build/gen/needs-agent" || fail "the agent alone: $(cat "$work/out")"
lacks nothing; build "$work/build/gen/needs-all" || fail "all are there: $(cat "$work/out")"
if make -s "BUILD=$work/build2" CC=no-such-compiler all >"$work/out" 2>&1; then fail 'it builds without a compiler'; fi
grep -q 'apt-get install --no-install-recommends gcc libc6-dev' "$work/out" || fail "$(cat "$work/out")"

# make build-deps would install each package that the check may ask for.
value() { make -s --eval "show: ; @echo \$($1)" show; }
listed=" $(value build_packages) " count=0
for need in $(value all_needs); do
	[[ $listed == *" ${need#*:} "* ]] || fail "make build-deps does not install ${need#*:}"
	count=$((count + 1))
done
((count >= 8)) || fail "only $count packages are asked for"
echo 'missing packages are named'
