#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl prove: on a healthy gateway every trial passes while a holder's data goes on; the report is valid
# (prove.json), signed, and leaves nothing behind. long/prove_broken: what is broken is named.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"
# shellcheck source=tests/prove_lib.sh
. "$TOP/tests/prove_lib.sh"
remember

note 'a healthy gateway'
mkdir "$WORK/reports"
leasectl prove --report "$WORK/reports/one" --sign "$WORK/auditor" >"$WORK/out" 2>"$WORK/err" ||
	fail "$(cat "$WORK/err" "$WORK/out"; grep -i -A3 -e ' FAIL ' -e 'not run' "$WORK/reports/one" | head -n 40)"
ok "$(cat "$WORK/out")"
[[ ! -s $WORK/err ]] || fail "it prints an error: $(cat "$WORK/err")"
nothing_left 'a run'
one=$WORK/reports/one
assert_eq "$(ls "$WORK/reports") $(stat -c %a "$one")" 'one 600' 'one file, mode 0600'
assert_eq "$(tells "$one" 'r["report"]["result"], failed, not_run')" "('pass', '', '')" 'every trial was run and passed'
assert_eq "$(tells "$one" '[(l["name"], l["sessions"], l["last_login_at"] != None) for l in r["leases"]]')" \
	"[('alice', 1, True)]" 'who may reach what, and last did'
assert_eq "$(tells "$one" '[(s["lease"], s["from"]) for s in r["sessions"]]')" "[('alice', '127.0.0.1')]" 'who is connected'
for login in pfwd gw-tunnel; do
	(($(tells "$one" "len([a for t in trials for a in t['attempts'] if a['what'].startswith('$login: ')])") > 20)) ||
		fail "verify did not try $login"
done
ok 'verify has tried each login'
(($(tells "$one" 'r["report"]["seconds"]') <= 60)) || fail 'it takes longer than a minute'
assert_eq "$(tells "$one" 'r["audit"]["broken_seq"], r["audit"]["head"]')" \
	"(None, '$(query "SELECT lower(hex(hash)) FROM audit ORDER BY seq DESC LIMIT 1")')" "the audit's head"
sed -n '/^tunlease audit checkpoint 1$/,/^row-at /p' "$one" >"$WORK/checkpoint"
expect_exit 0 leasectl audit verify --checkpoint "$WORK/checkpoint"
log_has "audit head seq=.* hash=$(tells "$one" 'r["audit"]["head"]')" || fail "the head is not in the log: $(grep -i 'audit' "$SANDBOX_LOG" | tail -n 2)"
ok 'its checkpoint is what audit verify takes, and its head is in the log'
for words in 'alice (#1) on pfwd until 20..-' '      may open    127.0.0.1:8009$' '      from        127.0.0.0/8$' \
	'  alice on pfwd from 127.0.0.1 since' '      note        a "note"$' 'pass     su: ' \
	'A holder' 'not tried: the store would have to be taken away'; do
	grep -q -e "$words" "$one" || fail "the text lacks '$words'"
done
ok 'the text has the same for people'
! grep -q -e an-enrolment-key -e 'BEGIN OPENSSH' "$one" || fail 'a secret is in the report'

note 'the signature'
echo "auditor $(cat "$WORK/auditor.pub")" >"$WORK/allowed"
verifies "$one" >"$WORK/out" || fail "the signature is not good: $(cat "$WORK/out")"
ok "$(cat "$WORK/out")"
sed '0,/may open    127.0.0.1:8009/s//may open    127.0.0.1:8008/' "$one" >"$WORK/tampered"
! cmp -s "$one" "$WORK/tampered" || fail 'the test changed nothing'
! verifies "$WORK/tampered" >/dev/null 2>&1 || fail 'a changed byte of the text is taken'
sed 's/"open":\["127.0.0.1:8009"\]/"open":["127.0.0.1:8008"]/' "$one" >"$WORK/tampered"
! verifies "$WORK/tampered" >/dev/null 2>&1 || fail 'a changed byte of the JSON is taken'
echo "auditor $(cat "$WORK/other.pub")" >"$WORK/allowed"
! verifies "$one" >/dev/null 2>&1 || fail "another's key is taken"
ok 'a changed byte, or another key, and it is not good'

note 'what is refused before anything is tried'
rows=$(query 'SELECT max(seq) FROM audit')
expect_exit 5 leasectl prove --report "$one"
grep -q "'$one' is there already, and no report is replaced" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 1 leasectl prove --report "$WORK/no/where"
grep -q "cannot write '$WORK/no/where': No such file" "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 2 leasectl prove --report "$WORK/two" --sign "$WORK/no-key"
expect_exit 2 leasectl prove
# Who forgets FILE must not find a report named --sign.
cd "$WORK"
for word in --sign --help -h -; do
	expect_exit 2 leasectl prove --report "$word"
	grep -qF "write ./$word" "$WORK/err" || fail "$(cat "$WORK/err")"
	[[ ! -e ./$word ]] || fail "a report named $word"
done
cd "$OLDPWD"
expect_exit 2 leasectl prove --report "$WORK/two" alice
expect_exit 1 setpriv --reuid=li --clear-groups leasectl prove --report "$WORK/two"
grep -q 'sudo leasectl prove' "$WORK/err" || fail "$(cat "$WORK/err")"
[[ $(query 'SELECT max(seq) FROM audit') == "$rows" && ! -e $WORK/two ]] || fail 'something was tried'
ok 'with one line, and nothing was tried'
