#!/bin/bash
# SPDX-License-Identifier: ISC
# leasectl prove: what is broken fails the trial that is about it, and no other; an interrupted run writes no
# report and leaves nothing behind.
# sandbox:
# timeout: 240
set -eu
. "$TOP/tests/lib.sh"
# shellcheck source=tests/prove_lib.sh
. "$TOP/tests/prove_lib.sh"
remember

note 'interrupted'
leasectl prove --report "$WORK/interrupted" >"$WORK/out" 2>"$WORK/err" & pid=$!
probing() { leasectl list --all | some_line $'\tverify-'; }
wait_for 10 'its leases' probing
kill -TERM "$pid"
rc=0; wait "$pid" || rc=$?
assert_eq "$rc $(cat "$WORK/err")" '1 leasectl: prove: interrupted: no report was written' 'it says so'
[[ ! -e $WORK/interrupted ]] || fail 'there is a report'
nothing_left 'an interrupted one'

note 'several things are broken: each is named, and nothing else'
query "DROP TRIGGER audit_update; UPDATE audit SET actor = 'nobody' WHERE seq = 2"
chmod 0666 "$store"
printf 'Match User gw-tunnel\n    AuthorizedKeysFile .ssh/authorized_keys\nMatch all\n' >/etc/ssh/sshd_config.d/05-stray.conf
reload_sshd
chmod 0440 /etc/tunlease/leased.env
chgrp _tunlease /etc/tunlease/leased.env
leasectl set alice --open +8010 >/dev/null 2>&1
printf '%s\n' 'AllowOpen pfwd 127.0.0.1:8009' >>"$conf"
# leased does not listen there yet, and another program does, which also refuses.
sed -i 's/^MetricsListen .*/MetricsListen 127.0.0.1:12009/' "$conf"
grep -q '^MetricsListen' "$conf" || fail 'the test has no MetricsListen'
python3 -c 'import http.server as h
class other(h.BaseHTTPRequestHandler):
	protocol_version = "HTTP/1.1"
	def do_GET(self): self.send_error(404)
	do_POST = do_GET
h.HTTPServer(("127.0.0.1", 12009), other).serve_forever()' >/dev/null 2>&1 & at_exit $!
other_listens() { ! port_free 12009; }
wait_for 5 'another program listens' other_listens
leasectl sshd-config >/etc/ssh/sshd_config.d/20-tunlease.conf # else that would be said, too
reload_sshd
expect_exit 1 leasectl --json prove --report "$WORK/broken"
json_of "$WORK/broken" >"$WORK/json"
cmp -s "$WORK/json" "$WORK/out" ||
	fail "--json prints another JSON than the report has: $(diff <(sed 's/,"/\n"/g' "$WORK/json") <(sed 's/,"/\n"/g' "$WORK/out") | head -n 20)"
assert_eq "$(tells "$WORK/broken" 'failed')" \
	'akc-reads-no-keys akc-writes-nothing audit-chain audit-guard sshd-ceiling store-modes stray-keys within-ceiling' \
	'the trials that fail'
assert_eq "$(tells "$WORK/broken" 'r["report"]["result"], not_run')" "('fail', 'page-host')" \
	'what another program refuses shows nothing, and the others pass'
assert_eq "$(tells "$WORK/broken" 'r["audit"]["broken_seq"], r["audit"]["fault"]')" "(2, 'changed')" 'the row of the audit'
for words in "may write '$store'" "its newest row can be changed" "AuthorizedKeysFile is '.ssh/authorized_keys'" \
	"'alice' has 127.0.0.1:8010: " "may read '/etc/tunlease/leased.env'" "'$store' is _tunlease:_tunlease 0666" \
	'chain          BROKEN: ' 'what answers there is not leased: 404'; do
	grep -qF -e "$words" "$WORK/broken" || fail "the text does not say $words"
done
ok 'the text says what is wrong with each'
talks "$TALK" || fail "the holder's connection was cut"
