#!/bin/bash
# SPDX-License-Identifier: ISC
# No kill makes a copy of an honest agent: leased is killed at each of many system calls while an agent
# (tests/copy_client.py) sends heartbeats and registers, and repeats what was not answered.
# sandbox: --leased
# timeout: 900
set -eu
. "$TOP/tests/lib.sh"
type -P strace >/dev/null || { echo 'needs strace'; exit 77; }

store=/var/lib/tunlease/leases.db
sql() { sqlite3 -cmd '.timeout 5000' -cmd '.filectrl persist_wal 1' "$store" "$1" | tail -n +2; }
new_key db1 >/dev/null
new_key busy >/dev/null
kill "$(cat /run/leased.pid)"
wait_for 5 'leased is gone' is_gone "$(cat /run/leased.pid)"

cat >"$WORK/client.py" <<'END'
import http.client, os, random, subprocess, sys, time
sys.path.insert(0, os.environ["TOP"] + "/tests")
from copy_client import Agent, Gateway
work = os.environ["WORK"]
enrol = "an-enrolment-key-for-the-tests"
slow = int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100
log = open(work + "/leased.log", "ab")

def start(inject):
    trace = ["strace", "-f", "-qq", "-o", work + "/strace", "-e", "trace=" + inject.split(":")[0], "-e", "inject=" + inject] if inject else []
    return subprocess.Popen([*trace, "leased", "-D"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

def ask(a, action):
    """The status, or None: no answer. What was not answered is repeated by the next request."""
    a.gateway = Gateway(12000)
    try:
        return a.register() if action == "register" else a.beat()
    except (OSError, http.client.HTTPException, ValueError):
        return None

def until_answered(a, action, daemon):
    end = time.time() + 30 * slow
    while (status := ask(a, action)) in (None, 503):
        if time.time() > end:
            raise SystemExit(f"{a.name}: no answer")
        if daemon.poll() is not None:
            return None
        time.sleep(0.02)
    return status

def stop(daemon):
    subprocess.run(["pkill", "-KILL", "-P", str(daemon.pid)])
    daemon.kill()
    daemon.wait()

agents = [Agent(None, name, open(f"{work}/{name}.pub").read().strip(), enrol) for name in ("db1", "busy")]
daemon = start(None)
for a in agents:
    assert until_answered(a, "register", daemon) == 200
stop(daemon)
kills = answers = 0
for step in range(60):
    call = ("pwrite64", "fdatasync", "sendto", "recvmmsg", "write")[step % 5]
    daemon = start(f"{call}:signal=KILL:when={3 + step}")
    for i in range(400):
        a = agents[i % 2]
        status = until_answered(a, "register" if i % 7 == 0 else "heartbeat", daemon)
        if status is None:
            kills += 1
            break
        answers += 1
        if status != 200:
            raise SystemExit(f"step {step} {call}: {status} {a.answer}")
    stop(daemon)
    daemon = start(None)
    for a in agents:
        for i in range(2):
            status = until_answered(a, random.choice(("register", "heartbeat")), daemon)
            if status != 200:
                raise SystemExit(f"after step {step} {call}: {status} {a.answer}")
    copy = agents[0].clone()
    assert until_answered(agents[0], "heartbeat", daemon) == 200
    if (status := until_answered(copy, "heartbeat", daemon)) != 409:
        raise SystemExit(f"a copy after step {step}: {status}")
    stop(daemon)
print(f"{kills} kills, {answers} answers")
if kills < 20:
    raise SystemExit("leased was seldom killed")
END
export WORK
python3 "$WORK/client.py" || fail "$(tail -n 5 "$WORK/leased.log")"
assert_eq "$(sql "SELECT count(DISTINCT lease_id) FROM audit WHERE action = 'copied'")" 1 'only the agent that was copied is in the audit'
! grep -q 'ahead of the store' "$WORK/leased.log" || fail 'the store lost a counter'
ok 'no kill makes a copy, and no copy is missed'
