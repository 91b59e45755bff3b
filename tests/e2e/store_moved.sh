#!/bin/bash
# SPDX-License-Identifier: ISC
# The store is moved away, copied back, replaced by an older one and truncated, under heartbeats and
# registers: leased uses only the store that lies at the path, ends no session meanwhile, and loses
# nothing that it has acknowledged.
# sandbox: --leased
# timeout: 90
set -eu
. "$TOP/tests/lib.sh"

api=http://127.0.0.1:12000/
enrol=an-enrolment-key-for-the-tests
lib=/var/lib/tunlease
post() { # CREDENTIAL JSON
	code=$(curl -s -o "$WORK/answer" -w '%{http_code}' --max-time "$(slow 10)" -H 'Content-Type: application/json' \
		-H "Authorization: Bearer $1" --data "$2" "$api")
}
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$WORK/answer" "$1"; }
register() { # NAME
	[[ -e $WORK/$1 ]] || new_key "$1" >/dev/null
	post "$enrol" "{\"action\":\"register\",\"agent_id\":\"$1\",\"public_key\":\"$(cat "$WORK/$1.pub")\"}"
}
health() { curl -s -o "$WORK/health" -w '%{http_code}' --max-time "$(slow 5)" "${api}healthz"; }
is_well() { [[ $(health) == 200 ]]; }
answers() { register "$1"; [[ $code == 200 ]]; }
refuses() { register "$1"; [[ $code == 503 ]] && [[ $(health) == 503 ]]; }
stays_up() { { kill -0 "$friend" && talks "$TALK"; } || fail "$1: the session was ended: $(tail -n 5 "$SANDBOX_LOG")"; }

echo 'MaxPendingAgents 100000' >>/etc/tunlease/tunlease.conf
kill -HUP "$(cat /run/leased.pid)"
serve_echo 18080
new_key friend >/dev/null
leasectl grant friend --key "$WORK/friend.pub" --open 127.0.0.1:18080 >/dev/null
fwd_L "$WORK/friend" pfwd 19000:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
friend=$FWD_PID
talk_to 19000
talks "$TALK" || fail 'no data'
register first
assert_eq "$code" 200 'an agent registers'
secret=$(field agent_secret)

wait_log 5 'audit head seq=[0-9]* hash=' # of the store that is moved away

note 'moved away'
mkdir -m 0700 /root/away
mv "$lib"/leases.db* /root/away
register lost
assert_eq "$code" 503 'no register is answered from a file that is not there'
post "$secret" '{"action":"heartbeat","agent_id":"first"}'
assert_eq "$code" 503 'nor a heartbeat'
assert_eq "$(health)" 503 '/healthz says so'
grep -q 'store cannot be used: it is missing' "$WORK/health" || fail "$(cat "$WORK/health")"
wait_log 5 'leases.db. cannot be used: it is missing.* nothing is ended'
sleep 0.2
stays_up 'the store is missing'
[[ ! -e $lib/leases.db ]] || fail 'leased made an empty store'
ok 'its session stays up'

note 'a copy is put back'
cp -a /root/away/leases.db* "$lib"
wait_for 5 'leased opens the copy' is_well
wait_log 5 'leases.db. was replaced.*leased has opened it again'
head_is_logged() { sed '1,/leased has opened it again/d' "$SANDBOX_LOG" | some_line 'audit head seq=[0-9]* hash='; }
wait_for 5 "the head of the copy's audit in the log" head_is_logged
stays_up 'the store is a copy'
answers second || fail "$code $(cat "$WORK/answer")"
new_key late >/dev/null
# late gets an id that no lease of the old file has: if leased still used that file, it would end late's session.
for i in {1..4}; do
	new_key "other$i" >/dev/null
	leasectl grant "other$i" --key "$WORK/other$i.pub" --open 127.0.0.1:18080 >/dev/null
done
leasectl grant late --key "$WORK/late.pub" --open 127.0.0.1:18080 >/dev/null
fwd_L "$WORK/late" pfwd 19001:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
late=$FWD_PID
sleep 0.5
{ kill -0 "$late" && ! log_has 'ended login=pfwd lease=late'; } || fail "a new session was ended: $(tail -n 5 "$SANDBOX_LOG")"
fwd_stop "$late"
for name in first second; do leasectl show "$name" >/dev/null || fail "$name was told 200, and is not in the store"; done
leasectl agents | some_line '^second' || fail "$(leasectl agents)"
ok 'new sessions stay up, and every agent that was told 200 is in the store'
leasectl doctor >"$WORK/out" 2>&1 || :
! grep -q 'leased does not run' "$WORK/out" || fail 'doctor does not see that leased runs'
ok 'leased has locked the lock file there'

note 'the main file is replaced by an older copy'
sqlite3 -readonly "$lib/leases.db" ".backup '/root/older.db'" 2>/dev/null || python3 - <<'P'
import sqlite3
a = sqlite3.connect("file:/var/lib/tunlease/leases.db?mode=ro", uri=True)
b = sqlite3.connect("/root/older.db")
a.backup(b)
b.execute("PRAGMA journal_mode=WAL")
b.close()
P
chown --reference="$lib/leases.db" /root/older.db
chmod 0640 /root/older.db
answers third || fail "$code"
leasectl renew friend --for 20d >/dev/null
cp -a /root/older.db "$lib/older"
mv "$lib/older" "$lib/leases.db"
is_older() { ! leasectl show third >/dev/null 2>&1; }
wait_for 5 'the older store is there' is_older
wait_for 5 'leased opens it' is_well
stays_up 'the store is an older one'
expect_exit 0 leasectl list
answers third || fail "$code $(cat "$WORK/answer")"
leasectl show third >/dev/null || fail 'an agent that was told 200 is not in the store'
[[ $(sqlite3 "$lib/leases.db" 'PRAGMA integrity_check' 2>/dev/null || python3 -c '
import sqlite3; print(sqlite3.connect("/var/lib/tunlease/leases.db").execute("PRAGMA integrity_check").fetchone()[0])') == ok ]] || fail 'the store is damaged'
ok 'leased uses the older one, and it is not damaged'

note 'truncated'
cp -a "$lib/leases.db" /root/whole.db
truncate -s 8192 "$lib/leases.db"
wait_for 3 'it is refused' refuses fourth
sleep 0.2
stays_up 'the store is truncated'
: >"$lib/leases.db"
register fourth
assert_eq "$code" 503 'an empty one is refused'
sleep 0.2
stays_up 'the store is empty'
ok 'its session stays up'

note 'a whole store is written into the same file'
cp -a /root/whole.db "$lib/leases.db"
wait_for 5 'leased uses it' is_well
stays_up 'the store is whole again'
answers fifth || fail "$code $(cat "$WORK/answer")"
ok 'leased uses it again'

if [[ -n ${TEST_TURNS-} ]]; then # make check does this in unit/test_place
	note 'its log deleted'
	rm "$lib/leases.db-wal"
	log_is_back() { [[ -e $lib/leases.db-wal ]] && is_well; }
	wait_for 5 'there is a new one' log_is_back
	leasectl show fifth >/dev/null || fail 'what was in the log is lost'
	answers sixth || fail "$code $(cat "$WORK/answer")"
	leasectl show sixth >/dev/null || fail 'an agent that was told 200 is not in the store'
	stays_up 'the log is back'
	ok 'nothing that was in the log is lost'
fi

note 'the registry is moved away and made again'
mv /run/tunlease/sessions /root/sessions
install -d -m 0750 -o root -g _tunlease /run/tunlease/sessions
fwd_L "$WORK/late" pfwd 19001:127.0.0.1:18080 || fail "$(tail -n 3 "$WORK/ssh.err")"
late=$FWD_PID
leased_sees() { [[ $(curl -s -H "X-API-Key: $enrol" "${api}metrics" | sed -n 's/^tunlease_sessions //p') == "$1" ]]; }
wait_for 12 'leased sees the session in the new registry' leased_sees 1
mv /root/sessions/* /run/tunlease/sessions/
wait_for 3 'leased sees both sessions' leased_sees 2
fwd_stop "$late"
ok 'leased reads the registry at the path'

note 'the store is moved away and put back while agents register'
cat >"$WORK/load.py" <<'E'
import base64, http.client, json, os, random, shutil, struct, subprocess, sqlite3, sys, threading, time
slow = int(os.environ["TEST_SLOW_PERCENT"]) / 100
random.seed(int(os.environ.get("TEST_SEED", "1")))
lib, away = "/var/lib/tunlease", "/var/lib/under-load" # the same file system: copying would miss what is written meanwhile
os.mkdir(away, 0o700)
acked, refused, stop, lock = set(), 0, False, threading.Lock()

def client(number):
    global refused
    n = 0
    while not stop:
        n += 1
        name = f"l{number}-{n}"
        blob = struct.pack(">I", 11) + b"ssh-ed25519" + struct.pack(">I", 32) + os.urandom(32)
        body = {"action": "register", "agent_id": name, "public_key": "ssh-ed25519 " + base64.b64encode(blob).decode()}
        try:
            c = http.client.HTTPConnection("127.0.0.1", 12000, timeout=slow * 10)
            c.request("POST", "/", json.dumps(body), {"Content-Type": "application/json", "X-API-Key": sys.argv[1]})
            status = c.getresponse().status
            c.close()
        except (OSError, http.client.HTTPException) as e:
            print("# no answer:", e)
            continue
        with lock:
            if status == 200:
                acked.add(name)
            else:
                refused += 1
        time.sleep(0.01 if status == 200 else 0.05)

threads = [threading.Thread(target=client, args=(n,)) for n in range(12)]
for t in threads:
    t.start()

def grows(what):
    before, end = len(acked), time.monotonic() + slow * 15
    while len(acked) < before + 20:
        if time.monotonic() > end:
            print(f"# nobody is answered 200 any more after {what}")
            os._exit(1)
        time.sleep(0.02)

grows("the start")
for back in [["mv"], ["cp", "-a"]] * int(os.environ.get("TEST_TURNS", "1")):
    files = sorted(f"{lib}/{f}" for f in os.listdir(lib) if f.startswith("leases.db"))
    random.shuffle(files)
    subprocess.run(["mv"] + files + [away], check=True)
    time.sleep(random.random() * 0.3)
    subprocess.run(back + [f"{away}/{os.path.basename(f)}" for f in files] + [lib], check=True)
    grows(back)
    for f in os.listdir(away):
        os.unlink(f"{away}/{f}")
stop = True
for t in threads:
    t.join()
db = sqlite3.connect(f"file:{lib}/leases.db?mode=ro", uri=True)
there = {row[0] for row in db.execute("SELECT name FROM lease WHERE name LIKE 'l%-%'")}
sound = db.execute("PRAGMA integrity_check").fetchone()[0]
print(f"# {len(acked)} told 200, {refused} refused; told and not in the store: {sorted(acked - there)[:5]}; {sound}")
sys.exit(bool(acked - there) or sound != "ok" or refused == 0)
E
python3 "$WORK/load.py" "$enrol" || fail "see above: $(tail -n 5 "$SANDBOX_LOG")"
stays_up 'under load'
kill -TERM "$(cat /run/leased.pid)"
wait_for 5 'leased stops' is_gone "$(cat /run/leased.pid)"
leased </dev/null >/run/leased.out 2>&1 &
echo $! >/run/leased.pid
at_exit $!
wait_for 5 'leased is back' is_well
stays_up 'leased was restarted'
ok 'no agent that was told 200 is lost, and no session'
