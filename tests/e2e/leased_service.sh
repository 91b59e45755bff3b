#!/bin/bash
# SPDX-License-Identifier: ISC
# leased as a service: checking, printing and reloading its configuration, notifications to systemd, a
# container that refuses landlock, pauses between restarts, sockets from systemd, a second leased on the
# same store, SIGTERM, and agents that listen on all addresses.
# sandbox:
# timeout: 120
set -eu
. "$TOP/tests/lib.sh"

enrol=an-enrolment-key-for-the-tests
conf=/etc/tunlease/tunlease.conf
log=$WORK/leased.log
cp "$conf" "$WORK/conf"
reset() { { cat "$WORK/conf"; for _; do echo "$_"; done; } >"$conf"; printf 'API_KEY=%s\n' "$enrol" >/etc/tunlease/leased.env; chown _tunlease: /etc/tunlease/leased.env; chmod 0400 /etc/tunlease/leased.env; }
checks() { # EXIT PATTERN WHAT
	local rc=0
	leased -t >"$WORK/out" 2>&1 || rc=$?
	{ [[ $rc == "$1" ]] && grep -E -q -e "$2" <<<"$(cat "$WORK/out")"; } || fail "$3: exit $rc: $(cat "$WORK/out")"
	ok "leased -t: $3"
}
start() { : >"$log"; "$@" leased -D </dev/null >>"$log" 2>&1 & daemon=$!; at_exit "$daemon"; wait_for 5 "leased answers: $(tail -n 2 "$log")" up; }
up() { curl -s -o /dev/null --max-time "$(slow 1)" http://127.0.0.1:12000/healthz; }
ended() { ! kill -0 "$daemon" 2>/dev/null; }
stop() { local rc=0; kill -TERM "$daemon"; wait_for 5 'the end' ended; wait "$daemon" || rc=$?; assert_eq "$rc" 0 'SIGTERM: exit 0'; }
post() { curl -s --max-time "$(slow 5)" -H 'Content-Type: application/json' -H "Authorization: Bearer $enrol" --data "$1" http://127.0.0.1:12000/ >"$WORK/answer"; }
register() { post "{\"action\":\"register\",\"agent_id\":\"$1\",\"public_key\":\"$(cat "$WORK/$1.pub")\"}"; }
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$WORK/answer" "$1"; }
said() { grep -E -q -e "$1" "$log"; }
new_key a >/dev/null

note 'leased -t and -T'
reset; checks 0 '' 'a good configuration'
echo 'API_KEY=change-me' >/etc/tunlease/leased.env; checks 1 'change-me.*openssl rand' 'change-me'
echo 'API_KEY=short' >/etc/tunlease/leased.env; checks 0 'fewer than 20' 'a short key is warned of'
reset 'ApiKeyFile /etc/tunlease/keys'; checks 1 "'/etc/tunlease/keys': No such file" 'a missing ApiKeyFile'
printf '# ours\n%s-2\n' "$enrol" >/etc/tunlease/keys
chmod 0644 /etc/tunlease/keys; checks 1 'can be read by everybody' 'a key file that everybody can read'
chmod 0420 /etc/tunlease/keys; checks 1 'only its owner may write' 'a key file that its group can write'
chmod 0400 /etc/tunlease/keys; checks 0 '' 'a private key file'
printf 'change-me\n' >/etc/tunlease/keys; checks 1 'change-me' 'change-me in a key file'
ln -sf keys /etc/tunlease/link; reset 'ApiKeyFile /etc/tunlease/link'; checks 1 link 'a key file that is a symbolic link'
reset 'PublicHosst x'; checks 1 'tunlease.conf:[0-9]+: ' 'an unknown keyword, with its line'
reset 'AgentBindHost 0.0.0.0'; checks 1 'AgentBindHost.*AllowListen|AllowListen.*AgentBindHost' 'AgentBindHost outside AllowListen'
assert_eq "$(wc -l <"$WORK/out")" 1 'in one line'
reset 'Listen 0.0.0.0:12000'; checks 1 'AllowPlainHTTP' 'plain HTTP on all addresses'
reset 'PublicHost gw.example.com' 'AllowOpen 127.0.0.1:8000-8010' 'AllowOpen pfwd 127.0.0.1:8009-9000' 'AllowListen 0.0.0.0:21000-21010' \
	'AgentBindHost 0.0.0.0' 'Listen 127.0.0.1:12000' 'Listen unix:/run/leased.sock' 'MetricsListen 127.0.0.1:12001' 'DefaultOpen 127.0.0.1:8009' \
	'MaxTTL none' 'DefaultTTL 1d12h' 'Contact Ask li # or not' 'JumpUser li' 'Sshd /usr/sbin/sshd' 'SessionRefusal silent' 'IssueKeys yes' 'MaxPendingAgents 7'
leased -T >"$WORK/T1"
cp "$WORK/T1" "$conf"
leased -T >"$WORK/T2" || fail 'leased does not accept what -T prints'
cmp "$WORK/T1" "$WORK/T2" || fail "$(diff "$WORK/T1" "$WORK/T2")"
! grep -q "$enrol" "$WORK/T1" || fail '-T prints a key'
ok "leased -T: its $(wc -l <"$WORK/T1") lines, as a file, print the same again"

note 'leased --http, typed by somebody'
for args in '' '3 4 -' '3 4 -Du 5' '3 4 u 5' '3 4 -ux 5' '3 x - 5' '+3 4 - 5' '3 4 - 5x' '3 4 - 5rm' '3 4 - 5rf' '3 4 - 5mj' '3 4 - m' '3 4 - 99999999999' \
	'3 4 - 5 6 7 8 9 10 11 12 13 14 15'; do
	# shellcheck disable=SC2086 # words
	expect_exit 2 leased --http $args
	grep -q '^leased: --http is for leased itself' "$WORK/err" || fail "--http $args: $(cat "$WORK/err")"
done
ok 'exit 2, in one line'

note 'reload'
reset
start env
register a
assert_eq "$(field ssh_host) $(field lease_ttl_seconds)" 'gateway.test 604800' 'before the reload'
reset 'PublicHost other.example.com' 'DefaultTTL 14d' 'HeartbeatInterval 30s'
kill -HUP "$daemon"; wait_for 5 'the reload' said 'configuration reloaded'
register a
assert_eq "$(field ssh_host) $(field lease_ttl_seconds) $(field heartbeat_interval_seconds)" 'other.example.com 1209600 30' 'the next answer has the new values'
printf 'API_KEYS=short\n' >>/etc/tunlease/leased.env
kill -HUP "$daemon"; wait_for 5 'the warning of a reload' said 'fewer than 20'
mkdir "$WORK/pubs"; mv /etc/ssh/ssh_host_*.pub "$WORK/pubs"
kill -HUP "$daemon"; wait_for 5 'a warning that there is no host key' said "no '.*ssh_host_.*' can be read"
mv "$WORK"/pubs/* /etc/ssh
reset 'PublicHost third.example.com' 'Nonsense yes'
kill -HUP "$daemon"; wait_for 5 'the refusal of a bad file' said "not reloaded: .*tunlease.conf:[0-9]+"
register a
assert_eq "$(field ssh_host)" other.example.com 'a bad file changes nothing'
reset 'PublicHost fourth.example.com' 'ApiKeyFile /nowhere'
kill -HUP "$daemon"; wait_for 5 'the refusal of a missing key file' said 'not reloaded: .*/nowhere'
register a
assert_eq "$(field ssh_host)" other.example.com 'nor does a missing key file'
reset 'Listen 127.0.0.1:12009'
kill -HUP "$daemon"; wait_for 5 'the refusal of another Listen' said 'nothing of the configuration was reloaded: Listen has changed.*first give leased.socket .*restart leased'
up || fail 'gone'

note 'a second leased on the same store'
reset 'Listen 127.0.0.1:12077'
expect_exit 1 leased -D
grep -q 'another leased runs on this store' "$WORK/err" || fail "$(cat "$WORK/err")"
stop
no_http() { ! pgrep -f 'leased --http' >/dev/null; }
no_http || wait_for 2 'its http process to end' no_http
reset 'Listen unix:/run/leased.sock'
# leasectl acquires a shared lock for an instant to see whether leased runs: that is not another leased.
flock -s /var/lib/tunlease/leases.db-leased -c "touch '$WORK/held'; sleep 0.1" & locker=$!
wait_for 2 'the shared lock' test -e "$WORK/held"
leased -D </dev/null >"$log" 2>&1 & daemon=$!
at_exit "$daemon"
unix_up() { curl -s -o /dev/null --max-time "$(slow 1)" --unix-socket /run/leased.sock http://x/healthz; }
wait_for 5 "it answers on a unix socket: $(cat "$log")" unix_up
wait "$locker"
expect_exit 1 leased -D
unix_up || fail 'the second one took the first one'\''s socket away'
ok 'the first one keeps its socket'
stop

note 'notifications'
cat >"$WORK/notify.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
END
reset
python3 "$WORK/notify.py" "$WORK/notify" >"$WORK/notes" & at_exit $!
wait_for 5 'the socket for notifications' test -S "$WORK/notify"
chmod 0711 "$WORK"; chmod 0777 "$WORK/notify"
noted() { grep -E -q -e "$1" "$WORK/notes"; }
watched() { (($(grep -c 'WATCHDOG=1' "$WORK/notes") >= 4)); }
start env NOTIFY_SOCKET="$WORK/notify" WATCHDOG_USEC=1500000
wait_for 5 READY noted '^READY=1'
wait_for 5 STATUS noted 'STATUS=[0-9]+ live sessions'
wait_for 5 'WATCHDOG at a third of its time' watched
kill -HUP "$daemon"
wait_for 5 RELOADING noted '^RELOADING=1 MONOTONIC_USEC=[0-9]+'
again() { sed '1,/RELOADING/d' "$WORK/notes" | some_line '^READY=1'; }
wait_for 5 'READY again' again
kill -STOP "$daemon"; before=$(grep -c WATCHDOG "$WORK/notes"); sleep 1; after=$(grep -c WATCHDOG "$WORK/notes"); kill -CONT "$daemon"
((after <= before + 1)) || fail 'WATCHDOG=1 from a leased that is stopped'
stop
noted '^STOPPING=1' || fail 'no STOPPING'
ok 'READY, STATUS, WATCHDOG, RELOADING, STOPPING'

note 'ready only when http is confined and answers'
cat >"$WORK/no_landlock.py" <<'END'
import ctypes, os, struct, sys
# As the filter of a container that does not know landlock_create_ruleset (444): EPERM.
code = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
filters = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(filters)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.prctl(22, 2, program, 0, 0) != 0:
    sys.exit("no seccomp: %s" % os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])
END
chmod 0644 "$WORK/no_landlock.py"
mkdir -m 0777 "$WORK/run"
: >"$WORK/notes"
export NOTIFY_SOCKET=$WORK/notify RUNTIME_DIRECTORY=$WORK/run
for turn in 1 2; do
	expect_exit 78 python3 "$WORK/no_landlock.py" leased -D
	assert_eq "$(wc -l <"$WORK/err")" 1 "landlock refused: exit 78, in one line ($turn)"
done
grep -q 'landlock: Operation not permitted.*systemctl edit leased.service.*ExecStart=.*/leased -D -u' "$WORK/err" || fail "$(cat "$WORK/err")"
! noted READY || fail 'READY was sent'
ok 'the line names the cause, and the drop-in with -u'

note 'growing pauses when systemd starts it again and again'
assert_eq "$(cat "$WORK/run/starts")" 2 'starts that did not last are counted'
python3 "$WORK/no_landlock.py" leased -D -u </dev/null >"$log" 2>&1 & daemon=$!; at_exit "$daemon"
wait_for 5 'a pause' said 'ended soon after its start 2 times in a row: starts in 1 s'
wait_for 5 READY noted '^READY=1'
said 'http is not confined as it should be .landlock' || fail "$(cat "$log")"
up || fail 'it was not ready'
kill -KILL "$daemon"; wait "$daemon" 2>/dev/null || :
assert_eq "$(cat "$WORK/run/starts")" 3 'a killed one counts as well'
begun=${EPOCHREALTIME/./}
start env
took_ms=$(((${EPOCHREALTIME/./} - begun) / 1000))
((took_ms >= 3000)) || fail "the third pause took $took_ms ms, not 3 s"
stop
[[ ! -e $WORK/run/starts ]] || fail 'a clean end is counted'
echo 9 >"$WORK/run/starts"
leased -D </dev/null >"$log" 2>&1 & daemon=$!; at_exit "$daemon"
wait_for 5 'the longest pause' said 'starts in 29 s'
stop
[[ ! -e $WORK/run/starts ]] || fail 'the count is not reset when leased is stopped in a pause'
ok 'a clean end resets the pauses'
unset NOTIFY_SOCKET RUNTIME_DIRECTORY

note 'sockets from systemd'
cat >"$WORK/activate.py" <<'END'
import os, socket, sys
fds = []
for port in sys.argv[1].split(","):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port)))
    s.listen(16)
    fds.append(os.dup(s.detach()))
high = [os.dup2(fd, 50 + i) for i, fd in enumerate(fds)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
os.closerange(3 + len(high), 256)
os.environ["LISTEN_FDS"] = str(len(high))
os.environ["LISTEN_PID"] = str(os.getpid())
if os.environ.get("NAMES"):
    os.environ["LISTEN_FDNAMES"] = os.environ["NAMES"]
os.execvp(sys.argv[2], sys.argv[2:])
END
reset
start python3 "$WORK/activate.py" 12000
register a
assert_eq "$(field ssh_host)" gateway.test 'a socket with the address of Listen'
kill -KILL "$(pgrep -f '^leased --http')"
wait_for 5 'the next http process has it, too' up
stop
expect_exit 1 python3 "$WORK/activate.py" 12005 leased -D
grep -q 'no Listen names: make ListenStream' "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'a socket that no Listen names: exit 1, and what to do'
for n in 11 17; do
	expect_exit 1 python3 "$WORK/activate.py" "$(seq -s , 12100 $((12099 + n)))" leased -D
	grep -q "systemd passed $n sockets, and leased takes at most 10" "$WORK/err" || fail "$n sockets: $(cat "$WORK/err")"
done
for n in x -1 99999999999; do
	# shellcheck disable=SC2016 # sh's own pid
	expect_exit 1 env LISTEN_FDS="$n" sh -c 'LISTEN_PID=$$ exec leased -D'
	grep -q 'LISTEN_FDS is not a number of sockets' "$WORK/err" || fail "LISTEN_FDS=$n: $(cat "$WORK/err")"
done
ok 'too many sockets, or an invalid number: exit 1'
reset 'MetricsListen 127.0.0.1:12001'
expect_exit 1 python3 "$WORK/activate.py" 12000 leased -D
grep -q 'give each a ListenStream' "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'a MetricsListen without one: exit 1'
start python3 "$WORK/activate.py" 12000,12001
[[ $(curl -s http://127.0.0.1:12001/metrics) == *tunlease_build_info* ]] || fail 'no metrics there'
[[ $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:12000/metrics) == 401 ]] || fail 'metrics without a credential'
ok 'a socket for Listen and one for MetricsListen'
stop
start env NAMES=metrics:leased.socket python3 "$WORK/activate.py" 12001,12000
[[ $(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:12001/) == 200 ]] || fail 'no page there'
ok 'and by its name, in another order'
stop
expect_exit 1 env NAMES=metrics:leased.socket python3 "$WORK/activate.py" 12000,12001 leased -D
grep -q 'the socket of leased-metrics.socket (127.0.0.1:12000) is not that of MetricsListen: make ListenStream' "$WORK/err" || fail "$(cat "$WORK/err")"
reset
expect_exit 1 env NAMES=leased.socket:metrics python3 "$WORK/activate.py" 12000,12001 leased -D
grep -q "leased-metrics.socket has a socket (127.0.0.1:12001), and MetricsListen is not set: set it in tunlease.conf, or 'systemctl disable" "$WORK/err" || fail "$(cat "$WORK/err")"
ok 'where it is not that of MetricsListen: exit 1, and what to do'

note 'an agent that asks for an address it may not have'
reset
start env
register_at() { post "{\"action\":\"register\",\"agent_id\":\"a\",\"public_key\":\"$(cat "$WORK/a.pub")\",\"reverse_bind_host\":\"$1\"}"; }
register_at 0.0.0.0
assert_eq "$(field code)" forbidden 'all addresses are refused'
[[ $(field error) == *AgentBindHost*AllowListen* ]] || fail "$(cat "$WORK/answer")"
wait_for 5 'the log names both keywords' said 'refused action=register agent=a client=127.0.0.1 .*code=forbidden: .*0\.0\.0\.0.*AgentBindHost.*AllowListen'
for host in 127.0.0.1 localhost; do
	register_at "$host"
	assert_eq "$(field code)$(field reverse_bind_host)" 127.0.0.1 "$host is allowed"
done
stop

note 'agents on all addresses, reached from another host'
reset 'AgentBindHost 0.0.0.0' 'AllowListen 0.0.0.0:20000-29999' 'Listen 0.0.0.0:12000' 'AllowPlainHTTP yes'
checks 0 '' 'AgentBindHost within AllowListen'
leasectl setup >/dev/null 2>&1 || fail 'leasectl setup'
start env
new_key wide >/dev/null
register wide
assert_eq "$(field reverse_bind_host)" 0.0.0.0 'the agent is told to listen on all addresses'
register_at 192.0.2.1
[[ $(field error) == *AgentBindHost*AllowListen* ]] || fail "another address: $(cat "$WORK/answer")"
register_at 0.0.0.0
assert_eq "$(field reverse_bind_host)" 0.0.0.0 'an agent may ask for that'
register wide
port=$(field port_b) secret=$(field agent_secret)
tunnel "$WORK/wide" gw-tunnel -L 12345:127.0.0.1:12000 || fail "$(tail -n 3 "$WORK/ssh.err")"
assert_eq "$(fetch http://127.0.0.1:12345/healthz)" ok 'heartbeats reach a leased that listens on all addresses'
fwd_stop
serve 8022
GATEWAY=::1 fwd_R "$WORK/wide" gw-tunnel "0.0.0.0:$port:127.0.0.1:8022" || fail "$(tail -n 3 "$WORK/ssh.err")"
wait_for 5 'its tunnel is seen' said 'tunnel up lease=wide .*source=::1'
enrol=$secret register wide
wait_for 5 'the log has the address it comes from, which is that of its session' said 'register agent=wide client=::1 .*port='
ip netns add friend 2>/dev/null || { mkdir -p /run/netns; ip netns add friend; } || fail 'no network namespace'
ip link add gw0 type veth peer name fr0 netns friend
ip addr add 192.0.2.1/24 dev gw0; ip link set gw0 up
ip -n friend addr add 192.0.2.2/24 dev fr0; ip -n friend link set fr0 up
assert_eq "$(ip netns exec friend curl -s --max-time "$(slow 5)" "http://192.0.2.1:$port/")" 'hello from 8022' 'through the agent, from another host'
stop
