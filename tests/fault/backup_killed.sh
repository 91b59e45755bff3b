#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl is killed at every system call of a backup and of a restore from its first use of the store
# on, and every write of theirs fails once. A backup is there whole or not at all; the store is the old
# one or the new one, friends get in all the time, and the next command works.
# sandbox:
# timeout: 1200
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

strace -o /dev/null true 2>/dev/null || { echo 'strace may not trace here'; exit 77; }
b=$WORK/backups
mkdir "$b"

new_key before >/dev/null
new_key after >/dev/null
new_key next >/dev/null
leasectl grant before --key "$WORK/before.pub" --open 8010 >/dev/null
leasectl backup "$WORK/backup.db" >/dev/null
leasectl revoke --keep-sessions before >/dev/null
leasectl grant after --key "$WORK/after.pub" --open 8011 >/dev/null
store_image start
dd if=/dev/urandom of="$STORE" bs=4096 count=2 conv=notrunc status=none
store_image broken

runs=0 bad=0 old=0 new=0
state() { # prints old, new or what else the store has
	local got
	got=$(query "SELECT group_concat(name || ifnull(live, 0), ' ') || ' ' || (SELECT count(*) FROM audit WHERE action = 'restored')
		FROM (SELECT name, live FROM lease ORDER BY name)" 2>&1) || :
	case $got in
	'after1 before0 steady1 0') echo old ;;
	'before0 steady1 1') echo new ;;
	*) echo "$got" ;;
	esac
}
akc_answers()
{
	setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc pfwd "$steady_type" "$steady_blob" >"$WORK/akc.out" &&
		[[ -s $WORK/akc.out ]]
}
complain() { printf 'not ok - %s\n' "$*"; bad=$((bad + 1)); }
killed() { # INJECTION ARGUMENT...: true if it was killed
	code=0
	injected "$1" leasectl "${@:2}" || code=$?
	((code == 137))
}

note 'a backup is killed'
store_restore start
system_calls leasectl backup "$b/x.db" >"$WORK/list"
rm -f "$b"/x.db
while read -r call n last; do
	for ((; n <= last; n++)); do
		killed "$call:signal=KILL:when=$n" backup "$b/x.db" || { rm -f "$b/x.db"; continue; }
		runs=$((runs + 1))
		if [[ -e $b/x.db ]]; then
			new=$((new + 1))
			leasectl restore "$b/x.db" --dry-run >/dev/null 2>"$WORK/err" || complain "killed at $call $n: half a backup: $(cat "$WORK/err")"
		else
			old=$((old + 1))
		fi
		[[ -z $(find "$b" -name 'x.db?*') ]] || complain "killed at $call $n: $(ls -A "$b")"
		rm -f "$b/x.db"
	done
done <"$WORK/list"
((runs > 50 && new > 0)) || fail "only $runs kills of a backup, $new of them after it was there"
ok "$runs kills of a backup: $old times there was none, $new times a whole one"

note 'a restore is killed'
runs=0 old=0 new=0
store_restore start
system_calls leasectl restore "$WORK/backup.db" >"$WORK/list"
while read -r call n last; do
	for ((; n <= last; n++)); do
		store_restore start
		killed "$call:signal=KILL:when=$n" restore "$WORK/backup.db" || continue
		runs=$((runs + 1))
		akc_answers || complain "killed at $call $n: steady cannot log in: $(grep 'akc.*refused:' "$SANDBOX_LOG" | tail -n 1)"
		is=$(state)
		case $is in
		old) old=$((old + 1)) ;;
		new) new=$((new + 1)) ;;
		*) complain "killed at $call $n: neither old nor new: $is" ;;
		esac
		expect_exit 0 leasectl grant next --key "$WORK/next.pub" --open 8012
		store_is_whole "killed at $call $n"
	done
done <"$WORK/list"
((runs > 100 && old > 20 && new > 20)) || fail "$runs kills of a restore, $old before and $new after the commit"
ok "$runs kills of a restore: $old times the old store, $new times the new one"

note 'the writes of a restore fail'
runs=0 old=0 new=0
for call in pwrite64 write fdatasync fsync ftruncate linkat; do
	last=$(awk -v call="$call" '$1 == call { print $3 }' "$WORK/list")
	for ((n = 1; n <= ${last:-0}; n++)); do
		for error in EIO ENOSPC; do
			store_restore start
			! killed "$call:error=$error:when=$n" restore "$WORK/backup.db" || fail killed
			runs=$((runs + 1))
			is=$(state)
			case $code:$is in
			0:new | 6:new) new=$((new + 1)) ;;
			[17]:old) old=$((old + 1)) ;;
			1:new) # only its output failed
				new=$((new + 1))
				grep -q 'this is done' "$WORK/err" || complain "$error of $call $n: exit 1, but done: $(cat "$WORK/err")" ;;
			7:new) grep -q 'not known' "$WORK/err" || complain "$error of $call $n: said to be refused, but done: $(cat "$WORK/err")" ;;
			*) complain "$error of $call $n: exit $code, and the store is $is: $(cat "$WORK/err")" ;;
			esac
			store_is_whole "$error of $call $n"
		done
	done
done
((runs > 20 && old > 0)) || fail "only $runs faults, $old refused"
ok "$runs faults of a restore: $old refused, $new done, none in part"

note 'a restore in place of a broken store is killed'
runs=0
store_restore broken
system_calls leasectl restore "$WORK/backup.db" --forget-revocations >"$WORK/list"
while read -r call n last; do
	for ((; n <= last; n++)); do
		store_restore broken
		killed "$call:signal=KILL:when=$n" restore "$WORK/backup.db" --forget-revocations || continue
		runs=$((runs + 1))
		if akc_answers; then
			store_is_whole "in place of a broken store, killed at $call $n"
		else
			expect_exit 0 leasectl restore "$WORK/backup.db" --forget-revocations
			store_is_whole "in place of a broken store, killed at $call $n, and again"
		fi
	done
done <"$WORK/list"
((runs > 100)) || fail "only $runs kills"
ok "$runs kills of a restore in place of a broken store: it is there, or the next one puts it there"
((bad == 0)) || fail "$bad times"
