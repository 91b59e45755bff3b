#!/bin/bash
# SPDX-License-Identifier: ISC
# A backup is made and restored while sessions are up, leased runs and friends log in. What was taken
# away since the backup stays away, what it does not have is ended, everybody else stays; and a store
# that cannot be read is replaced only when that is asked for.
# sandbox: --leased
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"

api=http://127.0.0.1:12000/
enrol=an-enrolment-key-for-the-tests
lib=/var/lib/tunlease
store=$lib/leases.db
b=/root/backups
mkdir -m 0700 "$b"

post() { # CREDENTIAL JSON
	code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $1" --data "$2" "$api")
}
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/answer" "$1"; }
register() { # NAME CREDENTIAL
	[[ -e $WORK/$1 ]] || new_key "$1" >/dev/null
	post "$2" "{\"action\":\"register\",\"agent_id\":\"$1\",\"public_key\":\"$(cat "$WORK/$1.pub")\"}"
	[[ $code == 200 ]] || fail "$1 cannot register: $code $(cat "$WORK/answer")"
}
beat() { post "$2" "{\"action\":\"heartbeat\",\"agent_id\":\"$1\"}"; }
query() { sqlite3 -readonly "$store" "$1"; }
chain_holds() { [[ $(leasectl doctor | grep -c '^ok.audit') == 1 ]] || fail "$1: $(leasectl doctor | grep -i audit)"; }
refused() { # WHAT EXIT PATTERN COMMAND...
	local what=$1 want=$2 pattern=$3; shift 3
	expect_exit "$want" "$@"
	[[ $(wc -l <"$WORK/err") == 1 ]] || fail "$what: not one line: $(cat "$WORK/err")"
	grep -q -e "$pattern" "$WORK/err" || fail "$what: $(cat "$WORK/err")"
	ok "$what: $(cut -c1-140 "$WORK/err")"
}
lease() { new_key "$1" >/dev/null; leasectl grant "$1" --key "$WORK/$1.pub" --open "${@:2}" >/dev/null; }

serve_echo 18080
lease alice 18080
lease bob 18080
new_key bob2 >/dev/null
leasectl key add bob --key "$WORK/bob2.pub" >/dev/null
lease carol 18080 --open 18081
lease erin 18080
lease frank 18080
leasectl revoke frank >/dev/null # before the backup
register first "$enrol"
secret=$(field agent_secret)
port=$(field port_b)
token=$(leasectl --json token create --uses 2 | python3 -c 'import json,sys; print(json.load(sys.stdin)["token"])')

# ---- backup --------------------------------------------------------------------------------------

note backup
expect_exit 0 leasectl backup "$b/yesterday.db"
[[ $(stat -c '%a %U:%G' "$b/yesterday.db") == '640 root:root' ]] || fail "$(stat -c '%a %U:%G' "$b/yesterday.db")"
assert_eq "$(ls -A "$b")" yesterday.db 'a backup is one file'
[[ $(sqlite3 -readonly "$b/yesterday.db" "PRAGMA integrity_check; PRAGMA journal_mode; SELECT count(*) FROM lease") == $'ok\ndelete\n6' ]] ||
	fail 'it is not what was copied'
[[ $(ls -A "$b") == yesterday.db ]] || fail "whoever reads it leaves: $(ls -A "$b")"
sum=$(sha256sum "$b/yesterday.db")
refused 'it exists' 5 'there already.*--overwrite' leasectl backup "$b/yesterday.db"
[[ $(sha256sum "$b/yesterday.db") == "$sum" ]] || fail 'it was overwritten'
expect_exit 0 leasectl backup "$b/yesterday.db" --overwrite
ln -s /etc/elsewhere "$b/link"
refused 'a link' 5 'no regular file' leasectl backup "$b/link" --overwrite
[[ ! -e /etc/elsewhere ]] || fail 'it followed the link'
rm "$b/link"
refused "the store's own name" 2 "store's own files" leasectl backup "$store-new"
refused 'no such directory' 1 'No such file' leasectl backup "$b/none/x"
refused 'standard output' 2 'give a FILE' leasectl backup -
mkdir "$b/small"
mount -t tmpfs -o size=32k small "$b/small"
refused 'a full disk' 1 'disk is full; no backup' leasectl backup "$b/small/x.db"
[[ -z $(ls -A "$b/small") ]] || fail "of a backup that failed is left: $(ls -A "$b/small")"
umount "$b/small"
rmdir "$b/small"

# ---- a day passes --------------------------------------------------------------------------------

fwd_L "$WORK/bob" pfwd 19000:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
bob=$FWD_PID
talk_to 19000
talk_bob=$TALK
fwd_L "$WORK/alice" pfwd 19001:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
alice=$FWD_PID
lease dave 18080
fwd_L "$WORK/dave" pfwd 19002:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
dave=$FWD_PID
leasectl revoke alice >/dev/null
wait_for 5 'the tunnel of alice ends' is_gone "$alice"
leasectl key remove bob "$(ssh-keygen -lf "$WORK/bob2.pub" | cut -d' ' -f2)" >/dev/null
leasectl set carol --open -18081 >/dev/null
leasectl revoke erin >/dev/null
leasectl delete erin >/dev/null
register second "$token"
second=$(field agent_secret)
second_port=$(field port_b)
fwd_R "$WORK/first" gw-tunnel "127.0.0.1:$port:127.0.0.1:18080" || fail "$(tail -n 3 "$WORK/ssh.err")"
agent=$FWD_PID
fwd_R "$WORK/second" gw-tunnel "127.0.0.1:$second_port:127.0.0.1:18080" || fail "$(tail -n 3 "$WORK/ssh.err")"
lost_agent=$FWD_PID
last_id=$(query "SELECT seq FROM sqlite_sequence")
leasectl login add other >/dev/null
leasectl freeze other >/dev/null
last_row=$(query 'SELECT max(seq) FROM audit')

note 'restore --dry-run'
expect_exit 0 leasectl restore "$b/yesterday.db" --dry-run
for word in 'stays-ended.alice' 'stays-ended.erin' 'stays-narrowed.carol' 'gone.dave' 'gone.second' frozen..other end.dave end.second; do
	grep -q "^$word" "$WORK/out" || fail "the rehearsal does not say $word: $(cat "$WORK/out")"
done
! grep -q '.bob' "$WORK/out" || fail "$(cat "$WORK/out")"
[[ $(query 'SELECT max(seq) FROM audit') == "$last_row" ]] || fail 'the rehearsal changed the store'
kill -0 "$dave" || fail 'the rehearsal ended a session'
ok 'it says what would change, and changes nothing'

# ---- restore -------------------------------------------------------------------------------------

note restore
# Friends log in all the time.
cat >"$WORK/logins" <<'END'
read -r type blob _ <"$1"
while :; do
	line=$(setpriv --reuid=_tunlease-akc --regid=_tunlease --clear-groups /usr/libexec/tunlease/akc pfwd "$type" "$blob") || echo "exit $?"
	[[ $line == restrict,* ]] || echo "no line: '$line'"
done >"$2" 2>&1
END
bash "$WORK/logins" "$WORK/bob.pub" "$WORK/logins.out" & logins=$!
at_exit "$logins"
expect_exit 0 leasectl restore "$b/yesterday.db"
cp "$WORK/out" "$WORK/restored"
wait_for 5 'the tunnel of dave, whom the backup does not know, ends' is_gone "$dave"
login_refused "$WORK/alice" pfwd || fail 'the restore brought the revoked key of alice back'
ok 'alice, who was revoked after the backup, is refused by sshd'
login_refused "$WORK/bob2" pfwd || fail 'the restore brought the removed key of bob back'
login_refused "$WORK/erin" pfwd || fail 'the restore brought erin back, who was revoked and deleted'
login_refused "$WORK/frank" pfwd || fail 'frank is back'
login_refused "$WORK/dave" pfwd || fail 'dave is in, though the backup does not have him'
[[ $(leasectl --json show carol) != *18081* ]] || fail 'carol got back what was taken from her'
login_works "$WORK/carol" pfwd || fail 'carol is not in'
{ kill -0 "$bob" && talks "$talk_bob"; } || fail 'the session of bob was ended'
ok 'keys that were removed stay out, and bob, who did nothing, stays up'
[[ $(query "SELECT login FROM lease WHERE kind = 'freeze' AND live = 1") == other ]] || fail 'the freeze is gone'
leasectl thaw other >/dev/null
[[ $(query 'SELECT uses_left FROM token') == 1 ]] || fail 'the token has back the use that was spent'
wait_log 5 'was restored or migrated: leased has read it anew'
beat first "$secret"
assert_eq "$code" 200 'an agent goes on with its secret'
{ kill -0 "$agent" && talk_to "$port" && talks "$TALK"; } || fail 'the tunnel of the agent was ended'
ok 'its tunnel stays up'
wait_for 5 'the tunnel of an agent that the backup does not know ends' is_gone "$lost_agent"
beat second "$second"
[[ $code == 40[134] ]] || fail "an agent that the backup does not know is answered $code"
register second "$enrol"
assert_eq "$(field port_b)" "$second_port" 'it can register again, and gets the port that was kept for it'
chain_holds 'after the restore'
[[ $(query "SELECT seq FROM audit WHERE action = 'restored'") == $((last_row + 1)) ]] || fail 'the audit was not continued'
grep -q "audit rows #[0-9]* to #$last_row of the replaced store are kept" "$WORK/restored" || fail "$(cat "$WORK/restored")"
lease late 18080
(($(leasectl --json show late | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])') > last_id)) || fail 'a number was used twice'
kill "$logins"
[[ ! -s $WORK/logins.out ]] || fail "bob could not log in for a moment: $(sort "$WORK/logins.out" | uniq -c | head -n 3)"
ok 'audit, numbers, tokens and agents go on; nobody was locked out for a moment'

expect_exit 0 leasectl restore "$b/yesterday.db" --forget-revocations
login_works "$WORK/alice" pfwd || fail 'alice is not back, though the revocations were to be forgotten'
login_works "$WORK/erin" pfwd || fail 'erin is not back'
{ kill -0 "$bob" && talks "$talk_bob"; } || fail 'the session of bob was ended'
chain_holds 'after --forget-revocations'
ok '--forget-revocations brings them back'

note 'killed at any moment' # fault/backup_killed: at each system call
restored() { query "SELECT count(*) FROM audit WHERE action = 'restored'"; }
for i in 1 2 3 4 5 6; do
	lease "extra$i" 18080
	before=$(restored)
	leasectl backup "$b/killed$i.db" >/dev/null 2>&1 & killed=$!
	leasectl restore "$b/yesterday.db" >/dev/null 2>&1 & pid=$!
	sleep "0.0$((RANDOM % 8 + 1))"
	kill -KILL "$killed" "$pid" 2>/dev/null || :
	{ wait "$killed" || :; wait "$pid" || :; } 2>/dev/null
	[[ ! -e $b/killed$i.db ]] || leasectl restore "$b/killed$i.db" --dry-run >/dev/null || fail 'half a backup'
	is="$(query "SELECT count(*) FROM lease WHERE name = 'extra$i' AND live = 1") $(($(restored) - before))"
	[[ $is == '1 0' || $is == '0 1' ]] || fail "neither the old store nor the new one: $is"
done
chain_holds 'after kills'
login_works "$WORK/bob" pfwd || fail 'bob is not in after kills'
ok 'a restore that is killed leaves the old store or the new one'

# ---- what is no backup ---------------------------------------------------------------------------

note 'what is no backup'
before=$(query 'SELECT max(seq) FROM audit')
variant() { # NAME SQL
	cp "$b/yesterday.db" "$b/$1"
	sqlite3 "$b/$1" "$2" >/dev/null
}
head -c 50000 /dev/urandom >"$b/random"
: >"$b/empty"
sqlite3 "$b/foreign" 'CREATE TABLE t(x); PRAGMA user_version = 2'
sqlite3 "$b/other" 'CREATE TABLE t(x)'
variant trigger 'CREATE TRIGGER t AFTER INSERT ON lease BEGIN DELETE FROM audit; END'
variant view 'CREATE VIEW v AS SELECT 1'
# One that undoes each revocation. SQLite takes such a name for a table of ANALYZE.
variant hidden "PRAGMA writable_schema = 1; INSERT INTO sqlite_schema VALUES('trigger', 'sqlite_stat_x', 'lease', 0,
	'CREATE TRIGGER sqlite_stat_x AFTER UPDATE OF live ON lease BEGIN UPDATE lease SET live = 1 WHERE id = NEW.id; END')"
variant newer 'PRAGMA user_version = 99'
variant forged "DROP TRIGGER audit_update; UPDATE audit SET actor = 'nobody' WHERE seq = 2;
	$(sqlite3 -readonly "$store" "SELECT sql FROM sqlite_schema WHERE name = 'audit_update'")"
variant damaged "UPDATE lease SET open = 'rubbish' WHERE name = 'bob'"
# The index of names has another name than the table.
cp "$b/yesterday.db" "$b/index"
python3 - "$b/index" "$(sqlite3 -readonly "$b/index" "SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'sqlite_autoindex_lease_1'")" <<'END'
import sys
file = open(sys.argv[1], "r+b")
file.seek(int(sys.argv[2]) * 4096)
page = file.read(4096)
file.seek(int(sys.argv[2]) * 4096 + page.index(b"carol"))
file.write(b"carom")
END
head -c 20000 "$b/yesterday.db" >"$b/cut"
cp "$store" "$b/in-use"
echo frames >"$b/in-use-wal"
for name in random empty foreign other trigger view hidden newer forged damaged index cut in-use; do
	refused "$name" 2 . leasectl restore "$b/$name"
done
refused 'the store itself' 2 'the store itself' leasectl restore "$store"
refused 'a directory' 2 'no regular file' leasectl restore "$b"
[[ $(query 'SELECT max(seq) FROM audit') == "$before" ]] || fail 'one of them changed the store'

variant analyzed ANALYZE
expect_exit 0 leasectl restore "$b/analyzed" --dry-run
ok 'tables of ANALYZE are no others'

cat "$TOP"/sql/migrate/000[12]*.sql | sqlite3 "$b/older"
sqlite3 "$b/older" 'PRAGMA user_version = 2'
expect_exit 0 leasectl restore "$b/older" --dry-run
grep -q '^gone.bob' "$WORK/out" || fail "$(cat "$WORK/out")"
ok 'a backup of an older version is read'

# ---- a store that cannot be read -----------------------------------------------------------------

note 'a store that cannot be read'
dd if=/dev/urandom of="$store" bs=4096 count=4 conv=notrunc status=none
refused 'a broken store' 7 'nobody can tell what was revoked.*--forget-revocations' leasectl restore "$b/yesterday.db"
expect_exit 0 leasectl restore "$b/yesterday.db" --forget-revocations
ls "$store"-replaced-* >/dev/null || fail "the broken store was thrown away: $(ls "$lib")"
login_works "$WORK/carol" pfwd || fail 'carol is not in after a broken store was replaced'
[[ $(stat -c '%a %U:%G' "$store" "$store-wal" "$store-shm" | sort -u) == '640 _tunlease:_tunlease' ]] ||
	fail "$(stat -c '%a %U:%G %n' "$lib"/*)"
leased_answers() { beat first "$secret"; [[ $code == 200 ]]; }
wait_for 10 'leased uses the restored store' leased_answers
{ kill -0 "$bob" && talks "$talk_bob"; } || fail 'the session of bob was ended'
chain_holds 'after a broken store'
ok 'it is replaced, and kept under another name; leased goes on with the new one'

rm "$store" "$store"-[ws]*
refused 'a store that was lost in use' 7 'lost while it was in use' leasectl restore "$b/yesterday.db"
kill "$(pgrep -o -x leased)"
fwd_stop "$bob"
fwd_stop "$agent"
no_session() { [[ -z $(ls /run/tunlease/sessions) ]]; }
wait_for 5 'the session ends' no_session
rm -rf "$lib"
expect_exit 0 leasectl --json restore "$b/yesterday.db"
grep -q '"old_store":"missing"' "$WORK/out" || fail "$(cat "$WORK/out")"
login_works "$WORK/bob" pfwd || fail 'bob is not in on a fresh host'
ok 'on a fresh host it just works'
