#!/bin/bash
# SPDX-License-Identifier: ISC
# leased in unusual conditions: sockets passed by systemd-socket-activate, IPv6 and unix sockets and
# several of them, ports in quarantine, listeners that cannot be read, SIGTERM under load.
# sandbox: --bare
# timeout: 60
set -eu
. "$TOP/tests/lib.sh"

enrol=an-enrolment-key-for-the-tests
conf=/etc/tunlease/tunlease.conf
log=$WORK/leased.log
api=http://127.0.0.1:12000/
cp "$conf" "$WORK/conf"
systemd-sysusers >/dev/null 2>&1 || :
id -u _tunlease >/dev/null || fail 'no user _tunlease'
reset() { { cat "$WORK/conf"; for _; do echo "$_"; done; } >"$conf"; }
install -o _tunlease -g root -m 0400 /dev/null /etc/tunlease/leased.env
echo "API_KEY=$enrol" >/etc/tunlease/leased.env
up() { curl -s -o /dev/null --max-time "$(slow 1)" "${1-${api}healthz}"; }
said() { grep -E -q -e "$1" "$log"; }
start() { : >"$log"; "$@" leased -D </dev/null >>"$log" 2>&1 & daemon=$!; at_exit "$daemon"; }
stop() { local rc=0; kill -TERM "${1-$daemon}"; wait "$daemon" || rc=$?; assert_eq "$rc" 0 'SIGTERM: exit 0'; }
post() { # CREDENTIAL JSON
	code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $1" --data "$2" "$api")
}
register() { # CREDENTIAL NAME KEY [MORE]
	post "$1" "{\"action\":\"register\",\"agent_id\":\"$2\",\"public_key\":\"$(cat "$WORK/$3.pub")\"${4-}}"
}
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1])).get(sys.argv[2], ""))' "$WORK/answer" "$1"; }
answered() { # STATUS WHAT
	[[ $code == "$1" ]] || fail "$2: $code, not $1: $(cat "$WORK/answer")"
	ok "$2: $code"
}
new_key a >/dev/null

note 'systemd-socket-activate'
if type -P systemd-socket-activate >/dev/null; then
	: >"$log"
	systemd-socket-activate -l 127.0.0.1:12000 "$(type -P leased)" -D </dev/null >>"$log" 2>&1 & daemon=$!
	at_exit "$daemon"
	listens() { ! port_free 12000; }
	wait_for 5 'it listens' listens
	! said leased: || fail 'it runs before the first connection'
	serve 20000; foreign=${test_pids[-1]}
	register "$enrol" a a
	answered 200 'the first connection starts leased'
	assert_eq "$(field port_b)" 20001 'it gives a port on which nothing listens'
	kill "$foreign"
	stop
fi

note 'several sockets, of all kinds'
reset 'Listen 127.0.0.1:12000' 'Listen [::1]:12000' 'Listen 127.0.0.1:12002' 'Listen unix:/run/leased.sock' 'MetricsListen unix:/run/metrics.sock'
start env
wait_for 5 "leased answers: $(cat "$log")" up
for url in http://127.0.0.1:12002/healthz 'http://[::1]:12000/healthz'; do
	assert_eq "$(fetch "$url")" ok "$url"
done
assert_eq "$(fetch --unix-socket /run/leased.sock http://x/healthz)" ok 'unix:/run/leased.sock'
assert_eq "$(stat -c '%a' /run/leased.sock)" 666 'everyone may connect: the credential decides'
grep -q tunlease_build_info <<<"$(fetch --unix-socket /run/metrics.sock http://x/metrics)" || fail 'metrics on a unix socket'
code=$(curl -s -o /dev/null -w '%{http_code}' --unix-socket /run/leased.sock http://x/metrics)
assert_eq "$code" 401 'no metrics on the other unix socket without a key'
api='http://[::1]:12000/' register wrong-key a a
answered 401 'a wrong key'
code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 5)" --unix-socket /run/leased.sock -H 'X-API-Key: wrong' \
	--data '{"action":"heartbeat","agent_id":"a"}' -H 'Content-Type: application/json' http://x/)
answered 401 'a wrong key on the unix socket'
wait_for 2 'the log says that it came through a unix socket' said 'refused action=heartbeat agent=a client=unix '
codes=()
for _ in {1..14}; do codes+=("$(curl -s -o /dev/null -w '%{http_code}' -H 'X-API-Key: guessed' http://127.0.0.1:12002/metrics)"); done
assert_eq "${codes[0]} ${codes[13]}" '401 429' 'guesses at /metrics are limited as well'
wait_for 2 'the guesses are logged' said 'refused action=metrics agent= client=127.0.0.1 .*code=unauthorized: '
code=$(curl -s -o /dev/null -w '%{http_code}' -H "X-API-Key: $enrol" http://127.0.0.1:12002/version)
assert_eq "$code" 200 'a valid key is never refused'
wait_for 2 'the log names the IPv6 address' said 'refused action=register agent=a client=::1 '
stop
start env
wait_for 5 'leased starts again although the old unix socket is still there' up
assert_eq "$(fetch --unix-socket /run/leased.sock http://x/healthz)" ok 'the unix socket is the new one'
stop

note 'an agent that was deleted gets its port in quarantine again, without asking for it'
reset
start env
wait_for 5 "leased answers: $(cat "$log")" up
for name in first second third; do
	new_key "$name" >/dev/null
	register "$enrol" "$name" "$name"
done
kept=$(field port_b)
leasectl revoke third >/dev/null
leasectl delete third >/dev/null
new_key fourth >/dev/null
register "$enrol" fourth fourth
[[ $(field port_b) != "$kept" ]] || fail 'the port is in quarantine, and another agent has it'
register "$enrol" third third
assert_eq "$(field port_b)" "$kept" 'the former holder gets it'
register "$enrol" fifth a
[[ $code == 409 ]] || fail "a key of another lease: $code"
leasectl revoke third second >/dev/null
leasectl delete third >/dev/null
leasectl delete second >/dev/null
serve "$kept"; foreign=${test_pids[-1]}
for _ in 1 2 3; do # the list of listeners may be a second old, or older on a busy machine
	sleep 0.5
	register "$enrol" first first
done
register "$enrol" third third
assert_eq "$code" 200 'it registers while another program listens on its port'
[[ $(field port_b) != "$kept" ]] || fail 'it gets that port all the same'
kill "$foreign"
stop

note 'the listeners cannot be read'
if strace -o /dev/null true 2>/dev/null; then
	new_key late >/dev/null
	for table in /proc/net/tcp /proc/net/tcp6; do
		: >"$log"
		strace -f -qq -o /dev/null -P "$table" -e trace=openat -e inject=openat:error=EACCES leased -D \
			>"$log" 2>&1 </dev/null & daemon=$!
		at_exit "$daemon"
		wait_for 10 "leased answers: $(cat "$log")" up
		register "$enrol" late late
		answered 503 "$table: a new agent"
		code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time 5 "${api}healthz")
		grep -q 'what listens cannot be read' "$WORK/answer" || fail "$(cat "$WORK/answer")"
		answered 503 '/healthz'
		register "$enrol" late late ',"port_b":25000'
		answered 503 'also an agent that asks for a port'
		assert_eq "$(field code) $(grep -c 'cannot read what listens' "$log")" 'unavailable 1' 'logged once'
		register "$enrol" first first
		answered 200 'an agent that has its port keeps it'
		stop "$(pgrep -P "$daemon")"
	done
fi

note 'SIGTERM under registers: exactly the agents that were told 200 are in the store'
reset 'MaxPendingAgents 100000'
cat >"$WORK/stop.py" <<'E'
import base64, http.client, json, os, signal, sqlite3, struct, sys, threading, time
pid, turn = int(sys.argv[1]), sys.argv[2]
slow = int(os.environ["TEST_SLOW_PERCENT"]) / 100
acked, refused, lost, lock = set(), set(), set(), threading.Lock()

def client(number):
    c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=slow * 10)
    for i in range(100000):
        name = f"t{turn}-{number}-{i}"
        blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + os.urandom(32)
        body = {"action": "register", "agent_id": name, "public_key": "ssh-ed25519 " + base64.b64encode(blob).decode()}
        try:
            c.request("POST", "/", json.dumps(body), {"Content-Type": "application/json", "X-API-Key": sys.argv[3]})
            answer = c.getresponse()
            answer.read()
        except ConnectionRefusedError:
            return
        except (OSError, http.client.HTTPException):
            with lock:
                lost.add(name)
            return
        with lock:
            (acked if answer.status == 200 else refused).add(name)
        if answer.status != 200:
            return

threads = [threading.Thread(target=client, args=(n,)) for n in range(32)]
for t in threads:
    t.start()
time.sleep(0.15 + int(turn) * 0.013)
os.kill(pid, signal.SIGTERM)
for t in threads:
    t.join()
def runs():
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False # gone, or between the two
while runs():
    time.sleep(0.01)
db = sqlite3.connect("file:/var/lib/tunlease/leases.db?mode=ro", uri=True)
there = {row[0] for row in db.execute("SELECT name FROM lease WHERE name LIKE ?", (f"t{turn}-%",))}
print(f"# {len(acked)} acknowledged, {len(refused)} refused, {len(lost)} without an answer;",
      f"in the store and not told: {sorted(there - acked)[:3]}, told and not in the store: {sorted(acked - there)[:3]}")
sys.exit(there != acked or not acked)
E
for turn in 1 2 3 4 5 6; do
	start env
	wait_for 5 "leased answers: $(cat "$log")" up
	python3 "$WORK/stop.py" "$daemon" "$turn" "$enrol" || fail 'see above'
	rc=0
	wait "$daemon" || rc=$?
	((rc == 0)) || fail "exit $rc"
done
ok 'no answer and no agent was lost'

note 'SIGTERM while the store is locked: queued requests are answered'
start env
wait_for 5 "leased answers: $(cat "$log")" up
cat >"$WORK/waiting.py" <<'E'
import os, signal, sqlite3, subprocess, sys, time
slow = int(os.environ["TEST_SLOW_PERCENT"]) / 100
db = sqlite3.connect("/var/lib/tunlease/leases.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", str(4 * slow), "-H", "Content-Type: application/json",
       "-H", "X-API-Key: " + sys.argv[2], "--data", '{"action":"heartbeat","agent_id":"a"}', "http://127.0.0.1:12000/"]
waiting = [subprocess.Popen(ask, stdout=subprocess.PIPE) for _ in range(8)]
time.sleep(min(3, slow))  # leased lets them wait for up to 5 s
os.kill(int(sys.argv[1]), signal.SIGTERM)
codes = [p.communicate()[0].decode() for p in waiting]
print("#", codes, flush=True)
os._exit(codes != ["503"] * 8)  # the lock goes with the process, and the log stays
E
python3 "$WORK/waiting.py" "$daemon" "$enrol" || fail 'some requests were not answered 503'
rc=0
wait "$daemon" || rc=$?
((rc == 0)) || fail "exit $rc"
