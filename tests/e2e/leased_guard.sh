#!/bin/bash
# SPDX-License-Identifier: ISC
# What leased withstands from others on the machine or in front of it: a log that nobody reads, a file
# where its socket should be, an ssh-keygen that hangs, keys that others can read, thousands of scrapes
# and guesses, and a proxy's headers on a listener that is not for a proxy.
# sandbox: --bare
# timeout: 150
set -eu
. "$TOP/tests/lib.sh"

enrol=an-enrolment-key-for-the-tests
conf=/etc/tunlease/tunlease.conf env_file=/etc/tunlease/leased.env
log=$WORK/leased.log
: >"$log"
api=http://127.0.0.1:12000/
cp "$conf" "$WORK/conf"
systemd-sysusers >/dev/null 2>&1 || :
id -u _tunlease >/dev/null || fail 'no user _tunlease'
reset() { { cat "$WORK/conf"; for _; do echo "$_"; done; } >"$conf"; }
install -o _tunlease -g root -m 0400 /dev/null "$env_file"
echo "API_KEY=$enrol" >"$env_file"
up() { curl -s -o /dev/null --max-time "$(slow 1)" "${1-${api}healthz}"; }
said() { grep -E -q -e "$1" "$log"; }
start() { : >"$log"; "$@" leased -D </dev/null >>"$log" 2>&1 & daemon=$!; at_exit "$daemon"; }
running() { wait_for 10 "leased answers: $(cat "$log")" up; }
stop() { local rc=0; kill -TERM "$daemon"; wait "$daemon" || rc=$?; assert_eq "$rc" 0 'SIGTERM: exit 0'; }
metric() { curl -s -H "X-API-Key: $enrol" "${api}metrics" | sed -n "s/^tunlease_$1 //p"; }

# ask COUNT CREDENTIAL [NAME]: sends COUNT heartbeats one after the other, but stops at the first 5xx;
# prints each status once.
cat >"$WORK/ask.py" <<'E'
import http.client, json, sys
c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=10)
seen = set()
for i in range(int(sys.argv[1])):
    c.request("POST", "/", json.dumps({"action": "heartbeat", "agent_id": sys.argv[3]}),
              {"Content-Type": "application/json", "X-API-Key": sys.argv[2]})
    answer = c.getresponse()
    answer.read()
    seen.add(answer.status)
    if answer.status >= 500:
        break
print(*sorted(seen))
E
ask() { python3 "$WORK/ask.py" "$1" "$2" "${3-a}"; }
key=$(new_key a)
register() { # CREDENTIAL NAME
	curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' -H "X-API-Key: $1" \
		--data "{\"action\":\"register\",\"agent_id\":\"$2\",\"public_key\":\"$(cat "$key.pub")\"}" "$api"
}

note 'the log is a pipe that nobody reads'
mkfifo "$WORK/pipe"
exec 7<>"$WORK/pipe"
leased -D -v </dev/null >/dev/null 2>&7 & daemon=$!
at_exit "$daemon"
running
assert_eq "$(register "$enrol" a)" 200 'an agent registers'
assert_eq "$(ask 3000 "$enrol")" 200 'its heartbeats are answered'
lost=$(metric log_lines_lost_total)
((lost > 100)) || fail "$lost lines are said to be lost"
cat <&7 >"$log" & reader=$!
at_exit "$reader"
wait_for 5 "the log says how many lines were lost: $(tail -3 "$log")" said "leased: $lost lines of this log were lost"
got=$(grep -c '^leased: heartbeat agent=a ' "$log")
((got + lost >= 3000 && got + lost < 3010)) || fail "$got lines came, $lost were lost"
stop
wait_for 2 'the last line' said 'stopping: signal 15'
kill "$reader"
exec 7>&-

note 'a syslog daemon that is stopped'
leased -v </dev/null >/dev/null 2>&1 & daemon=$!
at_exit "$daemon"
running
expect_exit 0 leasectl login add pfwd
expect_exit 0 leasectl grant gone --key "$(new_key gone).pub" --open 8009
expect_exit 0 leasectl revoke gone
read -r type blob _ <"$WORK/gone.pub"
sink=$(pgrep -x logsink)
: >"$SANDBOX_LOG"
kill -STOP "$sink"
assert_eq "$(ask 3000 "$enrol")" 200 'heartbeats are answered'
# A known key without a lease is a line of akc's.
begun=${EPOCHREALTIME/./}
expect_exit 0 timeout "$(slow 5)" /usr/libexec/tunlease/akc pfwd "$type" "$blob"
((${EPOCHREALTIME/./} - begun < 2000000)) || fail 'akc waits for its log'
assert_eq "$(cat "$WORK/out")" '' 'akc refuses all the same'
kill -CONT "$sink"
wait_log 5 'leased.*: [0-9]+ lines of this log were lost'
expect_exit 0 /usr/libexec/tunlease/akc pfwd "$type" "$blob"
wait_log 2 'akc.*: refused login=pfwd .*lease=gone'
stop

note 'something else where a unix socket should be'
reset "Listen 127.0.0.1:12000" "Listen unix:$WORK/there"
echo precious >"$WORK/there"
refused() { # WHY
	local rc=0
	: >"$log"
	timeout "$(slow 10)" leased -D >"$log" 2>&1 </dev/null || rc=$?
	assert_eq "$rc" 1 "leased does not start: $1"
	said "cannot listen on 'unix:$WORK/there': .*$1" || fail "$(cat "$log")"
}
refused 'which is not a socket'
assert_eq "$(cat "$WORK/there")" precious 'a file stays'
rm "$WORK/there"
ln -s "$WORK/precious" "$WORK/there"
refused 'which is not a socket'
rm "$WORK/there"
python3 -c 'import signal, socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); signal.pause()' "$WORK/there" &
other=$!
at_exit "$other"
listens() { curl -s -o /dev/null --max-time 0.2 --unix-socket "$WORK/there" http://x/; [[ $? == 28 ]]; }
wait_for 5 'another program listens there' listens
refused 'another program'
wait_for 1 'the other program keeps its socket' listens
kill "$other"
wait "$other" || :
start env
running
assert_eq "$(fetch --unix-socket "$WORK/there" http://x/healthz)" ok 'the socket of a dead program is replaced'

note 'SIGHUP with another Listen'
reset "Listen 127.0.0.1:12001" "Listen unix:$WORK/there" 'HeartbeatInterval 7s'
kill -HUP "$daemon"
wait_for 5 'the log says why it is refused' said 'nothing of the configuration was reloaded: Listen has changed'
register "$enrol" a >/dev/null
grep -q '"control_port":12000' "$WORK/answer" || fail "half of it is in force: $(cat "$WORK/answer")"
grep -q '"heartbeat_interval_seconds":60' "$WORK/answer" || fail "half of it is in force: $(cat "$WORK/answer")"
ok 'the whole file is refused'
reset "Listen 127.0.0.1:12000" "Listen unix:$WORK/there" 'HeartbeatInterval 7s'
kill -HUP "$daemon"
wait_for 5 'other keywords are reloaded' said 'configuration reloaded'
stop

note 'ssh-keygen hangs'
reset 'IssueKeys yes'
printf '#!/bin/sh\nsleep 300 & echo $! >>/tmp/hung; exec sleep 300\n' >"$WORK/keygen"
chmod 0755 "$WORK/keygen"
install -m 0666 /dev/null /tmp/hung
mount --bind "$WORK/keygen" /usr/bin/ssh-keygen
start env
running
keyless() { # NAME FILE
	curl -s -o "$WORK/$2" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' -H "X-API-Key: $enrol" \
		--data "{\"action\":\"register\",\"agent_id\":\"$1\"}" "$api"
}
keyless k1 answer.1 >"$WORK/code.1" & waiting=($!)
keyless k2 answer.2 >"$WORK/code.2" & waiting+=($!)
two_hang() { (($(wc -l </tmp/hung) == 2)); }
wait_for 3 'two hang' two_hang
assert_eq "$(keyless k3 answer)" 429 'a third register is told to wait'
wait "${waiting[@]}"
assert_eq "$(cat "$WORK/code.1") $(cat "$WORK/code.2")" '503 503' 'the two get no key'
said 'ssh-keygen took longer than 4 s' || fail "$(cat "$log")"
while read -r pid; do wait_for 2 'its child ends with it' is_gone "$pid"; done </tmp/hung
: >/tmp/hung
keyless k4 answer.4 >"$WORK/code.4" & waiting=($!)
one_hangs() { (($(wc -l </tmp/hung) == 1)); }
wait_for 3 'another hangs' one_hangs
stop
wait_for 2 'it ends with leased' is_gone "$(cat /tmp/hung)"
wait "${waiting[@]}" || :
assert_eq "$(ls -d /tmp/leased.* 2>/dev/null)" '' 'no key is left'
umount /usr/bin/ssh-keygen
start env
running
assert_eq "$(keyless k1 answer)" 200 'an ssh-keygen that does not hang makes a key'
grep -q '"private_key":"-----BEGIN OPENSSH' "$WORK/answer" || fail "$(cat "$WORK/answer")"
stop

note 'keys in the environment'
reset
: >"$env_file"
start env API_KEY="$enrol" API_KEYS=another-key-for-the-tests,a-third-key-for-the-tests OTHER_SECRET=s3cret
running
for pid in "$daemon" "$(pgrep -P "$daemon")"; do
	! grep -q -a -e key-for-the-tests "/proc/$pid/environ" || fail "a key is in the environment of $(tr '\0' ' ' <"/proc/$pid/cmdline")"
done
! grep -q -a s3cret "/proc/$(pgrep -P "$daemon")/environ" || fail 'http has the whole environment'
ok 'are in the environment of no process'
kill -HUP "$daemon"
wait_for 5 'SIGHUP' said 'configuration reloaded'
for credential in "$enrol" another-key-for-the-tests a-third-key-for-the-tests; do
	assert_eq "$(register "$credential" a)" 200 'and work, after a reload too'
done
stop
echo "API_KEY=$enrol" >"$env_file"

note 'files with keys that others can read'
: >/etc/ssh/sshd_config.d/20-tunlease.conf # without setup doctor would say just that
group=$(id -gn _tunlease-akc)
keys=/etc/tunlease/keys
install -o _tunlease -g root -m 0400 "$env_file" "$keys"
echo another-key-for-the-tests >"$keys"
reset "ApiKeyFile $keys"
for file in "$env_file" "$keys"; do
	for mode in '0404 root everybody' "0440 $group akc"; do
		read -r mode owner who <<<"$mode"
		chgrp "$owner" "$file"
		chmod "$mode" "$file"
		expect_exit 1 leased -t
		grep -q "$file.* can be read by .*$who.*chmod 0400" "$WORK/err" || fail "leased -t: $(cat "$WORK/err")"
		expect_exit 1 timeout 5 leased -D
		leasectl doctor >"$WORK/doctor" 2>"$WORK/err" || :
		grep -q "^FAIL.key file.'$file' can be read by .*$who" "$WORK/doctor" || fail "doctor: $(cat "$WORK/doctor")"
		expect_exit 0 leasectl list
		[[ $file == "$keys" ]] || grep -q "warning.*$file.* can be read by .*$who" "$WORK/err" || fail "leasectl: $(cat "$WORK/err")"
		chgrp root "$file"
		chmod 0400 "$file"
		ok "$file, mode $mode, group $owner"
	done
done
chmod 0440 "$keys"
expect_exit 0 leased -t
chmod 0400 "$keys"
leasectl doctor >"$WORK/doctor" 2>&1 || :
assert_eq "$(grep -c '^ok.key file' "$WORK/doctor")" 2 'private key files'
start env
running
chmod 0404 "$keys"
kill -HUP "$daemon"
wait_for 5 'SIGHUP' said 'was not reloaded: ApiKeyFile .* can be read by everybody'
chmod 0400 "$keys"
stop

note 'a thousand scrapes'
reset 'MetricsListen 127.0.0.1:12003'
start env
running
cat >"$WORK/scrape.py" <<'E'
import http.client, os, sys, time
ticks = lambda: sum(map(int, open(f"/proc/{sys.argv[1]}/stat").read().rsplit(")", 1)[1].split()[11:13]))
c = http.client.HTTPConnection("127.0.0.1", 12003, timeout=10)
seen, before, since = set(), ticks(), time.monotonic()
for i in range(1000):
    c.request("GET", "/metrics")
    seen.add(c.getresponse().read())
took = time.monotonic() - since
print(f"# {len(seen)} reports in {took:.2f} s, {(ticks() - before) * 1000 / os.sysconf('SC_CLK_TCK'):.0f} ms of the engine's CPU")
sys.exit(not 1 <= len(seen) <= took + 1)
E
python3 "$WORK/scrape.py" "$daemon" || fail 'a report was made for each request'
stop

note 'strangers on loopback'
reset
start env
running
cat >"$WORK/guess.py" <<'E'
import collections, http.client, json
c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=10)
seen = collections.Counter()
for i in range(3000):
    c.request("POST", "/", json.dumps({"action": "heartbeat", "agent_id": f"agent-{i}"}),
              {"Content-Type": "application/json", "X-API-Key": f"guess-{i}"})
    answer = c.getresponse()
    answer.read()
    seen[answer.status] += 1
print(*(f"{status}:{n}" for status, n in sorted(seen.items())))
E
assert_eq "$(python3 "$WORK/guess.py")" '401:100 429:2900' '3,000 wrong keys'
assert_eq "$(register "$enrol" a)" 200 'a good one is never refused'
assert_eq "$(ask 1 "$enrol")" 200 'nor its heartbeat'
refusals() { grep -c '^leased: refused action=heartbeat .*client=127.0.0.1 ' "$log" || :; }
(($(refusals) <= 40)) || fail "$(refusals) lines"
# What http itself refuses: an unknown path, a body that is not JSON.
python3 - <<'E'
import http.client
c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=10)
for i in range(500):
    c.request("GET", "/wp-login.php")
    c.getresponse().read()
c.request("POST", "/", "{", {"Content-Type": "application/json"})
assert c.getresponse().status == 400
E
wait_for 3 'http reported them' said '^leased: refused action=http agent= client=127.0.0.1 request=0 code=not_found: there is nothing at this path'
counted() { [[ $(metric 'http_requests_total{action="http",code="not_found"}') == 500 ]]; }
wait_for 5 "all are counted: $(metric 'http_requests_total{action="http",code="not_found"}')" counted
stop
said '^leased: refused 80 more action=heartbeat client=127.0.0.1 code=unauthorized in ' || fail "$(grep more "$log")"
said '^leased: refused 2880 more action=heartbeat client=127.0.0.1 code=rate_limited in .*; the last agent=agent-2999' || fail "$(grep more "$log")"
said '^leased: refused [0-9]+ more action=http client=127.0.0.1 code=not_found in ' || fail "$(grep more "$log")"
ok 'the sums are logged'

note 'behind a proxy'
proxied=/run/proxied.sock group=nogroup
reset 'Listen 127.0.0.1:12000' "Listen unix:$proxied proxy $group" 'ProxyHeader X-Real-IP' 'MetricsListen 127.0.0.1:12003'
start env
running
assert_eq "$(stat -c '%a %G' "$proxied")" "660 $group" 'the socket is for its group alone'
! setpriv --reuid=65533 --regid=65533 --clear-groups curl -s -o /dev/null --max-time 2 --unix-socket "$proxied" http://x/healthz ||
	fail 'anybody can connect, and claim any address'
ask_as() { # HEADER... : a wrong key; its status
	local header headers=()
	for header; do headers+=(-H "$header"); done
	curl -s -o "$WORK/answer" -w '%{http_code}' --max-time 5 --unix-socket "$proxied" -H 'X-API-Key: wrong' \
		-H 'Content-Type: application/json' "${headers[@]}" --data '{"action":"heartbeat","agent_id":"p"}' http://x/
}
none() { assert_eq "$(ask_as "${@:2}")" 400 "$1"; }
none 'no header'
none 'no address' 'X-Real-IP: unknown'
none 'a port' 'X-Real-IP: 192.0.2.1:80'
none 'a zone' 'X-Real-IP: fe80::1%eth0'
none 'brackets' 'X-Real-IP: [2001:db8::1]'
none 'two' 'X-Real-IP: 192.0.2.1, 192.0.2.2'
none 'twice' 'X-Real-IP: 192.0.2.1' 'X-Real-IP: 192.0.2.1'
none 'the other header' 'X-Forwarded-For: 192.0.2.1'
none 'a socket path' 'X-Real-IP: unix:'
for i in {1..11}; do code=$(ask_as 'X-Real-IP: 192.0.2.9' 'X-Forwarded-For: 192.0.2.66'); done
assert_eq "$code" 429 'one address is limited'
assert_eq "$(ask_as 'X-Real-IP: 2001:DB8:0:0::9')" 401 'another is not'
assert_eq "$(ask_as 'X-Real-IP: ::ffff:192.0.2.10')" 401 'an IPv4 address in IPv6 form'
assert_eq "$(curl -s --unix-socket "$proxied" -H 'X-Real-IP: 192.0.2.9' http://x/healthz)" ok 'healthz'
for client in 192.0.2.9 2001:db8::9 192.0.2.10; do
	wait_for 2 "the log has $client" said "refused action=heartbeat agent=p client=$client "
done
code=$(curl -s -o /dev/null -w '%{http_code}' -H 'X-Real-IP: 192.0.2.77' -H 'X-API-Key: wrong' --max-time 5 \
	-H 'Content-Type: application/json' --data '{"action":"heartbeat","agent_id":"p"}' "$api")
assert_eq "$code" 401 'the header on the port of the agents'
! said 'client=192.0.2.77' || fail 'the header is believed there'
ok 'the header is ignored there'
# One connection, two clients: the second request must not get the address of the first.
python3 - "$proxied" <<'E'
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\nX-Real-IP: 192.0.2.21\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n")
text = b""
while text.count(b"HTTP/1.1 ") < 2 or not text.endswith(b"}"):
    text += s.recv(4096)
assert b"HTTP/1.1 404 " in text and b"HTTP/1.1 400 " in text, text
E
wait_for 3 'what http refused has its address' said 'refused action=http agent= client=192.0.2.21 .*code=not_found'
reset 'Listen 127.0.0.1:12000' "Listen unix:$proxied proxy $group" 'ProxyHeader X-Forwarded-For' 'MetricsListen 127.0.0.1:12003'
kill -HUP "$daemon"
wait_for 5 'another header takes a restart' said 'nothing of the configuration was reloaded: ProxyHeader'
stop
start env
running
assert_eq "$(ask_as 'X-Forwarded-For: 198.51.100.66, 198.51.100.1')" 401 'X-Forwarded-For'
assert_eq "$(ask_as 'X-Forwarded-For: 198.51.100.66' 'X-Forwarded-For:198.51.100.2')" 401 'in two lines'
none 'an empty last one' 'X-Forwarded-For: 198.51.100.66,'
for client in 198.51.100.1 198.51.100.2; do
	wait_for 2 "the last address: $client" said "refused action=heartbeat agent=p client=$client "
done
! said 'client=198.51.100.66' || fail 'an address that the client wrote is believed'
stop
reset "Listen unix:$proxied proxy no-such-group" 'ProxyHeader X-Real-IP'
expect_exit 1 leased -t
grep -q 'no such group' "$WORK/err" || fail "$(cat "$WORK/err")"
if type -P systemd-socket-activate >/dev/null; then
	reset "Listen unix:$proxied proxy $group" 'ProxyHeader X-Real-IP'
	rm -f "$proxied"
	(umask 0 && exec systemd-socket-activate -l "$proxied" "$(type -P leased)" -D </dev/null >"$log" 2>&1) & daemon=$!
	at_exit "$daemon"
	wait_for 5 'a socket from systemd' test -S "$proxied"
	curl -s -o /dev/null --max-time 3 --unix-socket "$proxied" http://x/healthz || :
	wait_for 5 'a socket that others can connect to is refused' said 'others than the group .* can connect to the socket .*: set SocketMode=0660'
	kill "$daemon" 2>/dev/null || :
fi
reset

note 'doctor: who can listen while leased is down'
port_says() { leasectl doctor 2>/dev/null | sed -n 's/^\([a-zA-Z]*\).control port.\(.*\)/\1 \2/p'; }
reset 'Listen 127.0.0.1:12000' 'Listen 127.0.0.1:81' 'Listen unix:/run/x.sock'
[[ $(port_says) == 'warning while leased is down any user can listen on 127.0.0.1:12000'*$'\nok 127.0.0.1:81 is below 1024'* ]] ||
	fail "doctor: $(port_says)"
echo 80 >/proc/sys/net/ipv4/ip_unprivileged_port_start
[[ $(port_says | grep -c ^warning) == 2 ]] || fail "the host lets anybody listen on 81: $(port_says)"
echo 1024 >/proc/sys/net/ipv4/ip_unprivileged_port_start
reset 'Listen unix:/run/x.sock'
assert_eq "$(port_says)" '' 'no port'
