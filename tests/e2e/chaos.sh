#!/bin/bash
# SPDX-License-Identifier: ISC
# No login is lost while writers open, commit, close, die, vacuum, checkpoint and rebuild; and every
# grant and revocation holds for every akc started after its commit.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

turns=${TEST_CHAOS_TURNS:-1000}
seconds=${TEST_CHAOS_SECONDS:-5}

gcc -std=c11 -D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -O1 -Wall -Wextra -I"$TOP" -I"$TOP/build/gen" -o "$WORK/chaos" \
	"$TOP/tests/fault/chaos.c" "$TOP"/build/lib/lib{store,lease,base}.a -lsqlite3 -lbsd -lmd -lresolv -lm ||
	fail 'tests/fault/chaos.c does not build'

store=/var/lib/tunlease/leases.db

note 'a writer stopped before each of its writes, and a reader between any two of them'
gcc -std=c11 -D_GNU_SOURCE -DLIBBSD_OPENBSD_VIS -O1 -Wall -Wextra -I"$TOP" -I"$TOP/build/gen" -o "$WORK/steps" \
	"$TOP/tests/fault/steps.c" "$TOP"/build/lib/lib{store,lease,base}.a -lsqlite3 -lbsd -lmd -lresolv -lm ||
	fail 'tests/fault/steps.c does not build'
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
new_key stepped >/dev/null
read -r type blob _ <"$WORK/stepped.pub"
before=$WORK/before
cp -a "${store%/*}" "$before"
# Leases on both sides of free pages, so that VACUUM moves them; the last grant in the log alone.
"$TOP/build/tests/fill" "$store" 100 pfwd >/dev/null
as_owner sqlite3 -cmd '.filectrl persist_wal 1' "$store" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
	WHERE i < 60) INSERT INTO token SELECT i, randomblob(1500), '', 1, 1, 1 FROM n" >/dev/null
mkfifo "$WORK/sql"
as_owner sqlite3 "$store" <"$WORK/sql" >"$WORK/sql.out" 2>&1 &
holder_pid=$!
exec {holder}>"$WORK/sql"
printf '%s\n' 'DELETE FROM token;' '.print ready' >&"$holder"
wait_for 5 'the writer that holds the log' grep -qx ready "$WORK/sql.out"
leasectl grant stepped --key "$WORK/stepped.pub" --open 8009 >/dev/null
mkdir "$WORK/image"
cp -a "$store"* "$WORK/image/"
exec {holder}>&-
wait "$holder_pid"
cp -a "$WORK"/image/leases.db* "${store%/*}/"
"$WORK/steps" "$store" pfwd "$type" "$blob" || fail steps
ok 'a reader between any two writes of a writer'
rm -f "$store"*
cp -a "$before"/. "${store%/*}/"

chaos() { "$WORK/chaos" "$@" || { grep 'akc.*refused:' "$SANDBOX_LOG" | tail -n 5; fail "chaos $*"; }; }
chaos turns "$store" pfwd "$turns"
ok "$turns commits among dying writers: each holds for the next akc, and none is lost"

note 'commits that change the index under a reader who may not write it (docs/sqlite-facts.md 1.3)'
# On a tmpfs: the rarer the disk is waited for, the more often a reader meets one.
cp -a "${store%/*}" "$WORK/store"
mount -t tmpfs -o "mode=2750,uid=$(id -u _tunlease),gid=$(id -g _tunlease)" hammer "${store%/*}"
cp -a "$WORK"/store/. "${store%/*}/"
chaos hammer "$store" pfwd "$seconds"
ok "$seconds s under the hammer"
