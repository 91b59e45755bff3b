#!/bin/bash
# SPDX-License-Identifier: ISC
# With many heartbeats a second: each is in the store when it is answered, even if leased is killed
# then; it is flushed into its lease within seconds; and a change that another process makes to an
# agent meanwhile counts from the next heartbeat on.
# sandbox:
# timeout: 90
# shellcheck disable=SC2119,SC2154 # beats_lib: their arguments are optional, and its variables
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/beats_lib.sh"

rows() # others | settling
{
	fetch -H "Authorization: Bearer $enrol" http://127.0.0.1:12000/metrics |
		sed -n "s/^tunlease_store_rows_changed_total{by=\"$1\"} //p"
}
# known SINCE_S: the number of agents whose lease has a heartbeat since then
known() { sql "SELECT count(*) FROM lease WHERE kind = 'agent' AND heartbeat_ms >= $1 * 1000"; }

add_agents 300
sleep 1.1 # so that every heartbeat is in a later second than the ones that `fill` wrote
start

# ---- each is written ----

# A second of a quiet machine; but half of the time after which they are flushed, for they are to be pending then.
seconds=$(slow 1)
((seconds <= flush_s / 2)) || seconds=$((flush_s / 2))
before=$(rows others) since_s=$(date +%s)
beat "$seconds"
((answered > 2 * agents)) || fail "only $answered heartbeats in a second"
assert_eq "$(($(rows others) - before))" "$answered" 'rows written, and heartbeats answered'
(($(pending) > agents)) || fail "only $(pending) heartbeats are pending"
assert_eq "$(sql "SELECT count(*) FROM lease WHERE kind = 'agent' AND
	max(heartbeat_ms, (SELECT max(heartbeat_ms) FROM beat WHERE lease_id = lease.id)) >= $since_s * 1000")" \
	"$agents" 'agents with a heartbeat in the store'
ok "$answered heartbeats, each a row"

# ---- another process changes agents with pending heartbeats ----

assert_eq "$(one_beat 297)" 200 'a heartbeat before the revoke'
leasectl revoke "$(name 297)" >/dev/null
assert_eq "$(one_beat 297)" 403 'the next one after the revoke'
end_297=$(sql "SELECT expires_s FROM lease WHERE name = '$(name 297)'")
leasectl renew "$(name 298)" --for 3h >/dev/null
leasectl renew "$(name 299)" --until "$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
leasectl revoke "$(name 296)" >/dev/null
leasectl delete "$(name 296)" >/dev/null
fixed=$(sql "SELECT fixed_end FROM lease WHERE name = '$(name 299)'")
assert_eq "$fixed" 1 'an end that an admin has fixed'
end_299=$(sql "SELECT expires_s FROM lease WHERE name = '$(name 299)'")
assert_eq "$(one_beat 299)" 200 'a heartbeat with a fixed end'

# ---- leased is killed while heartbeats are pending ----

agents=290 beat # the ones before may have been flushed by now
(($(pending) > 290)) || fail "only $(pending) are pending"
stop KILL
(($(known "$since_s") < agents)) || fail 'all heartbeats were flushed before the kill'
start
wait_for 5 'they are flushed' none_pending
assert_eq "$(known "$since_s")" "$((agents - 1))" 'agents whose lease has the heartbeat'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = '$(name 299)'")" "$end_299" 'the end that was fixed'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = '$(name 297)'")" "$end_297" 'the end of a revoked lease'
ok 'kill -9 loses no heartbeat, and no fixed end moves'

# ---- flushed by the timer ----

since_s=$(date +%s) before=$(rows others)
sleep 1
flushed=$(rows settling)
agents=200 beat "$seconds"
(($(pending) > 200)) || fail "only $(pending) are pending"
wait_for $((flush_s + 5)) 'they are flushed' none_pending
assert_eq "$(known "$((since_s + 1))")" 200 'agents whose lease has the heartbeat'
are_counted() { (($(rows settling) - flushed > answered / 2)); }
wait_for 5 'rows changed by the flush are counted' are_counted # leased makes such a report once a second
assert_eq "$(($(rows others) - before))" "$answered" 'rows written by anything else'
leasectl --json agents | python3 -c '
import json, sys
ours = [a for a in json.load(sys.stdin) if a["name"].startswith("00000010-")]
assert len(ours) == 1 and ours[0]["heartbeat_at"], ours' || fail 'leasectl agents'
ok 'flushed within seconds'

# ---- few heartbeats ----

sleep 1
before=$(rows settling)
for number in 11 12 13; do
	assert_eq "$(one_beat "$number")" 200 'a heartbeat'
done
none_pending || fail 'a few heartbeats are pending as well'
sleep 1.1 # the report that was read above counts for a second
assert_eq "$(rows settling)" "$before" 'rows changed by flushes'
ok 'few heartbeats go into their leases at once'
