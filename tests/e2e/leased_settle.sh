#!/bin/bash
# SPDX-License-Identifier: ISC
# Heartbeats that wait for their leases get there, whatever is in the way: nobody asks any more and
# the disk is slow, leased was away for longer than the lease had left, one lease cannot be written.
# sandbox:
# timeout: 120
# beside: others
set -eu
. "$TOP/tests/lib.sh"

agents=200
enrol=an-enrolment-key-for-the-tests
store=/var/lib/tunlease/leases.db
settle_s=10 # BEATS_SETTLE_MS
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
name() { printf '%08d-7c1f-4b6a-9d2e-3f5a8b0c1d2e' "$1"; }
answers() { fetch -f -o /dev/null http://127.0.0.1:12000/healthz; }
waiting() { sql 'SELECT count(*) FROM beat'; }
none_waits() { [[ $(waiting) == 0 ]]; }

body='{"action":"heartbeat","agent_id":"00000000-7c1f-4b6a-9d2e-3f5a8b0c1d2e"}'
{
	printf 'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n' "$enrol"
	printf 'Content-Length: %d\r\n\r\n%s' "${#body}" "$body"
} >"$WORK/heartbeat.http"
# beat: heartbeats of all, for a second
beat()
{
	local line; line=$("$TOP/build/tests/load" 12000 16 1 "$WORK/heartbeat.http" "$agents")
	[[ ${line##* } == 0 ]] || fail "answers that were not 200: $line"
}
start() # VARIABLE=VALUE...
{
	env "$@" leased -D </dev/null >>"$WORK/leased.log" 2>&1 & daemon=$!
	at_exit "$daemon"
	wait_for 5 "leased answers: $(cat "$WORK/leased.log")" answers
}
stop() { kill "-$1" "$daemon"; wait "$daemon" 2>/dev/null || :; }

cat >>/etc/tunlease/tunlease.conf <<-'END'
	AllowListen 127.0.0.1:23000-23999
END
echo "API_KEY=$enrol" >/etc/tunlease/leased.env
chown _tunlease:root /etc/tunlease/leased.env
chmod 0400 /etc/tunlease/leased.env
as_owner "$TOP/build/tests/fill" --agents 23000 "$store" "$agents" gw-tunnel >/dev/null

note 'then nobody asks'
start LD_PRELOAD="$TOP/build/tests/slow_disk.so" SLOW_DISK_MS=30
beat
(($(waiting) > 0)) || fail 'none waits'
wait_for $((settle_s + 5)) 'they are settled' none_waits
ok 'settled on a slow disk, by the clock alone'

note 'leased was away for longer than the lease had left'
new_key box >/dev/null
code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time 10 -H 'Content-Type: application/json' -H "X-API-Key: $enrol" \
	--data "{\"action\":\"register\",\"agent_id\":\"box\",\"public_key\":\"$(cat "$WORK/box.pub")\"}" http://127.0.0.1:12000/)
assert_eq "$code" 200 'register'
port=$(sed 's/.*"port_b":\([0-9]*\).*/\1/' "$WORK/answer")
fwd_R "$WORK/box" gw-tunnel "127.0.0.1:$port:127.0.0.1:22" || fail 'the tunnel'
stop KILL
box=$(sql "SELECT id FROM lease WHERE name = 'box'") now_s=$(date +%s)
sql "UPDATE lease SET expires_s = $((now_s - 5)) WHERE id = $box;
	INSERT INTO beat VALUES(1000000, $box, $((now_s - 700))000, $((now_s + 3600)))"
start
wait_for 5 'it is settled' none_waits
assert_eq "$(sql "SELECT expires_s FROM lease WHERE id = $box")" "$((now_s + 3600))" 'the end that its heartbeat gave'
sleep 0.5
kill -0 "$FWD_PID" || fail 'the session was ended'
ok 'nobody was ended whose heartbeat was answered'

note 'leased goes while some wait'
beat
(($(waiting) > 0)) || fail 'none waits'
stop TERM
assert_eq "$(sql 'SELECT count(*) FROM lease WHERE heartbeat_ms < (SELECT max(heartbeat_ms) FROM beat WHERE lease_id = lease.id)')" \
	0 'leases that do not know'
ok 'its leases know'

note 'one lease cannot be written'
sql "DELETE FROM beat; INSERT INTO beat VALUES(2000000, $box, $(date +%s)000, $((now_s + 7200)));
	CREATE TRIGGER damaged BEFORE UPDATE ON lease WHEN OLD.id = $box BEGIN SELECT RAISE(ABORT, 'damaged'); END"
start
for i in {1..20}; do
	code=$(curl -s -o /dev/null -w '%{http_code}' --max-time 10 -H 'Content-Type: application/json' -H "X-API-Key: $enrol" \
		--data "{\"action\":\"heartbeat\",\"agent_id\":\"$(name 7)\"}" http://127.0.0.1:12000/)
	[[ $code == 200 ]] || fail "heartbeat $i of another agent: $code"
	sleep 0.1
done
assert_eq "$(waiting)" 1 'heartbeats that wait'
sql 'DROP TRIGGER damaged'
wait_for 5 'it is settled' none_waits
assert_eq "$(sql "SELECT expires_s FROM lease WHERE id = $box")" "$((now_s + 7200))" 'the end that its heartbeat gave'
ok 'the others are answered, and it is tried again'
