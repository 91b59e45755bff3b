#!/bin/bash
# SPDX-License-Identifier: ISC
# leased's http process taken over by a stranger (build/tests/hostile_http): whatever it sends, engine
# trusts none of it, kills an http that sends what the real one never would, and goes on.
# sandbox: --bare
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

enrol=an-enrolment-key-for-the-tests
hostile=$TOP/build/tests/hostile_http
[[ -x $hostile ]] || { echo 'build/tests/hostile_http is missing: make tests'; exit 1; }
systemd-sysusers >/dev/null 2>&1 || :
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
echo "API_KEY=$enrol" >/etc/tunlease/leased.env
chmod 0755 "$WORK"
install -d -o _tunlease -m 0755 "$WORK/http"
echo "$enrol" >"$WORK/http/enrol"
cp "$(new_key good).pub" "$WORK/http/key"
log=$WORK/leased.log

(cd "$WORK/http" && exec "$hostile" -D -u </dev/null >"$log" 2>&1) & daemon=$!
at_exit "$daemon"
wait_for 30 "every packet was tried: $(cat "$WORK/http/step" 2>/dev/null)" test -e "$WORK/http/done"
steps=$(cat "$WORK/http/step")
((steps > 20)) || fail "only $steps steps"
for lives in "$WORK"/http/*.lives; do
	[[ ! -e $lives ]] || fail "not ended after $(basename "$lives"): $(cat "$log")"
done
ok "engine kills it at once after each of $((steps - 1)) kinds of packets"
assert_eq "$(grep -c 'the http process sent ' "$log")" "$((steps - 2))" 'each is logged, except for the one that only closes its end'
assert_eq "$(tr '\n' ' ' <"$WORK/http/answers")" \
	'name bad_request line bad_request keys bad_request hostname bad_request user bad_request target bad_request bind_host forbidden key bad_request good ok ' \
	'engine checks all texts again'
! grep -q -a -e '^leased: forged' -e ' agent=x client=198' -e $'\033' "$log" || fail "forged: $(cat "$log")"
ok 'texts forge no line of the log'
leasectl --json agents >"$WORK/agents"
assert_eq "$(python3 -c 'import json,sys; print(*[a["name"] for a in json.load(sys.stdin)])' <"$WORK/agents")" good 'only the honest register made an agent'
python3 - <<'E' || fail 'the audit has texts or addresses of the hostile http'
import sqlite3, sys
db = sqlite3.connect("file:/var/lib/tunlease/leases.db?mode=ro", uri=True)
rows = [row for row in db.execute("SELECT * FROM audit") if any(isinstance(c, str) and not c.isprintable() for c in row)]
sources = {row[0] for row in db.execute("SELECT source FROM audit")}
print("#", rows, sources)
sys.exit(bool(rows) or not sources <= {"", "192.0.2.7"})
E
ok 'nothing of it is in the audit'
kill -0 "$daemon" || fail 'the engine is gone'
