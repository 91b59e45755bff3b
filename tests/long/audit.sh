#!/bin/bash
# SPDX-License-Identifier: ISC
# An audit of a million rows: verified in seconds and listed, in a few MiB of memory, while others write;
# progress is shown on a terminal; a reader that goes away ends the list; one that waits keeps no log.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_tools.sh"

rows=${TEST_ROWS:-1000000}
store_with_alice
as_owner python3 "$TOP/tests/audit_chain.py" append "$STORE" "$((rows - 1))"
[[ -e $STORE-wal ]] || install -o _tunlease -g _tunlease -m 0640 /dev/null "$STORE-wal"
[[ -e $STORE-shm ]] || install -o _tunlease -g _tunlease -m 0640 /dev/null "$STORE-shm"
note "$rows rows, $(($(stat -c %s "$STORE") >> 20)) MiB"

# measure COMMAND...: its output in $WORK/out; sets seconds (of the processor) and mib (resident at most).
measure()
{
	local said
	python3 - "$WORK/out" "$@" >"$WORK/measured" <<-'END' || fail "$*: $(cat "$WORK/measured")"
		import resource, subprocess, sys, time
		with open(sys.argv[1], "wb") as out:
		    rc = subprocess.run(sys.argv[2:], stdout=out).returncode
		used = resource.getrusage(resource.RUSAGE_CHILDREN)
		print("%.1f %d" % (used.ru_utime + used.ru_stime, used.ru_maxrss >> 10))
		sys.exit(rc)
	END
	read -r seconds mib <"$WORK/measured"
	said=$(head -c 100 "$WORK/out" | head -n 1)
	note "$*: $seconds s, $mib MiB: $said"
}
measure leasectl audit verify
grep -q "^the chain of $rows rows is whole" "$WORK/out" || fail "$(cat "$WORK/out")"
((${seconds%.*} < 10 && mib < 40)) || fail "verify takes $seconds s and $mib MiB"
ok "verified in $seconds s of the processor and $mib MiB"
measure leasectl audit
assert_eq "$(wc -l <"$WORK/out")" "$rows" 'each row is listed'
((mib < 40)) || fail "the list takes $mib MiB"
measure leasectl audit --json
assert_eq "$(python3 "$TOP/tests/audit_chain.py" check "$WORK/out")" \
	"$(query 'SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1')" 'the JSON has the whole chain'
((mib < 40)) || fail "the JSON takes $mib MiB"
measure leasectl audit --lease holder-77777
assert_eq "$(cut -f1 "$WORK/out")" 77777 'one lease of so many'
script -qec 'leasectl audit verify' "$WORK/typescript" >/dev/null
grep -q 'rows are verified' "$WORK/typescript" || fail "no progress: $(cat -v "$WORK/typescript")"
ok 'progress on a terminal'

begun=$SECONDS
leasectl audit 2>"$WORK/err" | head -n 1 >/dev/null || :
grep -q 'cannot write the output' "$WORK/err" || fail "$(cat "$WORK/err")"
((SECONDS - begun < 2)) || fail 'the list goes on without a reader'
ok 'a reader that goes away ends it'
mkfifo "$WORK/slow"
leasectl audit >"$WORK/slow" & lister=$!; at_exit "$lister"
exec {reader}<"$WORK/slow"
read -r _ <&"$reader"
for ((i = 0; i < 30; i++)); do leasectl set alice --note "$i" >/dev/null; done
assert_eq "$(query 'PRAGMA wal_checkpoint(TRUNCATE)')" '0|0|0' 'a reader that waits keeps no log from being emptied'
exec {reader}<&-
wait "$lister" || :

note 'broken in the last row'
query 'DROP TRIGGER audit_update'
query "UPDATE audit SET actor = 'x' WHERE seq = $rows"
expect_exit 1 leasectl audit verify
grep -q "^the chain breaks at row $rows: row $rows was changed" "$WORK/out" || fail "$(cat "$WORK/out")"
query "UPDATE audit SET actor = 'x' WHERE seq = 2"
measure env bash -c '! leasectl audit verify'
grep -q "^the chain breaks at row 2: row 2 was changed" "$WORK/out" || fail "$(cat "$WORK/out")"
((${seconds%.*} < 15 && mib < 40)) || fail "that takes $seconds s and $mib MiB"
ok 'a break in the last row, and one in the second, is named'
