#!/bin/bash
# SPDX-License-Identifier: ISC
# While writers open, commit, close, die, vacuum, checkpoint and rebuild, no login is refused by
# mistake, and every akc that is started after the commit of a grant or a revocation sees it.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_tools.sh"

turns=${TEST_CHAOS_TURNS:-1000}
seconds=${TEST_CHAOS_SECONDS:-5}

build_tool chaos

note 'a writer is stopped before each of its writes, and a reader asks at each stop'
build_tool steps
new_key stepped >/dev/null
read -r type blob _ <"$WORK/stepped.pub"
before=$WORK/before
cp -a "$STORE_DIR" "$before"
# There are leases on both sides of free pages, so that VACUUM moves them. The last grant is only in
# the log.
"$TOP/build/tests/fill" "$STORE" 100 pfwd >/dev/null
as_owner sqlite3 -cmd '.filectrl persist_wal 1' "$STORE" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n
	WHERE i < 60) INSERT INTO token(id, hash, name, uses_left, created_s, expires_s) SELECT i, randomblob(1500), '', 1, 1, 1 FROM n" >/dev/null
mkfifo "$WORK/sql"
as_owner sqlite3 "$STORE" <"$WORK/sql" >"$WORK/sql.out" 2>&1 &
holder_pid=$!
exec {holder}>"$WORK/sql"
printf '%s\n' 'DELETE FROM token;' '.print ready' >&"$holder"
wait_for 5 'the writer that keeps the log in use' grep -qx ready "$WORK/sql.out"
leasectl grant stepped --key "$WORK/stepped.pub" --open 8009 >/dev/null
mkdir "$WORK/image"
cp -a "$STORE"* "$WORK/image/"
exec {holder}>&-
wait "$holder_pid"
cp -a "$WORK"/image/leases.db* "$STORE_DIR/"
"$WORK/steps" "$STORE" pfwd "$type" "$blob" || fail steps
ok 'a reader is right between any two writes of a writer'
rm -f "$STORE"*
cp -a "$before"/. "$STORE_DIR/"

chaos() { "$WORK/chaos" "$@" || { grep 'akc.*refused:' "$SANDBOX_LOG" | tail -n 5; fail "chaos $*"; }; }
chaos turns "$STORE" pfwd "$turns"
ok "$turns commits among dying writers: the next akc sees each one, and none is lost"

note 'commits change the log index while a reader that may not write it is reading (docs/sqlite-facts.md 1.3)'
# The store is on a tmpfs: without waits for a disk there are more commits, and more readers meet
# one.
cp -a "$STORE_DIR" "$WORK/store"
mount -t tmpfs -o "mode=2750,uid=$(id -u _tunlease),gid=$(id -g _tunlease)" hammer "$STORE_DIR"
cp -a "$WORK"/store/. "$STORE_DIR/"
chaos hammer "$STORE" pfwd "$seconds"
ok "$seconds s of commits without a pause"
