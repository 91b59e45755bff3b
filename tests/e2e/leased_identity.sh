#!/bin/bash
# SPDX-License-Identifier: ISC
# Who may speak for an agent, and which port it has: what a stolen enrolment key cannot change, for how
# long an agent may register again after a lost answer, leasectl agent reset, agents that never
# connect, fixed ends, wrong keys; and ports across restarts, foreign listeners and quarantine.
# sandbox: --leased
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

api=http://127.0.0.1:12000/
enrol=an-enrolment-key-for-the-tests
store=/var/lib/tunlease/leases.db

post() { # CREDENTIAL JSON
	code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $1" --data "$2" "$api")
}
register() { # CREDENTIAL NAME KEY [MORE]
	post "$1" "{\"action\":\"register\",\"agent_id\":\"$2\",\"public_key\":\"$(cat "$WORK/$3.pub")\"${4-}}"
}
heartbeat() { post "$1" "{\"action\":\"heartbeat\",\"agent_id\":\"$2\"}"; }
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$WORK/answer" "$1"; }
answered() { # STATUS WHAT
	[[ $code == "$1" ]] || fail "$2: $code, not $1: $(cat "$WORK/answer")"
	ok "$2: $code"
}
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
# Everything of an agent that a request could change.
row() { sql "SELECT id, open, listen, expires_s, fixed_end, hex(secret_hash), secret_used, agent_facts FROM lease WHERE name = '$1'"; }
up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
stop_leased() { kill "$(cat /run/leased.pid)" 2>/dev/null || :; wait_for 5 'leased is gone' stopped; }
stopped() { ! kill -0 "$(cat /run/leased.pid)" 2>/dev/null; }
start_leased() { leased </dev/null >/run/leased.out 2>&1 & echo $! >/run/leased.pid; wait_for 5 'leased answers' up; }
restart_leased() { stop_leased; start_leased; }
reloads() { grep -c 'configuration reloaded' "$SANDBOX_LOG" || :; }
reloaded() { (($(reloads) > $1)); }
reload()
{
	local before; before=$(reloads)
	kill -HUP "$(cat /run/leased.pid)"
	wait_for 5 'the configuration to be reloaded' reloaded "$before"
}
conf() { sed -i "/^${1%% *} /d" /etc/tunlease/tunlease.conf; echo "$1" >>/etc/tunlease/tunlease.conf; }

for key in unshown victim other late pending1 pending2 pending3 fixed third fourth fifth; do new_key "$key" >/dev/null; done

note 'a stolen enrolment key and the public key of the victim'
facts=',"user":"li","target":"127.0.0.1:22","hostname":"db1","host_keys":["'$(cut -d' ' -f1,2 "$WORK/other.pub")'"]'
register "$enrol" victim victim "$facts"
answered 200 'the victim registers'
first=$(field agent_secret)
register "$enrol" victim victim "$facts"
answered 200 'register again, after a lost answer'
port=$(field port_b) secret=$(field agent_secret)
heartbeat "$first" victim
answered 401 'the secret of the lost answer'
heartbeat "$secret" victim
answered 200 'the secret of the answer that arrived'
before=$(row victim)
for more in "$facts" ',"user":"mallory"' ',"port_b":25000' ',"host_keys":[]' ''; do
	register "$enrol" victim victim "$more"
	answered 401 "stolen key: register ${more:0:12}"
done
heartbeat "$enrol" victim
answered 401 'stolen key: heartbeat'
register "$enrol" victim other
[[ $code == 409 || $code == 401 ]] || fail "stolen key: another public key: $code"
register "$enrol" mallory victim
answered 409 'stolen key: another name'
restart_leased
register "$enrol" victim victim ',"user":"mallory"'
answered 401 'stolen key: after a restart'
assert_eq "$(row victim)" "$before" 'nothing of the victim changed'

note 'before it has used its secret, an agent may register again for ten minutes, or until its key opens a session'
register "$enrol" unshown unshown
answered 200 'an agent that does not use its secret'
register "$enrol" unshown unshown
answered 200 'register again, after a lost answer'
unshown=$(field agent_secret)
given_ago() { # WALL BOOT: when it registered, in seconds from now
	sql "UPDATE lease SET agent_facts = replace(agent_facts, substr(agent_facts, 1, instr(agent_facts, char(10))),
		'secret_given $(($(date +%s) - $1)) $(($(cut -d. -f1 /proc/uptime) - $2)) 0' || char(10)) WHERE name = 'unshown'"
	assert_eq "$(sql "SELECT agent_facts FROM lease WHERE name = 'unshown'" | grep -c ^secret_given)" 1 'the time of its register'
}
for ages in '610 610' '10 610' '610 10' '-3600 10'; do
	given_ago "${ages% *}" "${ages#* }"
	register "$enrol" unshown unshown
	answered 401 "ten minutes later, by the clock and since boot: $ages"
	[[ $(field error) == *"'leasectl agent reset'" ]] || fail "the answer: $(cat "$WORK/answer")"
	heartbeat "$enrol" unshown
	answered 401 'its heartbeat'
done
given_ago 10 10
was=$(row unshown)
fwd_R "$WORK/unshown" gw-tunnel "127.0.0.1:$(sql "SELECT port FROM port WHERE holder = 'unshown'"):127.0.0.1:22" || fail 'its tunnel'
register "$enrol" unshown unshown
answered 401 'while its session is up'
fwd_stop
logged_in() { [[ $(sql "SELECT last_login_s > 0 FROM lease WHERE name = 'unshown'") == 1 ]]; }
wait_for 5 'its login is in the store' logged_in
restart_leased
register "$enrol" unshown unshown
answered 401 'after its session has closed'
heartbeat "$enrol" unshown
answered 401 'heartbeat'
assert_eq "$(row unshown)" "$was" 'nothing of it changed'

note 'leasectl agent reset'
expect_exit 3 leasectl agent reset nobody
leasectl grant granted --key "$WORK/pending3.pub" --open 8022 >/dev/null
expect_exit 3 leasectl agent reset granted
expect_exit 2 leasectl agent reset unshown --port 20000
expect_exit 0 leasectl agent reset unshown
register "$enrol" unshown other
answered 409 'its next register, with another key'
heartbeat "$unshown" unshown
answered 200 'the old secret still holds'
register "$enrol" unshown unshown
answered 200 'its next register, although it has used its secret'
unshown2=$(field agent_secret)
heartbeat "$unshown" unshown
answered 401 'the old secret'
register "$enrol" unshown unshown
answered 200 'register again, after another lost answer'
unshown2=$(field agent_secret)
heartbeat "$unshown2" unshown
answered 200 'the new secret'
register "$enrol" unshown unshown
answered 401 'a reset allows one new secret'
leasectl --json agent reset unshown >"$WORK/reset.json"
jq_until=$(python3 -c 'import json,sys; j=json.load(open(sys.argv[1])); print(sorted(j), j["name"])' "$WORK/reset.json")
assert_eq "$jq_until" "['counter_until', 'from', 'id', 'name', 'seen', 'until'] unshown" 'what it prints'
sql "UPDATE lease SET agent_facts = replace(agent_facts, 'secret_reset 1', 'secret_reset 0') WHERE name = 'unshown'"
register "$enrol" unshown unshown
answered 401 'register long after a reset'
assert_eq "$(sql "SELECT count(*) FROM audit WHERE lease = 'unshown' AND action = 'agent_reset'")" 2 'both resets are in the audit'

note 'a refused request changes nothing; a valid one never makes the end earlier'
fwd_R "$WORK/victim" gw-tunnel "127.0.0.1:$port:127.0.0.1:22" || fail 'the tunnel'
victim_pid=$FWD_PID
register "$secret" victim victim ',"user":"li","host_keys":["no key"]'
answered 400 'an invalid host key'
assert_eq "$(row victim)" "$before" 'nothing changed'
sql "UPDATE lease SET expires_s = expires_s + 86400 WHERE name = 'victim'"
end=$(sql "SELECT expires_s FROM lease WHERE name = 'victim'")
register "$secret" victim victim ',"user":"li"'
answered 200 'register'
heartbeat "$secret" victim
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = 'victim'")" "$end" 'a longer end stays'
kill -0 "$victim_pid" || fail 'a request ended a session'

note 'ports: the same after a restart; moved away from a foreign listener, and back; never moved under a live tunnel'
restart_leased
register "$secret" victim victim ',"user":"li"'
assert_eq "$(field port_b) $(field port_changed_from)" "$port " 'a restart under a live tunnel'
kill -0 "$victim_pid" || fail 'a request ended a session'
fwd_stop "$victim_pid"
register "$secret" victim victim ',"user":"li"'
assert_eq "$(field port_b) $(field port_changed_from)" "$port " 'its own listener, just closed, is not a foreign one'
serve "$port"; squatter=${test_pids[-1]}
register "$secret" victim victim ',"user":"li","host_keys":["no key"]'
# The list of listeners may be a second old, or older on a busy machine.
moves_from() { register "$secret" victim victim ',"user":"li"'; moved=$(field port_b); [[ $moved != "$1" ]]; }
wait_for 10 'it is given another one' moves_from "$port"
[[ $moved != "$port" && $(field port_changed_from) == "$port" ]] || fail "$(cat "$WORK/answer")"
register "$secret" victim victim ',"user":"li"'
assert_eq "$(field port_b) $(field port_changed_from)" "$moved $port" 'still there: the same other one'
serve "$moved"; second=${test_pids[-1]}
wait_for 10 'it is given a third one' moves_from "$moved"
[[ $moved != "$port" && $(field port_changed_from) == "$port" ]] || fail "$(cat "$WORK/answer")"
ok 'a third one when something listens there as well'
kill "$second"
fwd_R "$WORK/victim" gw-tunnel "127.0.0.1:$moved:127.0.0.1:22" || fail 'the tunnel on the other port'
victim_pid=$FWD_PID
kill "$squatter"
wait_for 5 "it has gone" port_free "$port"
sleep "$(slow 1).1"
register "$secret" victim victim ',"user":"li"'
assert_eq "$(field port_b)" "$moved" 'its own port is free, but its tunnel is up'
sleep 0.3
kill -0 "$victim_pid" || fail 'a register ended the session'
fwd_stop "$victim_pid"
second_port=$moved
wait_for 10 'it is given its own again' moves_from "$moved"
assert_eq "$(field port_b) $(field port_changed_from)" "$port $second_port" 'it is back on its own port'

note 'its own port became another agent'\''s: no conflict for either'
serve "$port"; squatter=${test_pids[-1]}
wait_for 10 'it is given another one' moves_from "$port"
sql "UPDATE port SET freed_s = 1 WHERE port = $port"
kill "$squatter"
wait_for 5 "it has gone" port_free "$port"
restart_leased # it scans the listeners again
register "$enrol" other other ",\"port_b\":$port"
assert_eq "$(field port_b)" "$port" 'after its quarantine another agent may have it'
register "$secret" victim victim ',"user":"li"'
answered 200 'the former holder'
assert_eq "$(field port_b)" "$moved" 'stays where it is'

note 'agents that never connect are deleted after an hour, and their ports are free'
register "$enrol" late late ',"port_b":21000'
assert_eq "$(field port_b)" 21000 'the port it asks for'
sql "UPDATE lease SET created_s = created_s - 3700 WHERE name IN ('late', 'victim')"
restart_leased # which prunes after a second
gone() { [[ $(sql "SELECT count(*) FROM lease WHERE name = 'late'") == 0 ]]; }
wait_for 5 'late is deleted' gone
assert_eq "$(sql 'SELECT count(*) FROM port WHERE port = 21000')" 0 'its port has no quarantine'
assert_eq "$(sql "SELECT count(*) FROM audit WHERE lease = 'late' AND action = 'delete'")" 1 'the audit has it'
assert_eq "$(sql "SELECT count(*) FROM lease WHERE name = 'victim'")" 1 'one that has connected stays'
register "$enrol" third third ',"port_b":21000'
assert_eq "$(field port_b)" 21000 'another agent has the port'

note 'MaxPendingAgents'
pending=$(sql "SELECT count(*) FROM lease WHERE kind = 'agent' AND live = 1 AND last_login_s = 0")
conf "MaxPendingAgents $((pending + 2))"
reload
register "$enrol" pending1 pending1; answered 200 'the last but one'
p1=$(field port_b)
register "$enrol" pending2 pending2; answered 200 'the last'
register "$enrol" pending3 pending3; answered 429 'one too many'
register "$enrol" pending2 pending2; answered 200 'a known agent'
fwd_R "$WORK/pending1" gw-tunnel "127.0.0.1:$p1:127.0.0.1:22" || fail 'the tunnel of pending1'
is_taken() { register "$enrol" pending3 pending3; [[ $code == 200 ]]; }
wait_for 5 'one more may register' is_taken
answered 200 'as soon as one of them has connected'
fwd_stop
conf 'MaxPendingAgents 1000'
reload

note 'an end that an admin fixed'
leasectl --json agent add fixed --key "$WORK/fixed.pub" --for 1h >"$WORK/fixed.json"
token=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["token"])' "$WORK/fixed.json")
end=$(sql "SELECT expires_s FROM lease WHERE name = 'fixed'")
before=$(row fixed)
register "$enrol" fixed fixed ',"user":"mallory"'
answered 401 'the enrolment key does not speak for an agent that an admin added'
[[ $(field error) == *"'leasectl token create --name'" ]] || fail "the answer: $(cat "$WORK/answer")"
heartbeat "$enrol" fixed
answered 401 'its heartbeat'
assert_eq "$(row fixed)" "$before" 'nothing of it changed'
register "$token" fixed fixed
answered 200 'register'
fixed_secret=$(field agent_secret)
heartbeat "$fixed_secret" fixed
answered 200 'heartbeat'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = 'fixed'")" "$end" 'neither changes the end'
sql "UPDATE lease SET expires_s = 1000 WHERE name = 'fixed'"
heartbeat "$fixed_secret" fixed; answered 410 'heartbeat after it'
register "$fixed_secret" fixed fixed; answered 403 'register after it'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = 'fixed'")" 1000 'neither changed the end'
leasectl renew fixed >/dev/null
heartbeat "$fixed_secret" fixed; answered 200 'heartbeat after leasectl renew'

note 'an end that is not fixed'
sql "UPDATE lease SET expires_s = 1000 WHERE name = 'victim'"
heartbeat "$secret" victim; answered 410 'heartbeat after it'
register "$secret" victim victim; answered 200 'register renews it'
assert_eq "$(field port_b)" "$moved" 'with its port'

note 'quarantine, and the oldest first'
conf 'AllowListen 127.0.0.1:23000-23002'
reload
for name in fourth fifth pending4; do
	[[ -e $WORK/$name.pub ]] || new_key "$name" >/dev/null
	register "$enrol" "$name" "$name"
	answered 200 "$name has port $(field port_b)"
done
pending4=$(field agent_secret)
new_key full >/dev/null
register "$enrol" full full; answered 503 'all ports are taken'
assert_eq "$(field code)" no_ports 'the code says so'
leasectl revoke fourth >/dev/null; leasectl revoke fifth >/dev/null
fourth=$(sql "SELECT port FROM port WHERE holder = 'fourth'") fifth=$(sql "SELECT port FROM port WHERE holder = 'fifth'")
register "$enrol" full full; answered 503 'all ports are taken or in quarantine'
register "$enrol" full full ",\"port_b\":$fifth"; answered 503 'also when asked for by number'
now=$(date +%s)
sql "UPDATE port SET freed_s = $now - 8 * 86400 WHERE holder = 'fourth'; UPDATE port SET freed_s = $now - 9 * 86400 WHERE holder = 'fifth'"
((fourth < fifth)) || fail "the ports: $fourth, $fifth"
register "$enrol" full full; answered 200 'a port whose quarantine is over'
assert_eq "$(field port_b)" "$fifth" 'the one freed longest ago'

note 'an expired lease does not hold its port for ever'
port_row() { sql "SELECT holder || ' ' || (freed_s > $1) FROM port WHERE port = $port"; }
port=$(sql "SELECT port FROM port WHERE holder = 'pending4'") now=$(date +%s)
sql "UPDATE port SET freed_s = $now WHERE port = $fourth; UPDATE lease SET expires_s = $((now - 3500)) WHERE name = 'pending4'; UPDATE lease SET last_login_s = 1, expires_s = $((now - 3700)) WHERE name = 'other'"
held=$(sql "SELECT port FROM port WHERE holder = 'other'")
restart_leased
is_free() { [[ $(sql "SELECT freed_s >= $now FROM port WHERE port = $held") == 1 ]]; }
wait_for 5 'an hour after the end its port goes into quarantine' is_free
assert_eq "$(port_row 0)" 'pending4 0' 'before that the lease holds it'
sql "UPDATE lease SET last_login_s = 1 WHERE name = 'pending4'; UPDATE port SET freed_s = $now WHERE port = $port"
new_key fresh >/dev/null
register "$enrol" fresh fresh; answered 503 'the port is quarantined for its former holder'
heartbeat "$pending4" pending4; answered 410 'the former holder is told that it expired'
register "$pending4" pending4 pending4; answered 200 'and registers again'
assert_eq "$(field port_b) $(port_row 0)" "$port pending4 0" 'it has its port again'
sql "UPDATE lease SET expires_s = 1000 WHERE name = 'pending4'; UPDATE port SET freed_s = 2000 WHERE port = $port"
register "$enrol" fresh fresh; answered 200 'after the quarantine another agent gets the port'
assert_eq "$(field port_b)" "$port" 'it is the same port'
expect_exit 5 leasectl renew pending4
grep -q "port $port, which 'pending4' had until it ended, is that of 'fresh'" "$WORK/err" || fail "$(cat "$WORK/err")"
register "$pending4" pending4 pending4; answered 503 'no port is left for an agent that comes too late'
assert_eq "$(sql "SELECT expires_s FROM lease WHERE name = 'pending4'")" 1000 'its lease stays expired'
conf 'AllowListen 127.0.0.1:23000-23010'
reload
register "$pending4" pending4 pending4; answered 200 'it gets another port as soon as one is free'
assert_eq "$(field port_b) $(field port_changed_from)" "23003 $port" 'the answer says so'
assert_eq "$(sql "SELECT count(*) FROM port WHERE freed_s = 0 AND holder IN ('pending4', 'fresh')")" 2 'each port has one holder'

note 'wrong keys are limited for the one who tries them, and for nobody else'
codes=()
for _ in {1..14}; do register wrong-key victim victim; codes+=("$code"); done
[[ ${codes[0]} == 401 && ${codes[13]} == 429 ]] || fail "${codes[*]}"
heartbeat "$secret" victim; answered 200 'the victim is not locked out'
register "$enrol" new1 third; answered 409 'nor is the enrolment key'
register wrong-key someone-else victim; answered 401 'nor another agent with a wrong key'
register another-wrong-key victim victim; answered 401 'nor an agent with another wrong key'
heartbeat "$secret" victim; answered 200 'a valid secret is never refused'
