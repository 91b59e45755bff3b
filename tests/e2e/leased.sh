#!/bin/bash
# SPDX-License-Identifier: ISC
# The life of an agent: it registers, opens its port, is reached through it by a lease on another
# login, sends heartbeats, goes down, expires, is revoked.
# sandbox: --leased
# timeout: 180
set -eu
. "$TOP/tests/lib.sh"

api=http://127.0.0.1:12000/
enrol=an-enrolment-key-for-the-tests
# post CREDENTIAL JSON: the answer in $WORK/answer, its status in $code
post()
{
	code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $1" --data "$2" "$api")
}
answered() { # STATUS WHAT
	[[ $code == "$1" ]] || fail "$2: $code, not $1: $(cat "$WORK/answer")"
	ok "$2: $code $(head -c 100 "$WORK/answer")"
}
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/answer" "$1"; }
register() { # CREDENTIAL NAME KEY [MORE]
	post "$1" "{\"action\":\"register\",\"agent_id\":\"$2\",\"public_key\":\"$(cat "$WORK/$3.pub")\",\"user\":\"li\"${4-}}"
}
heartbeat() { post "$1" "{\"action\":\"heartbeat\",\"agent_id\":\"$2\"}"; }
tunnel_is() { heartbeat "$secret" db1; [[ $code == 200 && $(field tunnel) == "$1" ]]; }
gone() { ! kill -0 "$FWD_PID" 2>/dev/null; }
nothing_listens() { ! ss -Hltn "sport = :$1" | some_line .; }

new_key db1 >/dev/null
new_key other >/dev/null

note 'the environment wins over the files'
expect_exit 0 env LEASE_TTL_DAYS=3 SERVER_PORT=13000 leased -T
grep -qx 'DefaultTTL 259200s' "$WORK/out" || fail 'LEASE_TTL_DAYS'
grep -qx 'Listen 127.0.0.1:13000' "$WORK/out" || fail 'SERVER_PORT'
expect_exit 1 env API_KEY=change-me leased -t
grep -q 'change-me' "$WORK/err" || fail "$(cat "$WORK/err")"
expect_exit 0 leased -t

note 'register'
register wrong db1 db1
answered 401 'a wrong key'
register "$enrol" db1 db1
answered 200 'an enrolment key'
# The one-liner of ssh-tunnel-gateway, on the saved answer.
port=$(python3 -c "import json; print(json.load(open('$WORK/answer'))['port_b'])")
secret=$(field agent_secret)
[[ $(field ssh_user) == gw-tunnel && $(field lease_ttl_seconds) == 604800 ]] || fail "$(cat "$WORK/answer")"
register "$enrol" db1 db1
answered 200 'register again, after a lost answer'
assert_eq "$(field port_b)" "$port" 'the same port'
[[ $(field agent_secret) != "$secret" ]] || fail 'the same secret'
secret=$(field agent_secret)
register "$enrol" db1 other
answered 409 'the same agent_id with another key'
register "$enrol" db2 db1
answered 409 'another agent_id with the same key'

note 'the tunnel counts as up when the kernel and the registry say so'
serve 8022
heartbeat "$secret" db1
answered 200 heartbeat
assert_eq "$(field tunnel)" down 'no tunnel yet'
fwd_R "$WORK/db1" gw-tunnel "127.0.0.1:$port:127.0.0.1:22" || fail "$(tail -n 3 "$WORK/ssh.err")"
wait_for 5 'tunnel up' tunnel_is up
agent_pid=$FWD_PID

note 'an enrolment key no longer speaks for an agent that has used its secret'
register "$enrol" db1 db1
answered 401 'a stolen enrolment key and the public key of the victim'
post "$secret" "{\"action\":\"register\",\"agent_id\":\"db1\",\"public_key\":\"$(cat "$WORK/db1.pub")\",\"user\":\"li\"}"
answered 200 'its own secret'
assert_eq "$(field agent_secret)" "$secret" 'its secret stays the same'

note 'a friend jumps through the tunnel to the sshd behind it'
new_key friend >/dev/null
expect_exit 3 leasectl grant friend --key "$WORK/friend.pub" --open agent:nobody
expect_exit 0 leasectl grant friend --key "$WORK/friend.pub" --open agent:db1
assert_eq "$(leasectl --json show friend | python3 -c 'import json,sys; l=json.load(sys.stdin); print(l["open"], l["open_agents"])')" \
	"['127.0.0.1:$port'] ['db1']" 'show prints the port and the agent'
cat >"$WORK/config" <<-END
	Host gateway.test
	  IdentityFile $WORK/friend
	Host *
	  BatchMode yes
	  IdentitiesOnly yes
	  UserKnownHostsFile $WORK/known_hosts
	  StrictHostKeyChecking no
END
for line in "  ssh -J pfwd@gateway.test -p $port li@localhost" "logs in    on the host of agent 'db1' as li; for another user there, change that name"; do
	grep -qxF -- "$line" "$WORK/out" || fail "the friend is not told '$line': $(cat "$WORK/out")"
done
! grep -qE ' -L |http://' "$WORK/out" || fail "a -L or a URL for an sshd: $(cat "$WORK/out")"
grep -q "JumpUser is not set: the hint that agent 'db1' gets" "$WORK/err" || fail "no warning of the hint: $(cat "$WORK/err")"
assert_eq "$(leasectl --json list | python3 -c 'import json,sys; print([l["connect"] for l in json.load(sys.stdin) if l["name"] == "friend"][0])')" \
	"ssh -J pfwd@gateway.test -p $port li@localhost" 'the same in JSON'
jump() { ssh -F "$WORK/config" -i ~li/.ssh/id_ed25519 -J pfwd@gateway.test -p "$port" li@localhost 'id -un' 2>"$WORK/err"; }
out=$(jump) || fail "$(cat "$WORK/err")"
assert_eq "$out" li 'ssh -J to the host behind the agent'
expect_exit 0 leasectl set friend --open -agent:db1 --open +8022
! jump >/dev/null || fail 'jumps without the permit'
expect_exit 3 leasectl set friend --open -agent:db1
expect_exit 0 leasectl set friend --open +agent:db1
more=(); for i in {1..62}; do more+=(--open "+$((9000 + i))"); done
expect_exit 0 leasectl set friend --dry-run "${more[@]}"
expect_exit 2 leasectl set friend --dry-run "${more[@]}" --open +9063
grep -q 'each agent is one of them' "$WORK/err" || fail "$(cat "$WORK/err")"
jump >/dev/null || fail "$(cat "$WORK/err")"

note 'an agent that leads to a web server is forwarded, not jumped to'
new_key web >/dev/null
new_key both >/dev/null
register "$enrol" web web ',"target":"127.0.0.1:8022"'
answered 200 'an agent with another target'
web_port=$(field port_b)
expect_exit 0 leasectl grant both --key "$WORK/both.pub" --open agent:db1 --open agent:web
assert_eq "$(grep -c '^  ssh ' "$WORK/out") $(grep -cE "^  ssh -N .* -L $web_port:127.0.0.1:$web_port pfwd@" "$WORK/out") $(grep -c "^  ssh -J pfwd@gateway.test -p $port li@localhost" "$WORK/out")" \
	'2 1 1' 'one line for each'
grep -qx "then use   http://127.0.0.1:$web_port/" "$WORK/out" || fail "$(cat "$WORK/out")"
expect_exit 1 leasectl ssh-config web
grep -q "leads to no sshd" "$WORK/err" || fail "$(cat "$WORK/err")"
leasectl revoke both web >/dev/null

note 'a ceiling that leaves the agents out is shown, with the line that lets them in'
cp /etc/tunlease/tunlease.conf "$WORK/conf"
echo 'AllowOpen 127.0.0.1:8009' >>/etc/tunlease/tunlease.conf
new_key late >/dev/null
expect_exit 4 leasectl grant late --key "$WORK/late.pub" --open agent:db1
grep -qF "AllowOpen does not cover it (AllowOpen is 127.0.0.1:8009 in /etc/tunlease/tunlease.conf): add 'AllowOpen 127.0.0.1:20000-29999' there, then 'leasectl setup'" "$WORK/err" ||
	fail "$(cat "$WORK/err")"
sed "s/.*add '\\(AllowOpen [^']*\\)'.*/\\1/" "$WORK/err" >>/etc/tunlease/tunlease.conf
expect_exit 0 leasectl grant late --key "$WORK/late.pub" --open agent:db1
leasectl revoke late >/dev/null
echo 'AllowOpen pfwd 127.0.0.1:8009' >>/etc/tunlease/tunlease.conf
expect_exit 4 leasectl grant late --key "$WORK/late.pub" --open agent:db1
grep -qF "add 'AllowOpen pfwd 127.0.0.1:20000-29999' there" "$WORK/err" || fail "$(cat "$WORK/err")"
echo 'JumpUser li' >>"$WORK/conf"
cp "$WORK/conf" /etc/tunlease/tunlease.conf
expect_exit 0 leasectl grant late --key "$WORK/late.pub" --open agent:db1
[[ ! -s $WORK/err ]] || fail "a warning, though JumpUser is set: $(cat "$WORK/err")"
leasectl revoke late >/dev/null

note 'down within 5 s, although heartbeats go on'
fwd_stop "$agent_pid"
wait_for 5 'tunnel down' tunnel_is down

note 'leasectl sees it'
[[ $(leasectl agents | cut -f1-4) == "db1	$port	active	down" ]] || fail "$(leasectl agents)"
leasectl --json show db1 | python3 -c 'import json,sys; assert json.load(sys.stdin)["last_login_at"]' || fail 'no last login'

note 'leased ends a live session within a second of the end of its lease'
leasectl grant short --key "$WORK/other.pub" --open 8022 --for "$(slow 3)s" >/dev/null
start=${EPOCHREALTIME/./}
fwd_L "$WORK/other" pfwd 18022:127.0.0.1:8022 || fail 'the short lease'
assert_eq "$(fetch http://127.0.0.1:18022/)" 'hello from 8022' 'it carries data'
wait_for 10 'the end' gone
took_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
((took_ms > 1500)) || fail "ended after $took_ms ms"
wait_log 5 'leased.*ended login=pfwd lease=short reason=expired'
note "ended $took_ms ms after the grant of a lease of $(slow 3) s"

note 'leased acts on a change in the store whose author did not end the sessions'
fwd_R "$WORK/db1" gw-tunnel "127.0.0.1:$port:127.0.0.1:22" || fail 'the tunnel again'
sqlite3 /var/lib/tunlease/leases.db "BEGIN IMMEDIATE; UPDATE lease SET live = NULL, revoked_s = 1 WHERE name = 'db1';
	UPDATE key SET live = NULL WHERE lease_id = (SELECT id FROM lease WHERE name = 'db1'); COMMIT"
wait_for 2 'the end' gone
wait_for 2 'the port is free' nothing_listens "$port"
heartbeat "$secret" db1
answered 403 'revoked: heartbeat'
register "$enrol" db1 db1
answered 403 'revoked: register'
register "$secret" db1 db1
answered 403 'revoked: register with its own secret'
register "$enrol" db9 db1
answered 403 'revoked: its key under another name'

note 'tokens'
token=$(leasectl token create --name t1)
register "$token" t2 other
answered 401 'a token for another name'
register "$token" t1 other
answered 200 'a token for this name'
register "$token" t1 other
answered 200 'the same token again: no further use is counted'
[[ $(leasectl token list | cut -f2,3) == 't1	0' ]] || fail "$(leasectl token list)"
new_key added >/dev/null
leasectl --json agent add added --key "$WORK/added.pub" --port 20500 >"$WORK/added.json"
token=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["token"])' "$WORK/added.json")
register "$token" added added
answered 200 'an agent that an admin added'
assert_eq "$(field port_b)" 20500 'it gets the port that the admin chose'
added_secret=$(field agent_secret)

note 'keys made by leased, with IssueKeys'
post "$enrol" '{"action":"register","agent_id":"made"}'
answered 400 'no key by default'
echo 'IssueKeys yes' >>/etc/tunlease/tunlease.conf
kill -HUP "$(cat /run/leased.pid)"
wait_log 5 'leased.*configuration reloaded'
post wrong-key '{"action":"register","agent_id":"made"}'
answered 401 'no key for strangers'
for turn in 1 2; do
	post "$enrol" '{"action":"register","agent_id":"made"}'
	answered 200 "a key pair, $turn"
	rm -f "$WORK/made"
	(umask 077 && field private_key >"$WORK/made")
	[[ $(ssh-keygen -y -P "$enrol" -f "$WORK/made") == "$(field public_key)" ]] || fail 'the private key does not fit the public one'
	! ssh-keygen -y -P '' -f "$WORK/made" >/dev/null 2>&1 || fail 'it is not encrypted'
done
ssh-keygen -q -p -P "$enrol" -N '' -f "$WORK/made" >/dev/null
login_works "$WORK/made" gw-tunnel || fail 'a made key'
GATEWAY=::1 fwd_R "$WORK/made" gw-tunnel "127.0.0.1:$(field port_b):127.0.0.1:8022" || fail 'the tunnel of made'
wait_log 5 'tunnel up lease=made '
post "$enrol" '{"action":"register","agent_id":"made"}'
answered 401 'no new pair after its key has opened a session'
expect_exit 0 leasectl agent reset made
post "$enrol" '{"action":"register","agent_id":"made"}'
answered 200 'a new pair after a reset, while its tunnel is up'
wait_log 5 'register agent=made client=::1 '
fwd_stop
assert_eq "$(find /tmp -maxdepth 1 -name 'leased.*' | wc -l)" 0 'no copy is kept'
register "$enrol" db7 other ',"x":1'
answered 409 'a key of another lease'

note 'another program locks the store: 503, but sessions are still ended'
secret=$added_secret
new_key brief >/dev/null
leasectl grant brief --key "$WORK/brief.pub" --open 8022 --for "$(slow 4)s" >/dev/null
fwd_L "$WORK/brief" pfwd 18023:127.0.0.1:8022 || fail 'the brief lease'
mkfifo "$WORK/sql"
sqlite3 /var/lib/tunlease/leases.db <"$WORK/sql" >"$WORK/sql.out" & at_exit $!
exec {sql}>"$WORK/sql"
printf '%s\n' 'BEGIN IMMEDIATE;' '.print held' >&"$sql"
wait_for 5 'the lock' grep -q held "$WORK/sql.out"
heartbeat "$secret" added
answered 503 'after 5 s of a locked store'
wait_for 5 'the brief session to end' gone
echo 'ROLLBACK;' >&"$sql"
exec {sql}>&-
ready() { heartbeat "$secret" added; [[ $code == 200 ]]; }
wait_for 5 'answers again' ready

note 'http is killed: leased starts another; the engine is killed: tunnels stay up'
fwd_R "$WORK/added" gw-tunnel 127.0.0.1:20500:127.0.0.1:8022 || fail 'the tunnel of added'
pkill -KILL -f 'leased --http'
wait_for 5 'http again' ready
kill -KILL "$(cat /run/leased.pid)"
assert_eq "$(fetch http://127.0.0.1:20500/)" 'hello from 8022' 'the tunnel without a daemon'
