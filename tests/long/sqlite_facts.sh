#!/bin/bash
# SPDX-License-Identifier: ISC
# Shows again what docs/sqlite-facts.md says of SQLite, with the sqlite3 shell on a database of its
# own: the writer is one user, and the reader is another, who may not write anything.
# timeout: 120
set -eu
cd "$TOP"
. tests/words.sh

work=$(mktemp -d)
writer_pid=''
trap 'kill $writer_pid 2>/dev/null || :; rm -rf "$work"' EXIT
fail() { printf 'FAIL: %s\n' "$*"; exit 1; }
((EUID == 0)) || { echo 'needs root'; exit 77; }
chmod 755 "$work"
db=$work/store/t.db
persist=(-cmd '.filectrl persist_wal 1')
write() { sqlite3 "${@:2}" "$db" "$1" >/dev/null; }
# read_it [SQL [FILE]]: what the other user reads: a number, or SQLite's error.
read_it() { setpriv --reuid=nobody --regid=nogroup --clear-groups sqlite3 -readonly "${2-$db}" "${1-SELECT max(n) FROM t;}" 2>&1 | tail -n 1; }
expect() { [[ $1 =~ $2 ]] || fail "$3: got '$1', want '$2'"; printf 'ok - %s\n' "$3"; }
# store MODE [OPTION...]: makes a new database with one row, in this journal mode.
store()
{
	rm -rf "$work/store"
	install -d -m 755 "$work/store"
	write "PRAGMA journal_mode=$1; CREATE TABLE t(n); INSERT INTO t VALUES(1);" "${@:2}"
	chmod 644 "$db"*
}
# open_transaction SQL...: another writer runs it and stays, with a cache of one page, so that it
# spills.
open_transaction()
{
	rm -f "$work/in" "$work/out"
	mkfifo "$work/in"
	sqlite3 "$db" <"$work/in" >"$work/out" 2>&1 &
	writer_pid=$!
	exec {in}>"$work/in"
	printf '%s\n' 'PRAGMA cache_size=1;' "$@" '.print there' >&"$in"
	until grep -q there "$work/out"; do sleep 0.02; done
}
kill_writer() { kill -9 "$writer_pid"; wait "$writer_pid" 2>/dev/null || :; exec {in}>&-; }
much='INSERT INTO t SELECT 2 FROM (WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<50000) SELECT i FROM c);'

store DELETE
open_transaction 'BEGIN IMMEDIATE;' "$much"
expect "$(read_it)" 'locked' '1.1: a rollback journal blocks readers while a transaction spills'
kill_writer
expect "$(read_it)" 'readonly|read-?only|unable' '1.1: after a writer was killed, a user who may not write cannot read'
store WAL "${persist[@]}"
open_transaction 'BEGIN IMMEDIATE;' "$much"
expect "$(read_it)" '^1$' '1.1: with WAL a reader is not blocked'
kill_writer
expect "$(read_it)" '^1$' '1.1: nor after a writer was killed'
store WAL
[[ ! -e $db-wal && ! -e $db-shm ]] || fail 'the log was not deleted'
expect "$(read_it)" 'readonly|read-?only|unable' '1.1: with plain WAL the last to close deletes -wal and -shm, and a reader is locked out'
store WAL "${persist[@]}"
expect "$(read_it)" '^1$' '1.1: with PERSIST_WAL they are kept'
write 'SELECT count(*) FROM t'
[[ ! -e $db-wal ]] || fail 'the log was not deleted'
expect "$(read_it)" 'readonly|read-?only|unable' '1.4: PERSIST_WAL is not stored in the file: a plain shell deletes them again'
install -m 644 /dev/null "$db-wal"
install -m 644 /dev/null "$db-shm"
expect "$(read_it)" '^1$' '1.4: an empty -wal and -shm are valid'
rm "$db-shm"
expect "$(read_it)" 'readonly|read-?only|unable' '1.4: -wal without -shm is not enough'

store WAL "${persist[@]}"
(umask 077; write 'INSERT INTO t VALUES(2)' "${persist[@]}")
expect "$(stat -c %a "$db-wal" "$db-shm" | tr '\n' ' ')" '^644 644 $' '1.5: -wal and -shm have the mode of the database, whatever the umask'

open_transaction '.filectrl persist_wal 1' 'PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(3);'
expect "$(read_it)" '^3$' '1.6: a reader sees what is in the log'
expect "$(read_it 'SELECT max(n) FROM t;' "file:$db?immutable=1")" '^[12]$' '1.6: immutable=1 ignores the log, so it still shows what was revoked since'
expect "$(read_it 'SELECT max(n) FROM t;' "file:$db?nolock=1")" 'unable|rror' '1.6: nolock=1 cannot open it'
kill_writer

store WAL "${persist[@]}"
open_transaction '.filectrl persist_wal 1' 'PRAGMA wal_autocheckpoint=0; INSERT INTO t VALUES(3);'
kill_writer
: >"$db-wal"
expect "$(read_it)" '^1$' '1.7: when the log is emptied, the last commits are lost without an error'

count() { strace -f -e trace=fdatasync,fsync -o "$work/trace" sqlite3 "${persist[@]}" "$db" "PRAGMA synchronous=$1; PRAGMA wal_autocheckpoint=0; $(for ((i = 0; i < 20; i++)); do printf 'INSERT INTO t VALUES(4);'; done)" >/dev/null; grep -c sync "$work/trace" || :; }
store WAL "${persist[@]}"
full=$(count FULL) normal=$(count NORMAL)
((full >= 20 && normal < 10)) || fail "1.9: $full syncs with FULL, $normal with NORMAL"
echo "ok - 1.9: twenty commits: $full syncs with FULL, $normal with NORMAL"
expect "$(python3 - "$db" <<'END'
import sqlite3, sys
one, other = (sqlite3.connect(sys.argv[1], isolation_level=None, timeout=3) for _ in "12")
def tries(begin):
    one.execute(begin)
    if begin == "BEGIN":
        one.execute("SELECT * FROM t").fetchone()
        other.execute("INSERT INTO t VALUES(5)")
    try:
        one.execute("INSERT INTO t VALUES(6)")
        said = "done"
    except sqlite3.OperationalError as error:
        said = str(error)
    one.execute("ROLLBACK")
    return said
print(tries("BEGIN"), tries("BEGIN IMMEDIATE"), sep="; ")
END
)" '^database is locked; done$' '1.9: a BEGIN that read first fails at once after the commit of another; BEGIN IMMEDIATE does not'

# replace MORE: what INSERT OR REPLACE does to a table whose DELETE trigger refuses.
replace()
{
	sqlite3 :memory: "$1; CREATE TABLE kept(n INTEGER PRIMARY KEY, u UNIQUE, what);
		CREATE TRIGGER d BEFORE DELETE ON kept BEGIN SELECT RAISE(ABORT, 'refused'); END; $2
		INSERT INTO kept VALUES(1, 1, 'old'); $3" 'SELECT group_concat(what) FROM kept' 2>&1 | tail -n 1
}
insert="CREATE TRIGGER i BEFORE INSERT ON kept BEGIN SELECT RAISE(ABORT, 'refused') FROM kept WHERE n >= NEW.n OR u >= NEW.u; END;"
expect "$(replace 'PRAGMA recursive_triggers = 0' '' "INSERT OR REPLACE INTO kept VALUES(1, 2, 'new')")" '^new$' '1.10: REPLACE deletes, and fires no DELETE trigger'
expect "$(replace 'PRAGMA recursive_triggers = 0' '' "INSERT OR REPLACE INTO kept VALUES(2, 1, 'new')")" '^new$' '1.10: also by a UNIQUE column'
expect "$(replace 'PRAGMA recursive_triggers = 1' '' "INSERT OR REPLACE INTO kept VALUES(1, 2, 'new')")" 'refused' '1.10: unless the connection has recursive_triggers'
for sql in 'OR REPLACE INTO kept VALUES(1, 2, 1)' 'OR REPLACE INTO kept VALUES(2, 1, 1)' 'OR IGNORE INTO kept VALUES(1, 2, 1)' \
	"INTO kept VALUES(1, 2, 1) ON CONFLICT DO UPDATE SET what = 'new'"; do
	expect "$(replace 'PRAGMA recursive_triggers = 0' "$insert" "INSERT $sql")" 'refused' "1.10: an INSERT trigger stops INSERT $sql"
done
