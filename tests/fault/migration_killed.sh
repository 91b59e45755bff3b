#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl is killed at every system call of a command that migrates the store, from its first use of the
# store on, and every write of it fails once. The store is of the old version or of the new one, then
# with a whole backup of the old one beside it; friends get in all the time, and the next command works.
# sandbox:
# timeout: 1200
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

strace -o /dev/null true 2>/dev/null || { echo 'strace may not trace here'; exit 77; }
new_key next >/dev/null
backup=$STORE-before-4
command=(leasectl grant next --key "$WORK/next.pub" --open 8012)

as_owner sqlite3 "$STORE" <"$TOP/tests/to_version_3.sql"
: >"$WORK/empty"
for suffix in wal shm; do # sqlite3 has removed them
	[[ -e $STORE-$suffix ]] || install -m 0640 -o _tunlease -g _tunlease "$WORK/empty" "$STORE-$suffix"
done
store_image start

runs=0 bad=0 old=0 new=0
complain() { printf 'not ok - %s\n' "$*"; bad=$((bad + 1)); }
run_with() # FAULT: that command; its exit status is in code
{
	code=0
	injected "$1" "${command[@]}" || code=$?
}
# judge WHEN: what is there now
judge()
{
	local version
	version=$(query 'PRAGMA user_version')
	runs=$((runs + 1))
	case $version in
	3) old=$((old + 1)) ;;
	4)
		new=$((new + 1))
		[[ $(sqlite3 -readonly "file:$backup?immutable=1" 'PRAGMA user_version; PRAGMA integrity_check' 2>&1) == $'3\nok' ]] ||
			complain "$1: the backup is not whole"
		;;
	*) complain "$1: neither old nor new: $version" ;;
	esac
	store_is_whole "$1"
	if [[ $(query "SELECT count(*) FROM lease WHERE name = 'next'") == 0 ]]; then
		expect_exit 0 "${command[@]}"
		store_is_whole "$1, and again"
	fi
	[[ $(query 'PRAGMA user_version') == 4 && -s $backup ]] || complain "$1: the next command does not migrate"
	[[ -z $(find "$STORE_DIR" -name '.*.new-*') ]] || complain "$1: $(ls -A "$STORE_DIR")"
}

system_calls "${command[@]}" >"$WORK/list"

note 'it is killed'
while read -r call n last; do
	for ((; n <= last; n++)); do
		store_restore start
		run_with "$call:signal=KILL:when=$n"
		((code == 137)) || continue
		judge "killed at $call $n"
	done
done <"$WORK/list"
((runs > 100 && old > 50 && new > 20)) || fail "$runs kills, $old before and $new after the migration"
ok "$runs kills: $old times the old version, $new times the new one and a whole backup"

note 'its writes fail'
runs=0 old=0 new=0
for call in pwrite64 write fdatasync fsync ftruncate linkat unlinkat openat fchmod execve; do
	read -r n last < <(awk -v call="$call" '$1 == call { print $2, $3 }' "$WORK/list") || continue
	for ((; n <= last; n++)); do
		for error in EIO ENOSPC; do
			store_restore start
			run_with "$call:error=$error:when=$n"
			case $code in
			0 | 1 | 7) ;;
			*) complain "$error of $call $n: exit $code: $(cat "$WORK/err")" ;;
			esac
			judge "$error of $call $n"
		done
	done
done
((runs > 20 && old > 5)) || fail "only $runs faults, $old refused"
ok "$runs faults: $old times the old version, $new times the new one, friends get in"

note 'the disk is too full for the backup'
store_restore start
mount -t tmpfs -o size=256k,mode=2750 tmpfs "$STORE_DIR" && chown _tunlease:_tunlease "$STORE_DIR"
cp -a "$WORK/image-start/." "$STORE_DIR/"
expect_exit 7 "${command[@]}"
grep -q "not done without a backup.*the disk is too full: make [0-9]* KiB free there; logins work as before" "$WORK/err" ||
	fail "it says: $(cat "$WORK/err")"
store_is_whole 'the disk is too full'
[[ $(query 'PRAGMA user_version') == 3 && ! -e $backup ]] || fail 'it left something'
umount "$STORE_DIR"
ok 'a full disk: refused with how much it takes, friends get in'
((bad == 0)) || fail "$bad times"
