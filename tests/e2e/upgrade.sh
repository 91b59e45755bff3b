#!/bin/bash
# SPDX-License-Identifier: ISC
# A store of an older version, as an upgrade finds it: who reads it gets in, nobody migrates it while the
# installed akc is older, and then only under a backup, which is the way back.
# sandbox:
set -eu
. "$TOP/tests/lib.sh"

store_with_alice
new_key bob >/dev/null
akc=/usr/libexec/tunlease/akc
backup=$STORE-before-4
version() { sqlite3 -readonly "file:${1-$STORE}?immutable=1" 'PRAGMA user_version'; }
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }

expect_exit 0 leasectl token create --uses 2
as_owner sqlite3 "$STORE" <"$TOP/tests/to_version_3.sql"
rm -f "$STORE"-wal "$STORE"-shm
login_works "$WORK/alice" pfwd || fail 'alice is not in'
for words in list 'list --json' 'show alice' sessions 'token list' 'token list --json' agents 'invite list' audit 'audit verify' doctor; do
	# shellcheck disable=SC2086 # words
	leasectl $words >"$WORK/out" 2>"$WORK/err" || [[ $words == doctor* ]] || fail "$words: $(cat "$WORK/err")"
	! grep -q 'no such column' "$WORK/out" "$WORK/err" || fail "$words: $(cat "$WORK/out" "$WORK/err")"
done
expect_exit 0 leasectl token list
[[ $(wc -l <"$WORK/out") == 1 ]] || fail "$(cat "$WORK/out")"
[[ $(version) == 3 && ! -e $backup ]] || fail 'a reader has migrated it'
ok 'an older store is read as it is'

# An akc of the version before knows no --store-version.
printf '#!/bin/sh\nexit 2\n' >"$WORK/akc"
chmod 755 "$WORK/akc"
mount --bind "$WORK/akc" "$akc"
expect_exit 7 leasectl grant bob --key "$WORK/bob.pub" --open 8010
grep -q "could not read it then: finish the upgrade.*logins work as before" "$WORK/err" || fail "$(cat "$WORK/err"; tail -3 "$SANDBOX_LOG")"
expect_exit 1 as_owner leased -D
grep -q "could not read it then" "$WORK/err" || fail "$(cat "$WORK/err")"
chmod 644 "$WORK/akc"
expect_exit 7 leasectl grant bob --key "$WORK/bob.pub" --open 8010
grep -q "could not be asked whether it reads that: Permission denied" "$WORK/err" || fail "$(cat "$WORK/err")"
umount "$akc"
[[ $(version) == 3 && ! -e $backup ]] || fail 'it was migrated all the same'
ok 'beside an older akc nobody migrates it'

expect_exit 0 leasectl grant bob --key "$WORK/bob.pub" --open 8010
grep -q "migrated from version 3 to 4; the one of before is '$backup'" "$WORK/err" || fail "$(cat "$WORK/err"; tail -3 "$SANDBOX_LOG")"
[[ $(version "$backup") == 3 && $(stat -c '%a %U:%G' "$backup") == '640 _tunlease:_tunlease' ]] || fail "$(ls -l "$STORE_DIR")"
assert_eq "$(od -An -tu1 -j60 -N4 "$STORE")" '   0   0   0   4' "the file's header has the new version"
leasectl doctor >"$WORK/doctor" || :
grep -q "^note.store.'$backup' is the store from before" "$WORK/doctor" || fail "$(cat "$WORK/doctor")"
ok 'the next change migrates it under a backup, which doctor names'

# leasectl(1), UPGRADE: the way back
as_owner rm -f "$STORE"-wal "$STORE"-shm
as_owner cp -p "$backup" "$STORE-back"
login_works "$WORK/bob" pfwd || fail 'bob is not in'
as_owner mv "$STORE-back" "$STORE"
[[ $(version) == 3 ]] || fail 'it is not the old one'
login_works "$WORK/alice" pfwd || fail 'alice is not in after the way back'
ok 'the way back'
