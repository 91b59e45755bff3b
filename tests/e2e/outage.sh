#!/bin/bash
# SPDX-License-Identifier: ISC
# akc in every state that the store can be in. It gives the right answer, or prints nothing, exits 1
# and logs one line; within a second, and never with a wrong line.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

dir=/var/lib/tunlease
store=$dir/leases.db
conf=/etc/tunlease/tunlease.conf
most_ms=$(slow 1500) # akc's own limit of a second, and the start of a process

# A row: the state, the image of the store that it starts from, what akc must do, and the right
# answer for alice's key. bob is revoked in both images: in `log` the revocation is only in the
# write-ahead log, in `clean` it is in the database. right: the right answer. refuse: no output,
# exit 1, one line in the log. either: one of the two, as a read of the database without its log
# (docs/sqlite-facts.md 1.6) may answer, or not.
table='
writer_idle           log    right   line
in_transaction        log    right   line
in_spilled            log    right   line
killed_in_transaction log    right   line
killed_in_spilled     log    right   line
killed_after_commit   log    right   none
killed_at_new_log     clean  right   line
closed_cleanly        log    right   line
closed_by_root_shell  log    right   line
shm_missing           clean  either  line
shm_missing_log       log    either  line
wal_missing           clean  either  line
both_missing          clean  either  line
both_by_tmpfiles      clean  right   line
shm_garbage           log    right   line
shm_empty             log    right   line
shm_unreadable        clean  either  line
shm_unreadable_log    log    either  line
shm_fifo              clean  either  line
wal_empty             clean  right   line
wal_garbage           clean  either  line
wal_garbage_tail      log    right   line
wal_cut               log    right   line
wal_unreadable        log    refuse  line
wal_directory         clean  either  line
wal_fifo              clean  either  line
checkpoints           log    right   line
vacuums               log    right   line
rebuilds              log    right   line
exclusive_transaction log    right   line
exclusive_mode        log    refuse  line
store_missing         clean  refuse  line
store_empty           clean  refuse  line
store_garbage         clean  refuse  line
version_newer         clean  refuse  line
version_none          clean  refuse  line
store_cut             clean  refuse  line
page_of_schema        clean  refuse  line
page_of_leases        clean  refuse  line
page_of_key_index     clean  refuse  line
page_zero             clean  refuse  line
store_mode            clean  refuse  line
directory_mode        clean  refuse  line
store_fifo            clean  refuse  line
store_directory       clean  refuse  line
store_symlink_nowhere clean  refuse  line
conf_unreadable       clean  refuse  line
conf_fifo             clean  refuse  line
conf_directory        clean  refuse  line
'

# ---- a writer: the sqlite3 shell, as _tunlease, that runs what it is told --------------------------

as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
writer_pid='' feeder_pid='' said=0

writer()
{
	rm -f "$WORK/sql"
	mkfifo "$WORK/sql"
	: >"$WORK/sql.out"
	as_owner sqlite3 -bail "$store" <"$WORK/sql" >"$WORK/sql.out" 2>&1 &
	writer_pid=$!
	at_exit "$writer_pid"
	exec {writer_fd}>"$WORK/sql"
	tell '.timeout 5000' '.filectrl persist_wal 1' 'SELECT count(*) FROM lease;'
}

tell()
{
	said=$((said + 1))
	printf '%s\n' "$@" ".print said $said" >&"$writer_fd"
	wait_for 5 "the writer to do: $*" grep -qx "said $said" "$WORK/sql.out"
	! grep -i error "$WORK/sql.out" || fail "the writer: $*"
}

# writer_repeats SQL: the writer runs it again and again, until writer_killed.
writer_repeats()
{
	writer
	tell "$1" # it works
	(trap '' PIPE; while printf '%s\n' "$1" 2>/dev/null; do :; done) >&"$writer_fd" &
	feeder_pid=$!
	at_exit "$feeder_pid"
}

writer_killed()
{
	local pid
	for pid in $feeder_pid $writer_pid; do
		kill -KILL "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	[[ -z $writer_pid ]] || exec {writer_fd}>&-
	writer_pid='' feeder_pid=''
}

writer_closed()
{
	exec {writer_fd}>&-
	wait "$writer_pid" || fail 'the writer did not close the store well'
	writer_pid=''
}

# A change that akc must not see before its commit: alice's key is deleted, bob's lease is active
# again.
change="DELETE FROM key WHERE lease_id = (SELECT id FROM lease WHERE name = 'alice');
	UPDATE lease SET live = 1, revoked_s = 0 WHERE name = 'bob';
	UPDATE key SET live = 1 WHERE lease_id = (SELECT id FROM lease WHERE name = 'bob');"
spill="PRAGMA cache_size = 2; BEGIN IMMEDIATE; $change
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
	INSERT INTO token(id, hash, name, uses_left, created_s, expires_s) SELECT i, randomblob(200), '', 1, 1, 1 FROM n;"

# ---- the states ----------------------------------------------------------------------------------

writer_idle() { writer; }
in_transaction() { writer; tell "BEGIN IMMEDIATE; $change"; }
in_spilled()
{
	local before; before=$(stat -c %s "$store-wal")
	writer
	tell "$spill"
	(($(stat -c %s "$store-wal") > before + 100000)) || fail 'nothing was spilled into the log'
}
killed_in_transaction() { in_transaction; writer_killed; }
killed_in_spilled() { in_spilled; writer_killed; }
killed_after_commit()
{
	writer
	tell "DELETE FROM key WHERE lease_id = (SELECT id FROM lease WHERE name = 'alice');"
	writer_killed
}
# A writer died between the header of a new log and its first frame.
killed_at_new_log()
{
	head -c 32 "$image/log/leases.db-wal" >"$store-wal"
}
closed_cleanly()
{
	writer
	writer_closed
	[[ -f $store-wal && -f $store-shm ]] || fail 'persist_wal did not persist'
}
closed_by_root_shell()
{
	sqlite3 "$store" 'SELECT count(*) FROM lease' >/dev/null
	[[ ! -e $store-wal && ! -e $store-shm ]] || fail 'the shell left the log in place, so this row tests nothing'
}
shm_missing() { rm "$store-shm"; }
shm_missing_log() { rm "$store-shm"; }
wal_missing() { rm "$store-wal"; }
both_missing() { rm "$store-wal" "$store-shm"; }
both_by_tmpfiles()
{
	both_missing
	systemd-tmpfiles --create /usr/lib/tmpfiles.d/tunlease.conf || fail 'systemd-tmpfiles refuses tunlease.conf'
}
shm_garbage() { head -c 32768 /dev/urandom >"$store-shm"; }
shm_empty() { : >"$store-shm"; }
shm_unreadable() { chmod 0600 "$store-shm"; }
shm_unreadable_log() { chmod 0600 "$store-shm"; }
shm_fifo() { rm "$store-shm"; mkfifo -m 0640 "$store-shm"; chown _tunlease:_tunlease "$store-shm"; }
wal_empty() { : >"$store-wal"; }
wal_garbage() { head -c 5000 /dev/urandom >"$store-wal"; }
wal_garbage_tail() { head -c 5000 /dev/urandom >>"$store-wal"; }
wal_cut()
{
	writer
	tell "BEGIN IMMEDIATE; $change COMMIT;"
	writer_killed
	truncate -s -100 "$store-wal"
}
wal_unreadable() { chmod 0600 "$store-wal"; }
wal_directory() { rm "$store-wal"; mkdir "$store-wal"; }
wal_fifo() { rm "$store-wal"; mkfifo -m 0640 "$store-wal"; chown _tunlease:_tunlease "$store-wal"; }
checkpoints() { writer_repeats 'UPDATE lease SET last_login_s = last_login_s + 1; PRAGMA wal_checkpoint(TRUNCATE);'; }
vacuums() { writer_repeats 'VACUUM;'; }
rebuilds() { writer_repeats "$rebuild"; }
exclusive_transaction() { writer; tell "BEGIN EXCLUSIVE; $change"; }
exclusive_mode()
{
	writer
	tell 'PRAGMA locking_mode = EXCLUSIVE; UPDATE lease SET last_login_s = 1;'
}
store_missing() { rm "$store"; }
store_empty() { : >"$store"; }
version_newer() { as_owner sqlite3 -cmd '.filectrl persist_wal 1' "$store" 'PRAGMA user_version=99' >/dev/null; }
version_none() { as_owner sqlite3 -cmd '.filectrl persist_wal 1' "$store" 'PRAGMA user_version=0' >/dev/null; }
store_garbage() { head -c 40960 /dev/urandom >"$store"; }
store_cut() { truncate -s 8192 "$store"; }
damage() { # OFFSET BYTES
	head -c "$2" /dev/zero | tr '\0' '\245' |
		dd of="$store" bs=1 seek="$1" conv=notrunc status=none
}
root_page() { sqlite3 "file:$image/clean/leases.db?immutable=1" "SELECT rootpage FROM sqlite_schema WHERE name = '$1'"; }
page_of_schema() { damage 100 3996; }
page_of_leases() { damage $((($(root_page lease) - 1) * 4096)) 4096; }
page_of_key_index() { damage $((($(root_page sqlite_autoindex_key_2) - 1) * 4096)) 4096; }
page_zero()
{
	local page
	for page in key sqlite_autoindex_key_2; do
		dd if=/dev/zero of="$store" bs=4096 count=1 seek=$(($(root_page "$page") - 1)) conv=notrunc status=none
	done
}
store_mode() { chmod 0600 "$store"; }
directory_mode() { chmod 0700 "$dir"; }
store_fifo() { rm "$store"; mkfifo -m 0640 "$store"; chown _tunlease:_tunlease "$store"; }
store_directory() { rm "$store"; mkdir "$store"; }
store_symlink_nowhere() { rm "$store"; ln -s /nowhere/leases.db "$store"; }
conf_unreadable() { chmod 0600 "$conf"; }
conf_fifo() { rm "$conf"; mkfifo -m 0644 "$conf"; }
conf_directory() { rm "$conf"; mkdir "$conf"; }

# ---- images of the store -------------------------------------------------------------------------

image=$WORK/image
mkdir -p "$image/clean" "$image/log"
new_key alice >/dev/null
new_key bob >/dev/null
cp -a "$conf" "$WORK/conf"
for who in alice bob; do
	leasectl grant "$who" --key "$WORK/$who.pub" --open 8009 >/dev/null
done
# While another connection is open, leasectl's close does not write the log into the database.
writer
leasectl revoke bob >/dev/null
cp -a "$store" "$store-wal" "$store-shm" "$image/log/"
tell 'PRAGMA wal_checkpoint(TRUNCATE);'
writer_closed
cp -a "$store" "$store-wal" "$store-shm" "$image/clean/"
[[ -s $image/log/leases.db-wal && ! -s $image/clean/leases.db-wal ]] || fail 'the images are not what they should be'
[[ $(sqlite3 "file:$image/log/leases.db?immutable=1" "SELECT live FROM lease WHERE name = 'bob'") == 1 ]] ||
	fail "the database has bob's revocation, not the log alone"
rebuild=$(sqlite3 "file:$image/clean/leases.db?immutable=1" "
	SELECT 'BEGIN IMMEDIATE; ' || replace(sql, 'CREATE TABLE key(', 'CREATE TABLE key_new(') ||
		'; INSERT INTO key_new SELECT * FROM key; DROP TABLE key; ALTER TABLE key_new RENAME TO key; COMMIT;'
	FROM sqlite_schema WHERE name = 'key'")

restore()
{
	writer_killed
	rm -rf "$store" "$store-wal" "$store-shm" "$conf"
	chmod 2750 "$dir"
	cp -a "$WORK/conf" "$conf"
	cp -a "$image/$1/." "$dir/"
	chown _tunlease:_tunlease "$dir"
	chmod 2750 "$dir"
}

# ---- what akc answers ----------------------------------------------------------------------------

declare -A type blob
for who in alice bob; do
	read -r type[$who] blob[$who] _ <"$WORK/$who.pub"
done

# The installed akc, and one whose reads take longer, as on a busy machine.
akc=/usr/libexec/tunlease/akc
slow_akc=$WORK/slow_akc
gcc -std=c11 -D_GNU_SOURCE -O1 -o "$slow_akc" "$TOP/build/obj/akc/main.o" "$TOP/tests/fault/slow_reads.c" \
	"$TOP"/build/lib/lib{store,session,lease,conf,base}.a -lsqlite3 -lbsd -lmd -lresolv -lm ||
	fail 'tests/fault/slow_reads.c does not build'
chmod 0755 "$WORK" "$slow_akc"

# run_akc WHO [OPTION]: sets rc, out and ms. The parent blocks SIGALRM, with which akc ends itself
# in time.
run_akc()
{
	local start=${EPOCHREALTIME/./}
	rc=0
	out=$(timeout "$(slow 10)" env --block-signal=ALRM setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups \
		"$akc" "${@:2}" pfwd "${type[$1]}" "${blob[$1]}" 2>&1) || rc=$?
	ms=$(((${EPOCHREALTIME/./} - start) / 1000))
}

# /dev/log keeps the order of datagrams: what akc logged comes before a mark that is logged after
# akc ended.
marks=0
mark()
{
	marks=$((marks + 1))
	logger -t outage "mark $marks."
	wait_log 5 "outage.*mark $marks\\."
}
logged() { sed -n "/outage.*mark $((marks - 1))\\./,/outage.*mark $marks\\./p" "$SANDBOX_LOG" | grep -E '[^a-z]akc(\[[0-9]+\])?: ' || :; }

bad=0
wrong() { printf 'not ok - %s: %s\n' "$name" "$*"; bad=1; }

check_answers()
{
	local want='' lines
	[[ $truth == none ]] || want=$line
	run_akc alice
	mark
	lines=$(logged)
	((ms <= most_ms)) || wrong "akc took $ms ms"
	if ((rc == 0)) && [[ $out == "$want" && $expect != refuse ]]; then
		answer=answered
		[[ -z $out || -z $lines ]] || wrong "it answers and logs: $lines"
	elif ((rc == 1)) && [[ -z $out && $expect != right ]]; then
		answer=refused
		[[ $(grep -c . <<<"$lines") == 1 && $lines == *refused* ]] || wrong "not one line in the log: '$lines'"
	else
		wrong "want $expect ($truth), got exit $rc, '${out:0:60}'; log: $lines"
	fi
	[[ $name != exclusive_mode ]] || check_retries
	# bob is revoked, so he gets no line in any state, whatever the row expects.
	run_akc bob
	mark
	((ms <= most_ms)) || wrong "akc took $ms ms for bob"
	[[ -z $out ]] || wrong "a line for bob, who is revoked: exit $rc, '${out:0:60}'"
	[[ $expect != right || $rc == 0 ]] || wrong "bob: exit $rc; log: $(logged)"
	lines=$(logged)
	[[ $lines == *$'\n'* || $lines != *refused* ]] && wrong "bob: not one line in the log: '$lines'"
	[[ $expect != right || $lines == *' reason=revoked '* ]] || wrong "bob: no reason=revoked: $lines"
}

# akc asks again until its time is over, and then logs SQLite's reason; with --check, for
# pam_tunnel, it stops sooner.
check_retries()
{
	local line_ms=$ms
	[[ $lines == *'(sqlite '* ]] || wrong "SQLite's reason is missing: $lines"
	run_akc alice --check
	mark
	((rc == 1 && ms < line_ms)) || wrong "--check: exit $rc after $ms ms, and $line_ms ms without"
	[[ $(logged) == *'(sqlite '* ]] || wrong "--check: SQLite's reason is missing: $(logged)"
}

restore clean
mark
run_akc alice
line=$out
[[ $rc == 0 && $line == restrict,*" ${blob[alice]} alice" ]] || fail "akc gives no line for a whole store: exit $rc, '$out'"

rows=0
export SLOW_READ_US=${TEST_OUTAGE_READ_US:-500}
while read -r name from expect truth; do
	[[ -n $name ]] || continue
	rows=$((rows + 1))
	answer=''
	restore "$from"
	"$name"
	times=1
	[[ -z $feeder_pid ]] || times=25
	for ((i = 0; i < times; i++)); do check_answers; done
	if [[ -n $feeder_pid ]]; then
		akc=$slow_akc
		for ((i = 0; i < ${TEST_OUTAGE_SLOW:-12}; i++)); do check_answers; done
		akc=/usr/libexec/tunlease/akc
	fi
	[[ -z $answer ]] || printf 'ok - %s: %s (%s ms)\n' "$name" "$answer" "$ms"
done <<<"$table"
restore clean
((bad == 0)) || fail 'akc gave wrong answers'
ok "akc is right in $rows states of the store"
