#!/bin/bash
# SPDX-License-Identifier: ISC
# A text that steers terminals, breaks lines, turns text round and is HTML, in each column of the store that holds
# text: whoever owns the store, or a fault in what checks what agents and admins say, could put it there. No command
# hands it on, as a table or as JSON; nor do akc's key line and the log.
# sandbox: --leased
# timeout: 200
set -eu
. "$TOP/tests/lib.sh"

store=/var/lib/tunlease/leases.db
api=http://127.0.0.1:12000/
for name in alice gone db1; do new_key "$name" >/dev/null; done
leasectl grant alice --key "$WORK/alice.pub" --open 8009 --from 127.0.0.0/8 --note a-note >/dev/null
leasectl grant gone --key "$WORK/gone.pub" --open 8009 >/dev/null
leasectl revoke gone >/dev/null
leasectl token create --name a-token >/dev/null
leasectl freeze gw-tunnel >/dev/null
join_account
leasectl invite joins --open 8009 >/dev/null 2>&1 || fail 'no invite'
fetch -H 'Authorization: Bearer an-enrolment-key-for-the-tests' -H 'Content-Type: application/json' --data \
	"{\"action\":\"register\",\"agent_id\":\"db1\",\"public_key\":\"$(cat "$WORK/db1.pub")\",\"hostname\":\"a-host\",\"user\":\"a-user\",
	\"target\":\"127.0.0.1:22\",\"host_keys\":[\"$(cut -d' ' -f1,2 "$WORK/gone.pub")\"]}" "$api" >/dev/null
leasectl thaw gw-tunnel >/dev/null
leasectl set alice --open +agent:db1 >/dev/null 2>&1
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
mkdir "$WORK/good"
cp -a /var/lib/tunlease/. "$WORK/good/"

everything()
{
	local command
	for command in 'list --all' 'show alice' 'show gone' 'show db1' agents audit 'audit verify' 'token list' 'invite list' sessions \
		'export pfwd' 'ssh-config alice' 'ssh-config db1' 'explain --last pfwd' 'doctor --quick'; do
		echo "--- $command"
		# shellcheck disable=SC2086 # words
		NO_COLOR=1 timeout "$(slow 10)" leasectl $command 2>&1 </dev/null || :
	done
	echo "--- explain"
	leasectl explain pfwd --key "$WORK/alice.pub" 2>&1 || :
	echo "--- akc"
	/usr/libexec/tunlease/akc pfwd 2>&1 || :
	/usr/libexec/tunlease/akc --check pfwd "$(cut -d' ' -f1 "$WORK/alice.pub")" "$(cut -d' ' -f2 "$WORK/alice.pub")" 2>&1 || :
	for command in 'list --all' 'show alice' agents audit 'token list' 'invite list'; do
		echo "--- $command --json"
		# shellcheck disable=SC2086 # words
		leasectl --json $command 2>&1 || :
	done
	tail -c "+$((logged + 1))" "$SANDBOX_LOG"
}
cat >"$WORK/judge.py" <<'P'
import sys
steers = set(range(0x20)) - {9, 10} | set(range(0x7f, 0xa0)) | {0x200e, 0x200f, 0xfeff, 0x61c} | set(range(0x2028, 0x202f)) | set(range(0x2066, 0x206a))
where = ""
bad = 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace", newline="\n"):
    if line.startswith("--- "):
        where = line.strip()
    if any(ord(c) in steers for c in line) or line.startswith("forged"):
        print(sys.argv[2], where, ascii(line))
        bad = 1
sys.exit(bad)
P
evil=$'x\e]0;owned\a\e[31m\r\nforged\tline\xc2\x9b2J\xe2\x80\xae\xe2\x81\xa6\xe2\x80\xa8<i>forged</i>"\x7f'
judge() { python3 "$WORK/judge.py" "$WORK/all" "$1" || fail "$1: it is handed on"; }
columns() { sql "SELECT m.name || ' ' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c WHERE m.type = 'table' AND c.type = 'TEXT' AND m.name NOT LIKE 'sqlite%'"; }
restore() { rm -f /var/lib/tunlease/*; cp -a "$WORK/good/." /var/lib/tunlease/; }

logged=$(stat -c %s "$SANDBOX_LOG")
everything >"$WORK/all"
for word in alice gone db1 a-note a-token joins a-user 127.0.0.1:8009 'ssh-ed25519 AAAA'; do
	grep -q -e "$word" "$WORK/all" || fail "a good store, and $word is nowhere"
done
judge 'a good store'
mapfile -t columns < <(columns)
((${#columns[@]} > 12)) || fail "${columns[*]}"
seen=0
for column in "${columns[@]}"; do
	read -r table name <<<"$column"
	restore
	for trigger in $(sql "SELECT name FROM sqlite_schema WHERE type = 'trigger'"); do sql "DROP TRIGGER $trigger"; done
	sql "PRAGMA ignore_check_constraints = 1; UPDATE OR IGNORE $table SET $name = CAST(x'$(printf %s "$evil" | xxd -p | tr -d '\n')' AS TEXT)" >"$WORK/sql.out" 2>&1 ||
		{ note "$column: $(head -n 1 "$WORK/sql.out")"; continue; }
	logged=$(stat -c %s "$SANDBOX_LOG")
	everything >"$WORK/all"
	judge "$column"
	! grep -q 'forged' "$WORK/all" || seen=$((seen + 1))
done
((seen > 3)) || fail "of ${#columns[@]} columns only $seen were shown by anything"
ok "${#columns[@]} columns, of which $seen are shown, escaped; the others are refused"
