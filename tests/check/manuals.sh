#!/bin/bash
# SPDX-License-Identifier: ISC
# Manual pages, schemas and docs/protocol.md say what the programs do: no option, keyword, default, exit
# status, field or metric is missing, and none is there that no program has. The check is tried first on
# pages that are wrong.
# timeout: 60
set -euo pipefail

cd "${TOP:-$(dirname "${BASH_SOURCE[0]}")/../..}"
. tests/words.sh
build=${BUILD:-build}

skip() { printf 'manuals: %s\n' "$*"; exit 77; }
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
type -P mandoc >/dev/null || skip 'needs mandoc'
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || skip 'needs python3-jsonschema'
for program in akc leasectl leased tunnel-agent; do
	[[ -x $build/bin/$program ]] || skip "needs $build/bin/$program: run make"
done
export PYTHONDONTWRITEBYTECODE=1

/usr/bin/python3 tests/check/manuals_try.py "$build" || fail 'the check does not see what is wrong'
/usr/bin/python3 tests/check/manuals.py "$build" || fail 'see above'

# ---- examples are files that the programs take -------------------------------------------------

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# examples PAGE NAME: its literal blocks, as the files NAME1, NAME2...
examples()
{
	awk -v name="$work/$2" '/^\.Bd -literal/ { n++; file = name n; next } /^\.Ed/ { file = "" }
		file != "" { print >file }' "$1"
}
printf 'Moood good\n' >"$work/wrong"
! "$build/bin/leased" -t -c "$work/wrong" 2>/dev/null || fail 'leased -t takes any example'
examples lib/conf/tunlease.conf.5 conf
for file in "$work"/conf*; do
	! grep -q '^\[Socket\]' "$file" || continue # a unit of systemd
	sed -i '1i Database /nonexistent/leases.db' "$file"
	sed -i '2,$ { /^Database/d }' "$file"
	rc=0 out=$("$build/bin/leased" -t -c "$file" 2>&1) || rc=$?
	((rc == 0)) || fail "tunlease.conf(5): an example: $out"
done
examples tunnel-agent/tunnel-agent.1 tunnels
for file in "$work"/tunnels*; do
	rc=0 out=$("$build/bin/tunnel-agent" check -c "$file" 2>&1) || rc=$?
	((rc <= 1)) || fail "tunnel-agent(1): an example: $out"
done
echo 'the examples are taken'
