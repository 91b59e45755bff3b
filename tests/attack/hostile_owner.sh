#!/bin/bash
# SPDX-License-Identifier: ISC
# Whoever has become _tunlease owns the store's directory. Root's leasectl must then neither write
# nor read elsewhere, nor hang, nor leave root's files there.
# sandbox:
# timeout: 300
set -eu
. "$TOP/tests/lib.sh"

dir=/var/lib/tunlease
store=$dir/leases.db
canaries=/var/lib/canary # root's, and on the same file system: hard links go there
# A change waits at most 5 s for a lock, and 3 s for a statement that does not end; a store that is swapped
# meanwhile can cost both.
most_ms=$(slow 10000)

as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
gcc -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -o "$WORK/swap" "$TOP/tests/fault/swap.c" || fail 'tests/fault/swap.c does not build'
chmod 0755 "$WORK" "$WORK/swap"

mount -t tmpfs -o mode=1777 tmp /var/tmp # through the overlay, what others do there would show

# ---- what lies where -----------------------------------------------------------------------------

new_key alice >/dev/null
new_key bob >/dev/null
leasectl grant canary --key "$WORK/bob.pub" --open 8009 --note CANARY-SECRET >/dev/null
install -d -m 0700 "$canaries"
install -m 0600 "$store" "$canaries/leases.db"
leasectl --json list | some_line CANARY-SECRET || fail 'the canary does not sing'
for _ in {1..400}; do echo 'root:CANARY-SECRET:19000:0:99999:7:::'; done >"$canaries/shadow"
chmod 0600 "$canaries/shadow"
cp -p "$canaries/shadow" /etc/canary-shadow # here only its own mode protects it
touch -d '2020-01-01 00:00' "$canaries"/* /etc/canary-shadow
leasectl revoke --keep-sessions canary >/dev/null
rm -f "$store" "$store-wal" "$store-shm"
leasectl grant alice --key "$WORK/alice.pub" --open 8009 >/dev/null
mkdir "$WORK/good"
cp -a "$dir/." "$WORK/good/"

canary_state()
{
	sha256sum "$canaries"/* /etc/canary-shadow
	stat -c '%n %a %u %g %s %Y %i' "$canaries"/* /etc/canary-shadow
}
everything()
{
	find /etc /home /root /run /tmp /usr/local /var /var/lib /var/log /var/tmp -xdev -maxdepth 2 \
		-not -path "$dir*" -not -path "$WORK*" -not -path '/run/sshd*' -printf '%p %U %m\n' | LC_ALL=C sort -T "$WORK"
}
canary_state >"$WORK/canaries"

restore()
{
	chmod 0700 "$dir"
	find "$dir" -mindepth 1 -delete
	cp -a "$WORK/good/." "$dir/"
	chmod 2750 "$dir"
	chown _tunlease:_tunlease "$dir"
}

# ---- root's leasectl, judged ---------------------------------------------------------------------

bad=0
wrong() { printf 'not ok - %s\n' "$*"; bad=$((bad + 1)); }

runs=0 slowest=0
# start N ARGUMENT...: what it prints goes to out.N and err.N, its exit status and time to end.N.
start()
{
	local n=$1 since=${EPOCHREALTIME/./} rc=0; shift
	timeout -k 1 "$(slow 11)" leasectl "$@" </dev/null >"$WORK/out.$n" 2>"$WORK/err.$n" || rc=$?
	echo "$rc $(((${EPOCHREALTIME/./} - since) / 1000))" >"$WORK/end.$n"
}
look() # N VERB
{
	local out=$WORK/out.$1 err=$WORK/err.$1 ms
	read -r last_rc ms <"$WORK/end.$1"
	runs=$((runs + 1))
	((ms <= slowest)) || slowest=$ms
	((ms <= most_ms)) || wrong "$state: leasectl $2 took $ms ms"
	((last_rc < 124)) || wrong "$state: leasectl $2 ended with $last_rc"
	! grep -q -a CANARY "$out" "$err" || wrong "$state: leasectl $2 reads elsewhere: $(grep -a -h CANARY "$out" "$err" | head -n 1)"
	! grep -q -a $'\033' "$out" "$err" || wrong "$state: leasectl $2 hands on escape sequences"
	[[ $2 != doctor || $last_rc == 7 || ! -s $err ]] || wrong "$state: doctor says beside its findings: $(head -n 1 "$err")"
}
try() { start 0 "$@"; look 0 "$1"; }

work() { # [--quick]: what an admin does in a day
	try list --all
	try grant "new-$runs" --key "$WORK/bob.pub" --open 8009 --for 1h
	try revoke --keep-sessions alice
	try doctor "$@"
}
all_work() { work; try setup; try verify alice; }
save_and_restore()
{
	try backup "$WORK/backup.db" --overwrite
	try restore "$WORK/good.db" --forget-revocations
}
# together COMMAND...: at the same time, so that what each waits for is waited for once
together()
{
	local n=0 command words pids=()
	for command; do
		read -r -a words <<<"$command"
		n=$((n + 1))
		start "$n" "${words[@]}" & pids+=("$!")
	done
	wait "${pids[@]}"
	n=0
	for command; do
		n=$((n + 1))
		look "$n" "${command%% *}"
	done
}
locked_work() { together list "grant late --key $WORK/bob.pub --open 8009" setup; }
# All that all_work and save_and_restore do. Where two make changes, the second waits for the first one's statement to
# be given up, and then for its own.
endless_work()
{
	together 'list --all' "grant new-$runs --key $WORK/bob.pub --open 8009 --for 1h" doctor setup "backup $WORK/backup.db --overwrite"
	together 'revoke --keep-sessions alice' 'verify alice'
	try restore "$WORK/good.db" --forget-revocations
}

judge()
{
	[[ $(canary_state) == "$(cat "$WORK/canaries")" ]] || {
		wrong "$state: a file of root's was touched: $(diff <(canary_state) "$WORK/canaries" | head -n 3)"
		fail 'stopped'
	}
	everything >"$WORK/now"
	cmp -s "$WORK/before" "$WORK/now" || wrong "$state: elsewhere: $(diff "$WORK/before" "$WORK/now" | head -n 5 | xargs)"
	cp "$WORK/now" "$WORK/before"
	# What restore finds in its way keeps its owner, and gets another name.
	find "$dir" -user root -printf '%P\n' | sed 's/-replaced-[0-9T:-]*Z//' | sort >"$WORK/roots"
	[[ -z $(comm -13 "$WORK/roots.before" "$WORK/roots") ]] || wrong "$state: files of root's: $(comm -13 "$WORK/roots.before" "$WORK/roots" | xargs)"
	[[ $(stat -c '%U:%G' "$dir") == _tunlease:_tunlease ]] || wrong "$state: the directory changed hands"
}

# attack NAME COMMAND...: as _tunlease or, where that is harsher, as root; then a day's work.
attack()
{
	local before=$bad
	state=$1; shift
	restore
	"$@" || fail "$state cannot be set up"
	find "$dir" -user root -printf '%P\n' | sort >"$WORK/roots.before"
	"${day:-work}"
	[[ ${day:-work} != all_work ]] || save_and_restore
	judge
	((bad > before)) || ok "$state"
}

everything >"$WORK/before"
state=none
restore
leasectl backup "$WORK/good.db" >/dev/null
: >"$WORK/roots.before"
work
[[ $last_rc == 0 ]] || fail "a good store is not good: $(cat "$WORK/out.0")"
try setup
judge
((bad == 0)) || fail 'that is how it is with a good store'
ok 'all is well with a good store'

# ---- links, pipes, directories, foreign files ----------------------------------------------------

link() { as_owner rm -f "$dir/$1"; as_owner ln -s "$2" "$dir/$1"; }
hard() { rm -f "$dir/$1"; ln "$2" "$dir/$1"; }
pipe() { as_owner rm -f "$dir/$1"; as_owner mkfifo -m 0660 "$dir/$1"; }
directory() { as_owner rm -f "$dir/$1"; as_owner mkdir "$dir/$1"; }
of_root() { chown root:root "$dir/$1"; chmod 0600 "$dir/$1"; }
all_links() { link leases.db "$1"; link leases.db-wal "$1-wal"; link leases.db-shm "$1-shm"; }
no_files() { as_owner rm -f "$store" "$store-wal" "$store-shm"; }

day=all_work
attack 'the store is a link to a store of root' link leases.db "$canaries/leases.db"
attack 'the store is a link to a file of root' link leases.db /etc/canary-shadow
attack 'the store is a link to a new name' link leases.db /etc/canary-new
attack 'all three are links to new names' all_links /etc/canary-new
day=work
for suffix in wal shm journal; do
	attack "the -$suffix is a link to a file of root" link "leases.db-$suffix" /etc/canary-shadow
	attack "the -$suffix is a link to a new name" link "leases.db-$suffix" /etc/canary-new
	attack "the -$suffix is a hard link to a file of root" hard "leases.db-$suffix" "$canaries/shadow"
	attack "the -$suffix is a pipe" pipe "leases.db-$suffix"
	attack "the -$suffix is a directory" directory "leases.db-$suffix"
done
attack 'the store is a hard link to a store of root' hard leases.db "$canaries/leases.db"
attack 'the store is a pipe' pipe leases.db
attack 'the store is a directory' directory leases.db
attack 'the store is of root' of_root leases.db
attack 'the -wal is of root' of_root leases.db-wal
attack 'no store' no_files
attack 'a log of a million pages' as_owner truncate -s 4G "$store-wal"
attack 'a store of a terabyte' as_owner truncate -s 1T "$store"
attack 'the directory is closed' as_owner chmod 0000 "$dir"

# ---- foreign schemas -----------------------------------------------------------------------------

schema() { as_owner sqlite3 -cmd '.filectrl persist_wal 1' -cmd 'PRAGMA writable_schema = 1' "$store" "$1" >/dev/null; }
attack 'a trigger that refuses, in colour' schema "CREATE TRIGGER hostile BEFORE INSERT ON lease
	BEGIN SELECT RAISE(ABORT, '$(printf '\033[31m')you are pwned'); END"
attack 'a trigger that loads an extension' schema "CREATE TRIGGER hostile AFTER INSERT ON lease
	BEGIN SELECT load_extension('$dir/evil'); END"
attack 'a trigger that writes a file' schema "CREATE TRIGGER hostile AFTER INSERT ON lease
	BEGIN SELECT writefile('/etc/canary-new', 'x'), edit('x', 'touch /etc/canary-new'); END"
attack 'a trigger that never ends' schema "CREATE TRIGGER hostile AFTER INSERT ON lease
	BEGIN INSERT INTO token(hash, name, uses_left, created_s, expires_s) SELECT x'00', '', 0, 0, max(i) FROM
	(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END"
day=all_work
attack 'leases are a view' schema "ALTER TABLE lease RENAME TO old; CREATE VIEW lease AS SELECT * FROM old;
	CREATE TRIGGER hostile INSTEAD OF INSERT ON lease BEGIN DELETE FROM audit; END"
day=endless_work
attack 'leases are a view that never ends' schema "ALTER TABLE lease RENAME TO old; CREATE VIEW lease AS
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM old WHERE id IN (SELECT -i FROM n)"
attack 'keys are a view that never ends' schema "ALTER TABLE key RENAME TO old; CREATE VIEW key AS
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM old WHERE lease_id IN (SELECT -i FROM n)"
day=work
attack 'a field of half a gigabyte' schema "UPDATE lease SET note = hex(zeroblob(250000000))"
attack 'texts with escape sequences' schema "UPDATE lease SET note = '$(printf '\033]0;pwned\a')', name = '$(printf '\033[2J')'"
attack 'a store of a later version' schema 'PRAGMA user_version = 999'
attack 'a store of nothing' schema 'DROP TABLE lease; DROP TABLE key; PRAGMA user_version = 0'

# ---- locks ---------------------------------------------------------------------------------------

lock() { # STATEMENT
	rm -f "$WORK/sql"
	mkfifo "$WORK/sql"
	: >"$WORK/sql.out"
	as_owner sqlite3 "$store" <"$WORK/sql" >"$WORK/sql.out" 2>&1 & holder=$!
	at_exit "$holder"
	exec {sql}>"$WORK/sql"
	printf '%s\n' "$1" '.print held' >&"$sql"
	wait_for 5 'the lock is held' grep -q held "$WORK/sql.out"
}
unlock() { exec {sql}>&-; kill -KILL "$holder" 2>/dev/null || :; { wait "$holder" || :; } 2>/dev/null; }
file_lease()
{
	: >"$WORK/sql.out"
	as_owner python3 -c '
import fcntl, os, signal, sys, time
signal.signal(signal.SIGIO, signal.SIG_IGN)
fd = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError:
    print("none", flush=True)
print("held", flush=True)
time.sleep(600)' "$store" >"$WORK/sql.out" & holder=$!
	at_exit "$holder"
	wait_for 5 'the lease is held' grep -q held "$WORK/sql.out"
	! grep -q none "$WORK/sql.out" || note 'this file system has no file leases'
}
day=locked_work
attack 'the write lock is held for ever' lock 'BEGIN IMMEDIATE;'
unlock
attack 'every lock is held for ever' lock 'PRAGMA locking_mode = EXCLUSIVE; UPDATE lease SET last_login_s = 1;'
unlock
attack 'a file lease delays every open' file_lease
kill -KILL "$holder"
{ wait "$holder" || :; } 2>/dev/null

# ---- renames under way ---------------------------------------------------------------------------

race() { # NAME COMMAND...: NAME and what COMMAND made of evil change places while root works
	local name=$1 swapper i before=$bad end=$((SECONDS + 5)); shift
	state="$name changes places with: $*"
	restore
	"$@"
	find "$dir" -user root -printf '%P\n' | sort >"$WORK/roots.before"
	as_owner "$WORK/swap" "$dir/$name" "$dir/evil" & swapper=$!
	at_exit "$swapper"
	work
	for ((i = 0; i < 5; i++)); do
		work --quick # it opens the store as the whole doctor does, and starts no programs
		((bad == before && SECONDS < end)) || break
	done
	try setup
	save_and_restore
	kill -KILL "$swapper"
	{ wait "$swapper" || :; } 2>/dev/null
	judge
	((bad > before)) || ok "$state"
}
race leases.db pipe evil
race leases.db link evil "$canaries/leases.db"
race leases.db link evil /etc/canary-new
race leases.db-wal link evil /etc/canary-shadow
race leases.db-wal pipe evil
race leases.db-shm link evil /etc/canary-new

note "leasectl ran $runs times, the slowest $slowest ms"
((bad == 0)) || fail "$bad times"
ok 'a hostile owner gets nothing of root, and does not hold it up'
