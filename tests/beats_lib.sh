# shellcheck shell=bash
# SPDX-License-Identifier: ISC
# beats_lib.sh: a gateway with so many heartbeats that they are not written to their leases at once;
# sourced after tests/lib.sh by tests in a sandbox of their own.
#
#   add_agents COUNT       adds agents to the store, before leased starts
#   name NUMBER            an agent's agent_id
#   beat [SECONDS]         sends heartbeats of the first $agents agents, as fast as they are answered; sets $answered to their number
#   one_beat NUMBER        sends one heartbeat of one agent; prints the status
#   pending                the number of heartbeats that are not yet in their leases
#   none_pending           true if there are none
#   start [VARIABLE=VALUE...]    starts leased; sets $daemon
#   stop SIGNAL
#   sql STATEMENTS

agents=0 answered=0
enrol=an-enrolment-key-for-the-tests
store=/var/lib/tunlease/leases.db
# shellcheck disable=SC2034 # for the tests
flush_s=10 # BEATS_FLUSH_MS
as_owner() { setpriv --reuid=_tunlease --regid=_tunlease --clear-groups "$@"; }
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
name() { printf '%08d-7c1f-4b6a-9d2e-3f5a8b0c1d2e' "$1"; }
pending() { sql 'SELECT count(*) FROM beat'; }
none_pending() { [[ $(pending) == 0 ]]; }

add_agents()
{
	agents=$1
	echo 'AllowListen 127.0.0.1:23000-23999' >>/etc/tunlease/tunlease.conf
	echo "API_KEY=$enrol" >/etc/tunlease/leased.env
	chown _tunlease:root /etc/tunlease/leased.env
	chmod 0400 /etc/tunlease/leased.env
	as_owner "$TOP/build/tests/fill" --agents 23000 "$store" "$agents" gw-tunnel >/dev/null
	agent_request "$enrol" >"$WORK/heartbeat.http"
}
# shellcheck disable=SC2120
beat()
{
	local line; line=$("$TOP/build/tests/load" 12000 16 "${1-1}" "$WORK/heartbeat.http" "$agents")
	[[ ${line##* } == 0 ]] || fail "answers that were not 200: $line"
	# shellcheck disable=SC2034
	answered=$(cut -d' ' -f6 <<<"$line")
}
one_beat()
{
	curl -s -o /dev/null -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' -H "X-API-Key: $enrol" \
		--data "{\"action\":\"heartbeat\",\"agent_id\":\"$(name "$1")\"}" http://127.0.0.1:12000/
}
# shellcheck disable=SC2120
start()
{
	healthy() { fetch -f -o /dev/null http://127.0.0.1:12000/healthz; }
	env "$@" leased -D </dev/null >>"$WORK/leased.log" 2>&1 & daemon=$!
	at_exit "$daemon"
	wait_for 5 "leased answers: $(cat "$WORK/leased.log")" healthy
}
stop() { kill "-$1" "$daemon"; wait "$daemon" 2>/dev/null || :; }
