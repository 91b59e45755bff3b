#!/bin/bash
# SPDX-License-Identifier: ISC
# Pending heartbeats get into their leases: when no requests come any more and the disk is slow, when
# leased was stopped for longer than the lease had left, and when one of the leases cannot be written.
# sandbox:
# timeout: 120
# shellcheck disable=SC2119 # beats_lib: their arguments are optional
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/beats_lib.sh"

add_agents 200

note 'no more requests come'
start LD_PRELOAD="$TOP/build/tests/slow_disk.so" SLOW_DISK_MS=30
beat
(($(pending) > 0)) || fail 'no heartbeat is pending'
wait_for $((flush_s + 5)) 'they are flushed' none_pending
ok 'flushed on a slow disk, by the timer alone'

note 'leased was stopped for longer than the lease had left'
new_key box >/dev/null
code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' -H "X-API-Key: $enrol" \
	--data "{\"action\":\"register\",\"agent_id\":\"box\",\"public_key\":\"$(cat "$WORK/box.pub")\"}" http://127.0.0.1:12000/)
assert_eq "$code" 200 'register'
port=$(sed 's/.*"port_b":\([0-9]*\).*/\1/' "$WORK/answer")
fwd_R "$WORK/box" gw-tunnel "127.0.0.1:$port:127.0.0.1:22" || fail 'the tunnel'
stop KILL
box=$(sql "SELECT id FROM lease WHERE name = 'box'") now_s=$(date +%s)
sql "UPDATE lease SET expires_s = $((now_s - 5)) WHERE id = $box;
	INSERT INTO beat(seq, lease_id, heartbeat_ms, expires_s) VALUES(1000000, $box, $((now_s - 700))000, $((now_s + 3600)))"
start
wait_for 5 'it is flushed' none_pending
assert_eq "$(sql "SELECT expires_s FROM lease WHERE id = $box")" "$((now_s + 3600))" 'the end that its heartbeat gave'
sleep 0.5
kill -0 "$FWD_PID" || fail 'the session was ended'
ok 'the session whose heartbeat was answered was not ended'

note 'leased is stopped while heartbeats are pending'
beat
(($(pending) > 0)) || fail 'no heartbeat is pending'
stop TERM
assert_eq "$(sql 'SELECT count(*) FROM lease WHERE heartbeat_ms < (SELECT max(heartbeat_ms) FROM beat WHERE lease_id = lease.id)')" \
	0 'leases without their heartbeat'
ok 'it flushes them before it ends'

note 'one lease cannot be written'
# It is the first in the list: the ones after it are flushed, and its heartbeat stays pending.
id_of() { sql "SELECT id FROM lease WHERE name = '$(name "$1")'"; }
bad=$(id_of 3) other=$(id_of 150)
sql "DELETE FROM beat; INSERT INTO beat(seq, lease_id, heartbeat_ms, expires_s) VALUES(2000000, $bad, $(($(date +%s) + 1))000, $((now_s + 7200))), (2000001, $other, $(date +%s)000, $((now_s + 700000))),
	(2000002, $box, $(date +%s)000, $((now_s + 700001)));
	CREATE TRIGGER damaged BEFORE UPDATE ON lease WHEN OLD.id = $bad BEGIN SELECT RAISE(ABORT, 'damaged'); END"
bad_ms=$(sql "SELECT heartbeat_ms FROM lease WHERE id = $bad")
start
for i in {1..20}; do
	code=$(one_beat 7)
	[[ $code == 200 ]] || fail "heartbeat $i of another agent: $code"
	sleep 0.1
done
assert_eq "$(sql "SELECT group_concat(expires_s) FROM (SELECT expires_s FROM lease WHERE id IN ($other, $box) ORDER BY id)")" \
	"$((now_s + 700000)),$((now_s + 700001))" 'the leases after it have the ends that their heartbeats gave'
assert_eq "$(sql 'SELECT group_concat(DISTINCT lease_id) FROM beat')" "$bad" 'its heartbeat stays pending, in the store'
stop KILL
start
assert_eq "$(sql 'SELECT group_concat(DISTINCT lease_id) FROM beat')" "$bad" 'also after kill -9'
(($(grep -c 'cannot write a heartbeat into lease' "$WORK/leased.log") <= 2)) || fail "$(cat "$WORK/leased.log")"

# Its own heartbeats are refused; others in the same transaction are not.
stop TERM
start LD_PRELOAD="$TOP/build/tests/slow_disk.so" SLOW_DISK_MS=30
for round in {1..12}; do
	asked=()
	for i in 0 1 3 2; do one_beat "$i" >"$WORK/code.$i" & asked+=("$!"); done
	wait "${asked[@]}"
	assert_eq "$(cat "$WORK"/code.{0,1,2,3})" 200200200503 "round $round"
	sleep 0.05
done
ok 'the other agents are answered'
sql 'DROP TRIGGER damaged'
wait_for $((flush_s + 5)) 'it is flushed' none_pending
(($(sql "SELECT heartbeat_ms FROM lease WHERE id = $bad") > bad_ms)) || fail "its lease does not have its heartbeat"
ok 'it is flushed once it can be written'
