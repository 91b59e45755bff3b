#!/bin/bash
# SPDX-License-Identifier: ISC
# No space left for the store: changes are refused whole, logins go on, and all is well when there
# is space again.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_lib.sh"

small() { # a store on a small file system of its own
	store_image start
	mount -t tmpfs -o "size=256k,mode=2750,uid=$(id -u _tunlease),gid=$(id -g _tunlease)" small "$STORE_DIR"
	store_restore start
}
fill() { # BYTES: all but so many are used
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
grep -E -q 'disk is full|No space left' "$WORK/err" || fail "not clear: $(cat "$WORK/err")"
ok "a grant is refused: $(cat "$WORK/err")"
expect_exit 7 leasectl revoke leaver
grep -E -q 'disk is full|No space left' "$WORK/err" || fail "not clear: $(cat "$WORK/err")"
ok "a revocation is refused: $(cat "$WORK/err")"
expect_exit 0 leasectl list
[[ $(grep -cE 'steady|leaver|carol' "$WORK/out") == 2 ]] || fail "the list: $(cat "$WORK/out")"
login_works "$WORK/steady" pfwd || fail 'no login while the disk is full'
ok 'logins and lists go on'

rm "$STORE_DIR/fill"
assert_eq "$(lease_parts carol), $(lease_parts leaver)" '0 0 0 0, 1 1 1 0' 'nothing was half written'
store_is_whole 'after a full disk'
expect_exit 0 leasectl grant carol --key "$WORK/carol.pub" --open 8009
expect_exit 0 leasectl revoke --keep-sessions leaver
login_works "$WORK/carol" pfwd || fail "carol's login"
login_refused "$WORK/bob" pfwd || fail "leaver's login"
ok 'with space again all goes on'

# The log is longer than one change: it ends in the middle of one sooner or later.
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
((refused > 0 && done > 0)) || fail "$refused refused, $done done: the sizes are wrong"
ok "$((refused + done)) sizes of what is left: $done done, $refused refused, none half"

note 'the log and its index are missing, and cannot be made'
store_restore small
rm "$STORE-wal" "$STORE-shm"
fill 0
expect_exit 7 leasectl grant carol --key "$WORK/carol.pub" --open 8009
[[ $(wc -l <"$WORK/err") == 1 ]] || fail "not one line: $(cat "$WORK/err")"
rm "$STORE_DIR/fill"
expect_exit 0 leasectl grant carol --key "$WORK/carol.pub" --open 8009
store_is_whole 'without a log'
ok 'refused, and made when there is space'
