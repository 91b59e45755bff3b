#!/bin/bash
# SPDX-License-Identifier: ISC
# /proc hides processes from leased (hidepid=1, 2, 4): leased does not end, call down or forget what it
# cannot see, and says so; root still sees it. The same with sessions of another pid namespace.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

api=http://127.0.0.1:12000/
enrol=an-enrolment-key-for-the-tests
serve_echo 18080
for name in friend agent; do new_key "$name" >/dev/null; done
sql() { python3 -c '
import sqlite3, sys
db = sqlite3.connect("/var/lib/tunlease/leases.db", timeout=10)
db.execute(sys.argv[1])
db.commit()' "$1"; }
hide() { mount -o "remount,hidepid=$1" /proc; }
post() { # CREDENTIAL JSON
	curl -s -o "$WORK/answer" --max-time "$(slow 10)" -H 'Content-Type: application/json' -H "Authorization: Bearer $1" --data "$2" "$api"
}
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/answer" "$1"; }
health() { curl -s -o "$WORK/health" -w '%{http_code}' --max-time "$(slow 5)" "${api}healthz"; }
is_well() { [[ $(health) == 200 ]]; }
says() { [[ $(health) == 503 ]] && grep -q "$1" "$WORK/health"; }
metric() { curl -s -H "X-API-Key: $enrol" "${api}metrics" | sed -n "s/^tunlease_$1 //p"; }
metric_is() { [[ $(metric "$1") == "$2" ]]; }
is_up() { kill -0 "$friend" 2>/dev/null && talks "$TALK"; }
answers() { health >/dev/null; }
start_leased() {
	"$@" leased </dev/null >/run/leased.out 2>&1 &
	leased=$!
	echo "$leased" >/run/leased.pid
	at_exit "$leased"
	wait_for 10 "leased answers: $(cat /run/leased.out)" answers
}
stop_leased() {
	kill -TERM "$(cat /run/leased.pid)"
	wait_for 5 'leased stops' is_gone "$(cat /run/leased.pid)"
}
restart_leased() { stop_leased; start_leased; }
connect() {
	leasectl grant friend --key "$WORK/friend.pub" --open 127.0.0.1:18080 "$@" >/dev/null
	fwd_L "$WORK/friend" pfwd 19000:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
	friend=$FWD_PID
	talk_to 19000
	talks "$TALK" || fail 'no data'
}

note 'an agent with a tunnel; its first login is not in the store yet'
post "$enrol" "{\"action\":\"register\",\"agent_id\":\"agent\",\"public_key\":\"$(cat "$WORK/agent.pub")\"}"
secret=$(field agent_secret) port=$(field port_b)
fwd_R "$WORK/agent" gw-tunnel "127.0.0.1:$port:127.0.0.1:18080" || fail "$(tail -n 3 "$WORK/ssh.err")"
agent=$FWD_PID
heartbeat_says() { post "$secret" '{"action":"heartbeat","agent_id":"agent"}'; [[ $(field tunnel) == "$1" ]]; }
wait_for 5 'up' heartbeat_says up

for hidepid in ${TEST_HIDEPID:-2}; do
	note "hidepid=$hidepid"
	hide 0
	wait_for 15 'leased is healthy before' is_well
	connect --max-sessions 1
	hide "$hidepid"
	sql "UPDATE lease SET expires_s = unixepoch() - 1 WHERE name = 'friend'" 2>/dev/null ||
		sql "UPDATE lease SET expires_s = strftime('%s') - 1 WHERE name = 'friend'"
	wait_for 5 'the expired lease is named' says 'cannot be seen: /proc hides it (hidepid); over, and not ended: friend$'
	wait_log 5 'cannot be seen: /proc hides it .hidepid.; over, and not ended: friend;'
	wait_for 3 'metrics' metric_is 'sight_lost{of="sessions"}' 1
	assert_eq "$(metric sessions_unseen) $(metric sessions_overdue) $(metric sessions_ended_total'{reason="expired"}')" '2 1 0' 'metrics'
	is_up || fail 'leased ended a session that it cannot see'
	heartbeat_says up || fail "the agent's tunnel is called down: $(cat "$WORK/answer")"
	said() { (($(grep -c 'over, and not ended: friend;' "$SANDBOX_LOG") == $1)); }
	if [[ -n ${TEST_MINUTE-} ]]; then
		said 1 || fail 'logged more than once within a minute'
		wait_for 70 'it is logged again' said 2
		TEST_MINUTE=''
	fi
	[[ $(leasectl sessions | cut -f1 | sort | tr '\n' ' ') == 'agent friend ' ]] || fail "$(leasectl sessions)"
	leasectl renew friend --for 1h >/dev/null
	wait_for 5 'it is no longer expired' says 'cannot be seen: /proc hides it (hidepid); none is ended at the end of its lease$'
	login_refused "$WORK/friend" pfwd || fail 'a second session, though max_sessions is 1'
	expect_exit 1 leasectl doctor
	grep -q "hidepid=.*fstab.*remount,hidepid=2,gid=_tunlease /proc'" "$WORK/out" || fail "$(cat "$WORK/out")"
	expect_exit 0 leasectl revoke friend
	grep -q '^ended 1 session ' "$WORK/out" || fail "$(cat "$WORK/out")"
	wait_for 5 'the client to go' is_gone "$friend"
	exec {TALK}>&-
	ok 'leased does not end it or call it down, and says so; root ends it'
done

note 'the agent is older than an hour, and no login of it is in the store'
sql "UPDATE lease SET created_s = created_s - 7200, last_login_s = 0 WHERE name = 'agent'"
restart_leased
sleep 1.5 # its first walk
heartbeat_says up || fail "$(cat "$WORK/answer")"
leasectl show agent >/dev/null || fail 'the agent was deleted as unused'
ok 'it is not deleted as unused'

note 'takeover and kill'
fwd_R "$WORK/agent" gw-tunnel "127.0.0.1:$port:127.0.0.1:18080" || fail "no takeover: $(tail -n 3 "$WORK/ssh.err")"
wait_for 5 'the old one to go' is_gone "$agent"
agent=$FWD_PID
wait_for 5 'up' heartbeat_says up
expect_exit 0 leasectl kill agent
wait_for 5 'the client to go' is_gone "$agent"
wait_for 5 'the tunnel is known to be down' heartbeat_says down
ok 'both work as always'

note 'the advice of doctor helps'
groupadd watchers
hide "2,gid=$(getent group watchers | cut -d: -f3)"
expect_exit 1 leasectl doctor
grep -q "hidepid=.*,gid=watchers\>.*'SupplementaryGroups=watchers'" "$WORK/out" || fail "$(cat "$WORK/out")"
usermod -aG watchers _tunlease
restart_leased
wait_for 5 'leased sees through that group' is_well
leasectl doctor >"$WORK/out" 2>&1 || :
grep -q '/proc shows leased the sessions' "$WORK/out" || fail "$(cat "$WORK/out")"
hide "2,gid=$(getent group _tunlease | cut -d: -f3)"
wait_for 15 'leased sees through its own group' is_well
connect
expire_soon friend
wait_for 8 'the end of a session that can be seen' is_gone "$friend"
wait_log 5 'ended login=pfwd lease=friend reason=expired'
exec {TALK}>&-
leasectl revoke friend >/dev/null
ok 'with either group leased sees sessions and ends them'

note 'leased in a container with its own pid namespace and our RunDir'
hide 0
connect
stop_leased
start_leased unshare --pid --fork --kill-child --mount-proc
wait_for 10 'it says so' says '1 session cannot be seen: it is of another pid namespace'
leasectl renew friend --for 1h >/dev/null
sql "UPDATE lease SET expires_s = created_s WHERE name = 'friend'"
wait_for 10 'the expired lease is named' says 'over, and not ended: friend$'
sleep 0.3
is_up || fail 'the session was ended'
kill -TERM "$(pgrep -P "$leased")"
wait_for 5 'leased stops' is_gone "$leased"
start_leased
wait_for 5 'a leased that sees it ends it' is_gone "$friend"
exec {TALK}>&-
wait_for 5 'leased is healthy again' is_well
ok 'leased does not end it and says so; a leased that sees it ends it'

note 'with too few descriptors for all sessions at the same time'
new_key many >/dev/null
leasectl grant many --key "$WORK/many.pub" --open 127.0.0.1:18080 >/dev/null
clients=()
for _ in {1..4}; do
	ssh_start "$WORK/many" pfwd "$SESSION_OPEN" || fail "$(tail -n 3 "$WORK/ssh.err")"
	clients+=("$FWD_PID")
done
wait_for 5 'four sessions' metric_is sessions 4
room=$(($(find "/proc/$leased/fd" -mindepth 1 | wc -l) + 3)) # reading the registry takes one, ending a session two
setpriv --reuid=_tunlease --regid=_tunlease --clear-groups prlimit --pid "$leased" --nofile="$room:$room"
sql "UPDATE lease SET expires_s = created_s WHERE name = 'many'"
for pid in "${clients[@]}"; do wait_for 15 'each session to end' is_gone "$pid"; done
wait_for 5 'no session is left' metric_is sessions 0
(($(grep -c 'cannot end pid' "$SANDBOX_LOG" || :) < 5)) || fail "$(grep -c 'cannot end pid' "$SANDBOX_LOG") lines of log"
ok 'all sessions are ended, a few at a time'
