#!/bin/bash
# SPDX-License-Identifier: ISC
# Each write, sync and truncation of a grant and of a revocation fails, once or from then on. The
# change is then done, with exit 0; or refused with exit 7 and not done, or said to be unknown;
# never done in part. Exit 1: the key could not be checked, and nothing was done. Exit 6: done, but
# a login that is in progress could not be told.
# sandbox:
# timeout: 600
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

strace -o /dev/null true 2>/dev/null || { echo 'strace may not trace here'; exit 77; }
calls='pwrite64 pwritev2 write fdatasync fsync ftruncate fallocate'

new_key bob >/dev/null
leasectl grant leaver --key "$WORK/bob.pub" --open 8010 >/dev/null
new_key carol >/dev/null
# The log is not empty: a failure must not lose what was committed before.
mkfifo "$WORK/sql"
: >"$WORK/sql.out"
as_owner sqlite3 "$STORE" <"$WORK/sql" >"$WORK/sql.out" 2>&1 & holder=$!
at_exit "$holder"
exec {sql}>"$WORK/sql"
printf '%s\n' 'SELECT count(*) FROM lease;' '.print reading' >&"$sql"
wait_for 5 'a reader to open the store' grep -q reading "$WORK/sql.out"
leasectl grant logged --key "$WORK/carol.pub" --open 8011 >/dev/null
leasectl revoke --keep-sessions logged >/dev/null
store_image start
[[ -s $STORE-wal ]] || fail 'the log is empty'
exec {sql}>&-
kill -KILL "$holder"
{ wait "$holder" || :; } 2>/dev/null

bad=0 runs=0 refused=0 unknown=0 done=0
# one WHAT BEFORE AFTER NAME INJECTION ARGUMENT...
one()
{
	local what=$1 before=$2 after=$3 name=$4 inject=$5 rc=0 parts; shift 5
	store_restore start
	injected "$inject" leasectl "$@" || rc=$?
	parts=$(lease_parts "$name")
	runs=$((runs + 1))
	case "$rc: $parts" in
	"0: $after") done=$((done + 1)) ;;
	"6: $after")
		done=$((done + 1))
		[[ $inject == write:* && ($inject == *+ || $(cat "$WORK/err") == *'/run/tunlease/lock'*'may still get the old permits') ]] || {
			printf 'not ok - %s, %s: exit 6: %s\n' "$what" "$inject" "$(cat "$WORK/err")"
			bad=$((bad + 1))
		} ;;
	"1: $before")
		refused=$((refused + 1))
		[[ $inject == write:* && ($inject == *+ || $(cat "$WORK/err") == *'cannot check the key'*) ]] || {
			printf 'not ok - %s, %s: exit 1: %s\n' "$what" "$inject" "$(cat "$WORK/err")"
			bad=$((bad + 1))
		} ;;
	"7: $before")
		refused=$((refused + 1))
		[[ $(wc -l <"$WORK/err") == 1 ]] || fail "$what, $inject: not one line: $(cat "$WORK/err")" ;;
	"7: $after")
		# After a failed sync the whole change is in the log, and may or may not be there after a
		# crash. leasectl must not say "refused" then, but that it cannot know.
		unknown=$((unknown + 1))
		grep -E -q 'may (still )?have been|not known|cannot know' "$WORK/err" || {
			printf 'not ok - %s, %s: said to be refused, but done: %s\n' "$what" "$inject" "$(cat "$WORK/err")"
			bad=$((bad + 1))
		} ;;
	*) printf 'not ok - %s, %s: exit %s, but the store has %s: %s\n' "$what" "$inject" "$rc" "$parts" "$(cat "$WORK/err")"
		bad=$((bad + 1)) ;;
	esac
	store_is_whole "$what, $inject"
}

# all WHAT BEFORE AFTER NAME ARGUMENT...
all()
{
	local what=$1 before=$2 after=$3 name=$4 call count n error; shift 4
	store_restore start
	strace -f -qq -o "$WORK/calls" leasectl "$@" >/dev/null || fail "$what does not work by itself"
	[[ $(lease_parts "$name") == "$after" ]] || fail "$what: $(lease_parts "$name")"
	for call in $calls; do
		count=$(grep -cE "^[0-9]+ +$call\\(" "$WORK/calls" || :)
		# Writes to standard output and standard error do not concern the store.
		[[ $call != write ]] || count=$(grep -E "^[0-9]+ +write\\(" "$WORK/calls" | grep -cvE 'write\([12],' || :)
		for ((n = 1; n <= count; n++)); do
			for error in EIO ENOSPC; do
				one "$what" "$before" "$after" "$name" "$call:error=$error:when=$n" "$@"
				one "$what" "$before" "$after" "$name" "$call:error=$error:when=$n+" "$@"
			done
		done
	done
}
all grant '0 0 0 0' '1 1 1 0' carol grant carol --key "$WORK/carol.pub" --open 8009
grants=$runs
all revoke '1 1 1 0' '0 0 1 1' leaver revoke --keep-sessions leaver
((grants >= 10 && runs >= 2 * 10)) || fail "only $runs faults were tried"
((refused > 0 && done > 0)) || fail "$refused refused, $done done: the faults do not cover both"
((bad == 0)) || fail "$bad of $runs faults had a wrong end"
ok "$runs faults: $done done, $refused refused, $unknown unknown, none in part"
