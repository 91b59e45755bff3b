#!/bin/bash
# SPDX-License-Identifier: ISC
# What the audit has is listed, also of leases that are gone. Rows that were changed, removed, put in,
# moved or replaced are found; that the newest are missing, or all are written anew, is found by a
# checkpoint that was kept elsewhere, and by nothing else. A signed one is verified by ssh-keygen alone.
# sandbox:
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/fault/store_tools.sh"

chain() { python3 "$TOP/tests/audit_chain.py" "$@"; }
chmod 0755 "$WORK"
store_with_alice
for who in bob carol; do new_key "$who" >/dev/null; done
leasectl grant bob --key "$WORK/bob.pub" --open 8010 >/dev/null
leasectl set bob --note 'a note' >/dev/null
leasectl revoke bob >/dev/null
leasectl delete bob >/dev/null
leasectl grant bob --key "$WORK/carol.pub" --open 8011 >/dev/null
leasectl freeze pfwd >/dev/null
leasectl thaw pfwd >/dev/null

note 'the list'
rows() { expect_exit 0 leasectl audit "$@"; cut -f1 "$WORK/out" | xargs; }
assert_eq "$(rows)" '1 2 3 4 5 6 7 8' 'all rows, the oldest first'
assert_eq "$(rows --lease bob)" '2 3 4 5 6' 'by name: both leases of that name, the deleted one, too'
assert_eq "$(rows --lease '#2')" '2 3 4 5' 'by number: of the deleted one'
assert_eq "$(rows --lease '!pfwd')" '7 8' 'a freeze'
assert_eq "$(rows --since 1h)" '1 2 3 4 5 6 7 8' 'since an hour ago'
assert_eq "$(rows --since "$(date +%F)")" '1 2 3 4 5 6 7 8' 'since today: from its first second'
assert_eq "$(rows --since "$(date -d tomorrow +%F)")" '' 'since tomorrow'
assert_eq "$(rows --since 2030-01-01T00:00:00Z --lease bob)" '' 'nothing of a known lease is an answer'
expect_exit 3 leasectl audit --lease nobody
expect_exit 2 leasectl audit --since yesterday
expect_exit 2 leasectl audit --lease 'a b'
for words in 'verify --since 2h' 'checkpoint --lease bob' 'verify --signers x' 'verify checkpoint' 'vrify' '--sign x'; do
	# shellcheck disable=SC2086 # words
	expect_exit 2 leasectl audit $words
done
assert_eq "$(leasectl audit --lease alice | cut -f3-7)" $'grant\talice\t1\tok\tuid=0' 'the columns'
head=$(leasectl audit --json | chain check -) || fail 'the chain of the JSON does not add up'
assert_eq "$head" "$(query 'SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1')" \
	'from the JSON anybody can compute the chain'
expect_exit 0 script -qec 'stty cols 80; leasectl audit' /dev/null
grep -q '^SEQ  *AT  *ACTION  *LEASE' "$WORK/out" || fail "no table: $(cat "$WORK/out")"
[[ $(wc -L <"$WORK/out") -le 80 ]] || fail "wider than the terminal: $(cat "$WORK/out")"
ok 'a table on a terminal'

note 'the chain'
leasectl audit checkpoint >"$WORK/early" || fail 'checkpoint'
expect_exit 0 leasectl audit verify
assert_eq "$(cat "$WORK/out")" "the chain of 8 rows is whole: 1 to 8, head $head" 'a whole chain'
# by_hand SQL: what somebody does to the store with a shell of SQLite; undone by `restore`.
triggers=$(sed -n '/^CREATE TRIGGER/,/^END/p' sql/schema.sql)
no_triggers=$(sed -n 's/^CREATE TRIGGER \([a-z_]*\) .*/DROP TRIGGER IF EXISTS \1;/p' sql/schema.sql)
by_hand() { query "$no_triggers $1"; }
keep() { query 'DROP TABLE IF EXISTS saved; CREATE TABLE saved AS SELECT * FROM audit'; }
restore() { query "$no_triggers DELETE FROM audit; INSERT INTO audit SELECT * FROM saved; $triggers"; }
keep
copy_as() { echo "INSERT INTO audit SELECT $1, time_s, actor, action, lease_id, lease, fingerprint, source, outcome, detail, anchor_seq, hash FROM audit WHERE seq = $2"; }
# breaks WHAT SQL ROW FAULT SAYS
breaks()
{
	by_hand "$2"
	expect_exit 1 leasectl audit verify
	grep -q "^the chain breaks at row $3: $5" "$WORK/out" || fail "$1: $(cat "$WORK/out")"
	expect_exit 1 leasectl audit verify --json
	grep -q "\"intact\":false.*\"head\":null,.*\"broken_seq\":$3,\"fault\":\"$4\"" "$WORK/out" || fail "$1: $(cat "$WORK/out")"
	ok "found: $1"
	restore
}
breaks changed "UPDATE audit SET actor = 'uid=1' WHERE seq = 3" 3 changed 'row 3 was changed'
breaks removed 'DELETE FROM audit WHERE seq = 3' 4 missing 'row 3 is missing before row 4'
breaks 'several removed' 'DELETE FROM audit WHERE seq < 4' 4 missing 'rows 1 to 3 are missing before row 4'
breaks 'removed, and the later ones numbered anew' \
	'DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3' 3 missing 'rows before row 3 are missing'
breaks 'put in' "UPDATE audit SET seq = -seq WHERE seq > 3; UPDATE audit SET seq = 1 - seq WHERE seq < 0; $(copy_as 4 3)" \
	4 inserted 'row 4 was put in'
breaks 'put behind the newest' "$(copy_as 9 8)" 9 changed 'row 9 was changed, or does not follow'
breaks 'put before the first' "$(copy_as -5 1)" -5 inserted 'row -5 was put in'
breaks 'moved' 'UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 6; UPDATE audit SET seq = 6 WHERE seq = 99' \
	3 moved 'row 3 is out of order: it was written as row 6'
breaks replaced "INSERT OR REPLACE INTO audit SELECT 3, time_s, 'x', action, lease_id, lease, fingerprint, source, outcome, detail, anchor_seq, hash FROM audit WHERE seq = 3" \
	3 changed 'row 3 was changed'

note 'the triggers'
# refused SQL: by the store itself, without a change
refused()
{
	! query "$1" 2>"$WORK/err" || fail "taken: $1"
	grep -q 'audit rows' "$WORK/err" || fail "$1: $(cat "$WORK/err")"
}
refused "UPDATE audit SET actor = 'x' WHERE seq = 3"
refused 'DELETE FROM audit WHERE seq = 3'
refused "INSERT OR REPLACE INTO audit SELECT 3, time_s, 'x', action, lease_id, lease, fingerprint, source, outcome, detail, anchor_seq, hash FROM audit WHERE seq = 3"
refused 'UPDATE OR REPLACE audit SET seq = 3 WHERE seq = 4'
expect_exit 0 leasectl audit verify
ok 'a statement that would change, delete or replace a row is refused'

note 'a store of before that trigger'
query "$(cat "$TOP/tests/to_version_3.sql")"
query 'DROP TRIGGER audit_insert; PRAGMA user_version = 2'
# shellcheck disable=SC2046 # two words
line=$(/usr/libexec/tunlease/akc pfwd $(cut -d' ' -f1,2 "$WORK/alice.pub")) || fail 'akc refuses the store of version 2'
[[ $line == restrict,* ]] || fail "akc: $line"
expect_exit 0 leasectl audit verify
assert_eq "$(query 'PRAGMA user_version')" 2 'akc and audit read it as it is'
leasectl set alice --note x >/dev/null
refused "INSERT OR REPLACE INTO audit SELECT 3, time_s, 'x', action, lease_id, lease, fingerprint, source, outcome, detail, anchor_seq, hash FROM audit WHERE seq = 3"
ok 'the next change closes the hole'
query "$no_triggers DELETE FROM audit WHERE seq = 9; $triggers"

note 'could not read is no answer'
sqlite3 "$STORE" 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
cp "$STORE" "$WORK/whole.db"
size=$(query 'PRAGMA page_size') page=$(query "SELECT rootpage FROM sqlite_schema WHERE name = 'audit'")
dd if=/dev/urandom of="$STORE" bs="$size" seek="$((page - 1))" count=1 conv=notrunc 2>/dev/null
expect_exit 7 leasectl audit verify
expect_exit 7 leasectl audit verify --json
expect_exit 7 leasectl audit checkpoint
[[ ! -s $WORK/out ]] || fail "a head of a damaged store: $(cat "$WORK/out")"
cat "$WORK/whole.db" >"$STORE"
expect_exit 0 leasectl audit verify
setpriv --reuid=nobody --regid=nogroup --clear-groups leasectl audit verify >"$WORK/out" 2>&1 && fail 'nobody may read it'
! grep -q whole "$WORK/out" || fail 'whole, for who may not read'
ok 'a damaged store, and one that may not be read: exit 7, and never "whole"'

note 'checkpoints'
ssh-keygen -q -t ed25519 -N '' -f "$WORK/key" </dev/null
printf 'auditor %s\n' "$(cut -d' ' -f1,2 "$WORK/key.pub")" >"$WORK/signers"
: >"$SANDBOX_LOG"
leasectl audit checkpoint --sign "$WORK/key" >"$WORK/signed" || fail 'sign'
log_has "leasectl\[[0-9]*\]: audit head seq=8 hash=$head" || fail "not in the log: $(cat "$SANDBOX_LOG")"
assert_eq "$(sed 's/^\(at\|row-at\) .*/\1/; s/^host .*/host/' "$WORK/early")" \
	"tunlease audit checkpoint 1
host
database $STORE
at
seq 8
hash $head
row-at" 'a checkpoint'
# The command in leasectl(1), as it stands there.
verify_alone()
{
	sed '1,/^-----END SSH SIGNATURE-----$/d' "$1" |
		ssh-keygen -Y verify -f "$WORK/signers" -I auditor -n tunlease-audit -s "$1" >/dev/null 2>&1
}
verify_alone "$WORK/signed" || fail 'ssh-keygen does not verify it'
sed 's/^seq 8/seq 9/' "$WORK/signed" >"$WORK/tampered"
! verify_alone "$WORK/tampered" || fail 'ssh-keygen verifies a changed one'
! (sed -i 's/^auditor/someone/' "$WORK/signers"; verify_alone "$WORK/signed") || fail 'signed by somebody else'
sed -i 's/^someone/auditor/' "$WORK/signers"
ok 'a signed checkpoint is verified by ssh-keygen alone, and a changed one is not'
expect_exit 0 leasectl audit verify --checkpoint "$WORK/signed" --signers "$WORK/signers"
grep -q '^the checkpoint is signed by auditor$' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 1 leasectl audit verify --checkpoint "$WORK/tampered" --signers "$WORK/signers"
grep -q 'signature is not good: [^\\]*$' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 1 leasectl audit verify --checkpoint "$WORK/early" --signers "$WORK/signers" # unsigned
sed 's/^auditor .*/someone '"$(cut -d' ' -f1,2 "$WORK/bob.pub" | sed 's,/,\\/,g')"'/' "$WORK/signers" >"$WORK/strangers"
# Its own standard input is not asked for anything: here nothing comes from it, and no end.
mkfifo "$WORK/silent"
exec 7<>"$WORK/silent"
expect_exit 1 timeout 20 leasectl audit verify --checkpoint "$WORK/signed" --signers "$WORK/strangers" <&7
exec 7>&-
expect_exit 0 leasectl audit verify --checkpoint "$WORK/signed"
grep -q 'signature was not checked' "$WORK/err" || fail "$(cat "$WORK/err")"
sed 's/^host .*/host \xff/' "$WORK/early" >"$WORK/other-text"
expect_exit 0 leasectl --json audit verify --checkpoint "$WORK/other-text"
python3 -m json.tool "$WORK/out" >/dev/null || fail "a checkpoint that is not UTF-8: $(cat "$WORK/out")"
expect_exit 2 leasectl audit verify --checkpoint "$WORK/none"
expect_exit 2 leasectl audit verify --checkpoint "$WORK/key.pub"
expect_exit 2 leasectl audit verify --checkpoint "$WORK/signed" --signers "$WORK/none"
ok 'verify --signers says the same'

leasectl grant dora --key "$WORK/bob.pub" --open 8012 >/dev/null
expect_exit 0 leasectl audit verify --checkpoint "$WORK/signed"
ok 'a chain that has grown agrees with the checkpoint'
keep
by_hand 'DELETE FROM audit WHERE seq >= 7'
expect_exit 0 leasectl audit verify
expect_exit 1 leasectl audit verify --checkpoint "$WORK/signed"
grep -q '^it was cut: the checkpoint is of row 8, and the newest row is 6$' "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 1 leasectl audit verify --checkpoint "$WORK/signed" --json
grep -q '"intact":true.*"result":"rows_missing"' "$WORK/out" || fail "$(cat "$WORK/out")"
restore
ok 'a cut is found by the checkpoint, and by nothing else'
as_owner python3 "$TOP/tests/audit_chain.py" rewrite "$STORE" 3
expect_exit 0 leasectl audit verify
expect_exit 1 leasectl audit verify --checkpoint "$WORK/signed"
grep -q '^it does not agree with the checkpoint of row 8: rows up to that one were written anew' "$WORK/out" || fail "$(cat "$WORK/out")"
restore
ok 'so is a chain that was written anew'

note 'keys'
eval "$(ssh-agent -s)" >/dev/null
at_exit "$SSH_AGENT_PID"
cp "$WORK/key" "$WORK/held"; cp "$WORK/key.pub" "$WORK/held.pub"
ssh-add -q "$WORK/held"; rm "$WORK/held"
leasectl audit checkpoint --sign "$WORK/held.pub" >"$WORK/by-agent" || fail 'a key that an agent holds'
verify_alone "$WORK/by-agent" || fail 'signed by the agent, and not verified'
ok 'the .pub file of a key that an agent holds'
unset SSH_AUTH_SOCK
expect_exit 1 leasectl audit checkpoint --sign "$WORK/held.pub"
[[ ! -s $WORK/out ]] || fail 'a checkpoint without the signature that was asked for'
expect_exit 2 leasectl audit checkpoint --sign "$WORK/none"
printf 'junk\n' >"$WORK/junk"; chmod 0600 "$WORK/junk"
expect_exit 1 leasectl audit checkpoint --sign "$WORK/junk"
ssh-keygen -q -t ed25519 -N 'open sesame' -f "$WORK/locked" </dev/null
expect_exit 1 setsid -w leasectl audit checkpoint --sign "$WORK/locked"
grep -q 'the key is encrypted.*an agent can hold' "$WORK/err" || fail "$(cat "$WORK/err")"
printf 'auditor %s\n' "$(cut -d' ' -f1,2 "$WORK/locked.pub")" >"$WORK/signers"
python3 - "$WORK" <<'END' || fail 'the passphrase on the terminal'
import os, pty, sys
work = sys.argv[1]
out = os.open(work + "/by-hand", os.O_WRONLY | os.O_CREAT, 0o600)
pid, terminal = pty.fork()
if pid == 0:
    os.dup2(out, 1)
    os.execvp("leasectl", ["leasectl", "audit", "checkpoint", "--sign", work + "/locked"])
asked = b""
while b"passphrase" not in asked:
    asked += os.read(terminal, 1000)
os.write(terminal, b"open sesame\n")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
verify_alone "$WORK/by-hand" || fail 'signed with the encrypted key, and not verified'
ok 'an encrypted key asks on the terminal, and where there is none leasectl says what to do'

note 'hostile text'
evil=$'\e]0;owned\a\e[2J\r\xe2\x80\xaetxt\tx\ny'
by_hand "INSERT INTO audit SELECT 10, time_s, '$evil', '$evil', lease_id, 'alice', fingerprint, '$evil', outcome, '$evil', anchor_seq, hash FROM audit WHERE seq = 9"
for how in '' --json; do
	# shellcheck disable=SC2086 # no word
	expect_exit 0 leasectl audit --lease alice $how
	! LC_ALL=C grep -q $'[\x01-\x08\x0b-\x1f\x7f]' "$WORK/out" || fail "control characters$how: $(cat -v "$WORK/out")"
	! grep -q $'\xe2\x80\xae' "$WORK/out" || fail "text that is turned round$how"
done
assert_eq "$(leasectl audit --lease alice | awk -F '\t' '{ print NF }' | xargs)" '10 10' 'each row is one line of ten columns'
script -qec 'leasectl audit --lease alice' "$WORK/typescript" >/dev/null
! grep -q $'\e' "$WORK/typescript" || fail 'an escape reaches the terminal'
ok 'what a row holds controls no terminal'
restore

note 'leased'
systemd-sysusers >/dev/null 2>&1 || :
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
echo "API_KEY=an-enrolment-key-for-the-tests" >/etc/tunlease/leased.env
set_clock() { printf '%+030d %+030d  ' "$1" "$1" 1<>"$WORK/shift"; }
set_clock 0
log=$WORK/leased.log
heads() { grep -c "audit head seq=$1 hash=[0-9a-f]\{64\}$" "$log" || :; }
has_heads() { [[ $(heads "$1") == "$2" ]]; }
WATCHDOG_USEC=600000 CLOCK_SHIFT_FILE=$WORK/shift LD_PRELOAD=$TOP/build/tests/clock_shift.so leased -D </dev/null >>"$log" 2>&1 & daemon=$!
at_exit "$daemon"
wait_for 5 'leased writes the head at its start' has_heads 9 1
leasectl renew alice --for 60d >/dev/null
set_clock 86400
wait_for 5 'leased writes the head the next day' has_heads 10 1
sleep 0.6 # three sweeps
assert_eq "$(heads '[0-9]*')" 2 'leased writes the head at its start and each day, once'
kill "$daemon"
