#!/bin/bash
# SPDX-License-Identifier: ISC
# The disk of the store is full: changes are refused as a whole, logins still work, and so do
# changes once there is space again.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

small() { # moves the store to a small file system of its own
	store_image start
	mount -t tmpfs -o "size=256k,mode=2750,uid=$(id -u _tunlease),gid=$(id -g _tunlease)" small "$STORE_DIR"
	store_restore start
}
fill() { # BYTES: leaves so many bytes free
	rm -f "$STORE_DIR/fill"
	dd if=/dev/zero of="$STORE_DIR/fill" bs=4096 status=none 2>/dev/null || :
	truncate -s "-$1" "$STORE_DIR/fill"
}
new_key bob >/dev/null
leasectl grant leaver --key "$WORK/bob.pub" --open 8010 >/dev/null
new_key carol >/dev/null
small
store_image small

fill 0
[[ $(stat -f -c %a "$STORE_DIR") == 0 ]] || fail 'the disk is not full'
expect_exit 7 leasectl grant carol --key "$WORK/carol.pub" --open 8009
[[ $(wc -l <"$WORK/err") == 1 ]] || fail "not one line: $(cat "$WORK/err")"
grep -E -q 'disk is full|No space left' "$WORK/err" || fail "the message does not say that the disk is full: $(cat "$WORK/err")"
ok "a grant is refused: $(cat "$WORK/err")"
expect_exit 7 leasectl revoke leaver
grep -E -q 'disk is full|No space left' "$WORK/err" || fail "the message does not say that the disk is full: $(cat "$WORK/err")"
ok "a revocation is refused: $(cat "$WORK/err")"
expect_exit 0 leasectl list
[[ $(grep -cE 'steady|leaver|carol' "$WORK/out") == 2 ]] || fail "list is not complete: $(cat "$WORK/out")"
login_works "$WORK/steady" pfwd || fail 'no login while the disk is full'
ok 'logins and list work'

rm "$STORE_DIR/fill"
assert_eq "$(lease_parts carol), $(lease_parts leaver)" '0 0 0 0, 1 1 1 0' 'neither change is in the store, not even in part'
store_is_whole 'after a full disk'
expect_exit 0 leasectl grant carol --key "$WORK/carol.pub" --open 8009
expect_exit 0 leasectl revoke --keep-sessions leaver
login_works "$WORK/carol" pfwd || fail 'no login for carol'
login_refused "$WORK/bob" pfwd || fail 'leaver, who is revoked, gets in'
ok 'with free space all works again'

# With some of these sizes the space ends in the middle of a change, as the log of one needs several
# pages.
refused=0 done=0
for ((free = 4096; free <= 98304; free += 4096)); do
	store_restore small
	fill "$free"
	rc=0
	leasectl grant carol --key "$WORK/carol.pub" --open 8009 >/dev/null 2>"$WORK/err" || rc=$?
	parts=$(lease_parts carol)
	case "$rc: $parts" in
	'0: 1 1 1 0') done=$((done + 1)) ;;
	'7: 0 0 0 0') refused=$((refused + 1)) ;;
	*) fail "with $free bytes free: exit $rc, but the store has $parts: $(cat "$WORK/err")" ;;
	esac
	store_is_whole "with $free bytes free"
done
((refused > 0 && done > 0)) || fail "$refused refused, $done done: the sizes do not cover both"
ok "$((refused + done)) sizes of free space: $done done, $refused refused, none in part"

note 'the log and its index are missing, and the full disk has no space for them'
store_restore small
rm "$STORE-wal" "$STORE-shm"
fill 0
expect_exit 7 leasectl grant carol --key "$WORK/carol.pub" --open 8009
[[ $(wc -l <"$WORK/err") == 1 ]] || fail "not one line: $(cat "$WORK/err")"
rm "$STORE_DIR/fill"
expect_exit 0 leasectl grant carol --key "$WORK/carol.pub" --open 8009
store_is_whole 'without a log'
ok 'the grant is refused; it succeeds once there is space'
