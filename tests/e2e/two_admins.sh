#!/bin/bash
# SPDX-License-Identifier: ISC
# Two leasectl at once, and one that is killed in the middle: no change is lost, the audit chain is
# intact, and nobody reads "database is locked". When another process has the lock for too long,
# leasectl gives up and names it.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_tools.sh"

rounds=${TEST_ROUNDS:-60} # tests/long/two_admins.sh has more
kills=${TEST_KILLS:-50}
build_tool audit_check

for who in left right third fourth; do new_key "$who" >/dev/null; done

granted=0 revoked=0 all_err=''

# both "LEFT ARGUMENTS" "RIGHT ARGUMENTS": runs two leasectl at once; their exit statuses in rcs.
both()
{
	local a b ra=0 rb=0
	# shellcheck disable=SC2086
	leasectl $1 >"$WORK/a.out" 2>"$WORK/a.err" & a=$!
	# shellcheck disable=SC2086
	leasectl $2 >"$WORK/b.out" 2>"$WORK/b.err" & b=$!
	wait "$a" || ra=$?
	wait "$b" || rb=$?
	all_err+=$(<"$WORK/a.err")$'\n'$(<"$WORK/b.err")$'\n'
	rcs="$ra $rb"
}
expect_both() { # WHAT RCS...
	local what=$1; shift
	[[ " $* " == *" ${rcs/ /+} "* ]] || fail "round $i: $what: exit $rcs: $(cat "$WORK/a.err" "$WORK/b.err")"
}
grant() { printf 'grant %s --open 8009 --key %s' "$1" "$WORK/$2.pub"; }

for ((i = 1; i <= rounds; i++)); do
	both "$(grant "left-$i" left)" "$(grant "right-$i" right)"
	expect_both 'two names' 0+0
	both "revoke --keep-sessions left-$i" "revoke --keep-sessions left-$i"
	expect_both 'one name, revoked twice' 0+5 5+0
	both "$(grant "same-$i" left)" "$(grant "same-$i" third)"
	expect_both 'one name, granted twice' 0+5 5+0
	both "$(grant "key-$i" fourth)" "$(grant "other-$i" fourth)"
	expect_both 'one key, granted twice' 0+5 5+0
	[[ $rcs == 0* ]] && taken=key || taken=other
	leasectl revoke --keep-sessions "same-$i" "right-$i" "$taken-$i" >/dev/null
	granted=$((granted + 4))
	revoked=$((revoked + 4))
done
assert_eq "$(query "SELECT count(*) FROM lease WHERE live = 1; SELECT count(*) FROM key WHERE live = 1;
	SELECT count(*) FROM lease; SELECT count(*) FROM key;
	SELECT count(*) FROM audit WHERE action = 'grant'; SELECT count(*) FROM audit WHERE action = 'revoke'" | xargs)" \
	"0 0 $granted $granted $granted $revoked" "$rounds rounds of two admins: no change is lost, and none is made twice"
rows=$(as_owner "$WORK/audit_check" "$STORE") || fail 'the audit chain is broken'
((rows >= granted + revoked)) || fail "the audit has $rows rows only"
! grep -E 'locked|busy|sqlite|corrupt' <<<"$all_err" || fail 'leasectl prints words of SQLite'
ok 'the audit chain is intact, and no message is about locks'

note 'one admin is killed at random moments while the other works'
leasectl grant steady --key "$WORK/right.pub" --open 8009 >/dev/null
start=${EPOCHREALTIME/./}
leasectl grant whole --key "$WORK/left.pub" --open 8009 >/dev/null
usual_us=$((${EPOCHREALTIME/./} - start))
leasectl revoke --keep-sessions whole >/dev/null
nothing=0 whole=0
mkfifo "$WORK/never"
exec {never}<>"$WORK/never"
for ((i = 1; i <= kills; i++)); do
	# shellcheck disable=SC2046
	leasectl $(grant "killed-$i" left) >/dev/null 2>&1 & victim=$!
	leasectl revoke --keep-sessions steady >/dev/null 2>"$WORK/b.err" & other=$!
	pause_us=$(((RANDOM << 15 | RANDOM) % usual_us)) # RANDOM alone ends at 33 ms
	read -rt "$(printf '%d.%06d' $((pause_us / 1000000)) $((pause_us % 1000000)))" -u "$never" || : # sleep(1) starts too slowly
	kill -KILL "$victim" 2>/dev/null || :
	{ wait "$victim" || :; } 2>/dev/null
	wait "$other" || fail "round $i: the other admin's revoke: $(cat "$WORK/b.err")"
	expect_exit 0 leasectl grant steady --key "$WORK/right.pub" --open 8009
	# Whole: the lease, its key and its audit row; or nothing of it.
	case $(query "SELECT (SELECT count(*) FROM lease WHERE name = 'killed-$i' AND live = 1) || ' ' ||
		(SELECT count(*) FROM key WHERE live = 1 AND lease_id IN (SELECT id FROM lease WHERE name = 'killed-$i')) || ' ' ||
		(SELECT count(*) FROM audit WHERE lease = 'killed-$i')") in
	'0 0 0') nothing=$((nothing + 1)) ;;
	'1 1 1') whole=$((whole + 1)); expect_exit 0 leasectl revoke --keep-sessions "killed-$i" ;;
	*) fail "round $i: half of the killed grant is in the store" ;;
	esac
done
as_owner "$WORK/audit_check" "$STORE" >/dev/null || fail 'the audit chain is broken'
assert_eq "$(query 'PRAGMA integrity_check')" ok "$kills kills ($nothing before, $whole after the commit): the store is whole"

note 'a process holds the lock for longer than 5 s'
mkfifo "$WORK/sql"
: >"$WORK/sql.out"
as_owner sqlite3 -bail "$STORE" <"$WORK/sql" >"$WORK/sql.out" 2>&1 & holder=$!
at_exit "$holder"
exec {sql}>"$WORK/sql"
printf '%s\n' '.filectrl persist_wal 1' 'BEGIN IMMEDIATE;' '.print held' >&"$sql"
wait_for 5 'the process to have the lock' grep -q held "$WORK/sql.out"
start=${EPOCHREALTIME/./}
{ both "$(grant late left)" 'revoke --keep-sessions steady'; echo "$rcs" >"$WORK/rcs"; } & waiter=$!
sleep 1
before=${EPOCHREALTIME/./}
expect_exit 0 leasectl list
(((${EPOCHREALTIME/./} - before) < $(slow 1000) * 1000)) || fail 'a reader waits for the writer'
grep -q steady "$WORK/out" || fail 'list does not print the lease'
wait "$waiter"
took_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
((took_ms > 4000 && took_ms < $(slow 7000))) || fail "the writers gave up after $took_ms ms"
assert_eq "$(cat "$WORK/rcs")" '7 7' 'both writers give up with exit 7'
for file in "$WORK/a.err" "$WORK/b.err"; do
	[[ $(wc -l <"$file") == 1 ]] || fail "more than one line: $(cat "$file")"
	! grep -q 'database is locked' "$file" || fail "a message in SQLite's words: $(cat "$file")"
done
messages=$(cat "$WORK/a.err" "$WORK/b.err")
# The sqlite3 shell may be a child of the process that was started in the background.
holder_pid=$(pgrep -P "$holder" || echo "$holder")
exec {sql}>&-
wait "$holder" || :
expect_exit 0 leasectl grant late --key "$WORK/left.pub" --open 8009
expect_exit 0 leasectl revoke --keep-sessions steady
ok 'once the lock is free, writers succeed'
assert_eq "$(grep -cE "(^|[^0-9])$holder_pid([^0-9]|$)" <<<"$messages")" 2 "both messages name the process that has the lock (pid $holder_pid): $messages"

note 'one admin grants, and another adds a key before the first has ended logins with the old permits'
# right.pub was held by leases that are revoked: a login that is on its way may have their permits. The
# other key is in front of it in the lease.
new_key newest >/dev/null
read -r type base64 _ <"$WORK/newest.pub"
newest=$(ssh-keygen -lf "$WORK/newest.pub" | cut -d' ' -f2)
query "CREATE TRIGGER other_admin AFTER INSERT ON audit WHEN NEW.lease = 'two-keys' AND NEW.action = 'grant'
	BEGIN INSERT INTO key(lease_id, fingerprint, login, live, type, base64, comment, added_s)
		VALUES(NEW.lease_id, '$newest', 'pfwd', 1, '$type', '$base64', '', NEW.time_s - 1); END"
expect_exit 0 leasectl grant two-keys --key "$WORK/right.pub" --open 8009
query 'DROP TRIGGER other_admin'
assert_eq "$(query "SELECT fingerprint = '$newest' FROM key JOIN lease ON lease.id = lease_id WHERE name = 'two-keys' ORDER BY added_s" | tr '\n' ' ')" '1 0 ' 'keys of the lease'
[[ -e /run/tunlease/lock/$(query "SELECT id FROM lease WHERE name = 'two-keys'").narrowed ]] ||
	fail 'a login on its way keeps the permits that its key had before'
