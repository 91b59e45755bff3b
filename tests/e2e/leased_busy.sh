#!/bin/bash
# SPDX-License-Identifier: ISC
# More heartbeats than go into their leases one by one: each is in the store when it is answered,
# also when leased is killed then, and its lease learns of it within seconds; and what another
# process does to an agent meanwhile counts from the next heartbeat on.
# sandbox:
# timeout: 90
# shellcheck disable=SC2119 # beats_lib: their arguments are optional
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/beats_lib.sh"

rows() # others | settling
{
	fetch -H "Authorization: Bearer $enrol" http://127.0.0.1:12000/metrics |
		sed -n "s/^tunlease_store_rows_changed_total{by=\"$1\"} //p"
}
# known SINCE_S: agents whose own row has a heartbeat since then
known() { sql "SELECT count(*) FROM lease WHERE kind = 'agent' AND heartbeat_ms >= $1 * 1000"; }

add_agents 300
sleep 1.1 # after which every second is a later one than that of their leases
start

# ---- written down, each ----

before=$(rows others) since_s=$(date +%s)
beat "$(slow 1)"
((answered > 2 * agents)) || fail "only $answered heartbeats in a second"
assert_eq "$(($(rows others) - before))" "$answered" 'rows written, and heartbeats answered'
(($(waiting) > agents)) || fail "only $(waiting) heartbeats wait for their leases"
assert_eq "$(sql "SELECT count(*) FROM lease WHERE kind = 'agent' AND
	max(heartbeat_ms, (SELECT max(heartbeat_ms) FROM beat WHERE lease_id = lease.id)) >= $since_s * 1000")" \
	"$agents" 'agents with a heartbeat in the store'
ok "$answered heartbeats, each a row"

# ---- another process, while theirs wait ----

assert_eq "$(beat_one 297)" 200 'a heartbeat before the revoke'
leasectl revoke "$(name 297)" >/dev/null
assert_eq "$(beat_one 297)" 403 'the next one after the revoke'
end_297=$(sql "SELECT expires_s FROM lease WHERE name = '$(name 297)'")
leasectl renew "$(name 298)" --for 3h >/dev/null
leasectl renew "$(name 299)" --until "$(date -u -d '+30 days' +%Y-%m-%dT%H:%M:%SZ)" >/dev/null
leasectl revoke "$(name 296)" >/dev/null
leasectl delete "$(name 296)" >/dev/null
fixed=$(sql "SELECT fixed_end FROM lease WHERE name = '$(name 299)'")
assert_eq "$fixed" 1 'an end that an admin has fixed'
end_299=$(sql "SELECT expires_s FROM lease WHERE name = '$(name 299)'")
assert_eq "$(beat_one 299)" 200 'a heartbeat with a fixed end'

# ---- killed while they wait ----

agents=290 beat # those of before may have been settled meanwhile
(($(waiting) > 290)) || fail "only $(waiting) wait"
stop KILL
(($(known "$since_s") < agents)) || fail 'nothing is left to be settled'
start
wait_for 5 'they are settled' none_waits
assert_eq "$(known "$since_s")" "$((agents - 1))" 'agents whose lease knows'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = '$(name 299)'")" "$end_299" 'the end that was fixed'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = '$(name 297)'")" "$end_297" 'the end of a revoked lease'
ok 'kill -9 loses none, and moves no end that is fixed'

# ---- by the clock ----

since_s=$(date +%s) before=$(rows others)
sleep 1
agents=200 beat "$(slow 1)"
(($(waiting) > 200)) || fail "only $(waiting) wait"
settled=$(rows settling)
wait_for $((settle_s + 5)) 'they are settled' none_waits
assert_eq "$(known "$((since_s + 1))")" 200 'agents whose lease knows'
(($(rows settling) - settled > answered / 2)) || fail 'the rows that settling has changed are not counted'
assert_eq "$(($(rows others) - before))" "$answered" 'rows written by anything else'
leasectl --json agents | python3 -c '
import json, sys
ours = [a for a in json.load(sys.stdin) if a["name"].startswith("00000010-")]
assert len(ours) == 1 and ours[0]["heartbeat_at"], ours' || fail 'leasectl agents'
ok 'settled within seconds'

# ---- few ----

sleep 1
before=$(rows settling)
for number in 11 12 13; do
	assert_eq "$(beat_one "$number")" 200 'a heartbeat'
done
none_waits || fail 'few wait, too'
assert_eq "$(rows settling)" "$before" 'rows changed by settling'
ok 'few go into their lease at once'
