#!/bin/bash
# SPDX-License-Identifier: ISC
# `leasectl run` and `tunnel-agent exec`: each of their processes in turn is killed with SIGKILL, TEST_RUNS times
# in all (100), and it is measured how long something of the run is left. A lease is prolonged, also while
# leasectl is stopped; it ends when the store is away for a minute, and with --for.
# sandbox: --leased
# timeout: 900
set -eu
. "$TOP/tests/lib.sh"
. "$TOP/tests/join_stand_in.sh"
. "$TOP/tests/fault/store_tools.sh"

runs=${TEST_RUNS:-100}
serve_echo 8009
export HOME=$WORK/home STATE_DIR=$WORK/state
install -d -m 700 "$HOME"
join_stand_in

# ---- what takes a minute, meanwhile ----
as_li=(env SUDO_USER=li SUDO_UID="$(id -u li)" SUDO_GID="$(id -g li)")
begin() { # NAME OPTION... -- COMMAND...
	new_key "$1" >/dev/null
	"${as_li[@]}" leasectl run "$1" --key "$WORK/$1.pub" --open 8009 "${@:2}" >/dev/null 2>"$WORK/$1.err" &
	RUN=$!
	at_exit "$RUN"
	wait_for 10 "the lease of $1" is_active "$1"
}
end_of() { query "SELECT coalesce(max(expires_s), 0) FROM lease WHERE name = '$1' AND live = 1"; }
is_active() { (($(end_of "$1") > $(date +%s))); }
begin prolonged -- sleep 900
begin stopped -- sleep 900
kill -STOP "$RUN"
begin both -- sleep 900; both=$RUN
begin limited --for 30s -- sleep 900; limited=$RUN
first=$(end_of prolonged) began=$SECONDS
keeper=$(pgrep -P "$both" leasectl)
kill -STOP "$keeper" # or it would revoke the lease between the two
kill -KILL "$both" "$keeper"
killed_s=$(date +%s)
(($(end_of both) <= killed_s + 60)) || fail 'a lease is longer than a minute'

# ---- kill -9 of each process in turn ----
WORK=$WORK PIN=$PIN CODE=$CODE RUNS=$runs python3 - <<'EOF' || fail 'something is left'
import glob, os, signal, sqlite3, subprocess, sys, time

work, runs = os.environ["WORK"], int(os.environ["RUNS"])
state = os.environ["STATE_DIR"] + "/run"

def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False

def text_of(path):
    try:
        with open(path) as f:
            return f.read()
    except OSError:  # it has ended
        return ""

def named(pid, name):
    """The children of pid that run this program."""
    ids = text_of(f"/proc/{pid}/task/{pid}/children").split()
    return [int(c) for c in ids if text_of(f"/proc/{c}/comm").strip() == name]

def until(what, test, seconds=30):
    began = time.monotonic()
    while not test():
        if time.monotonic() - began > seconds:
            sys.exit(f"not within {seconds} s: {what}")
        time.sleep(0.001)
    return (time.monotonic() - began) * 1000

def report(what, times, limit_ms):
    times.sort()
    print(f"ok - {what}: {len(times)} runs, median {times[len(times) // 2]:.0f} ms, "
          f"largest {times[-1]:.0f} ms; over {limit_ms} ms: {sum(t > limit_ms for t in times)}")
    return sum(t > limit_ms for t in times)

# exec, with an invite, so that there is an ssh-agent as well
def start_exec():
    p = subprocess.Popen(["tunnel-agent", "exec", "-p", "2222", "--host-key", os.environ["PIN"], "--invite",
                          os.environ["CODE"], "-L", "0:127.0.0.1:8009", "127.0.0.1", "--", "sleep", "900"],
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    until("the command", lambda: p.poll() is not None or named(p.pid, "sleep"))
    if p.poll() is not None:
        sys.exit(f"exec: {p.returncode} {p.stderr.read()}")
    keeper = named(p.pid, "tunnel-agent")[0]
    until("the ssh of the tunnel", lambda: named(keeper, "ssh"))
    return p, {"tunnel-agent": p.pid, "keeper": keeper, "command": named(p.pid, "sleep")[0],
               "ssh": named(keeper, "ssh")[0], "ssh-agent": named(keeper, "ssh-agent")[0]}

late, times = 0, {}
for i in range(runs):
    p, pids = start_exec()
    victim = list(pids)[i % len(pids)]
    def gone(names=pids):
        return not any(is_alive(pids[n]) for n in names) and not glob.glob(state + "/*")
    os.kill(pids[victim], signal.SIGKILL)
    if victim == "ssh":  # another one takes its place; then all is ended
        until("another ssh", lambda: [s for s in named(pids["keeper"], "ssh") if s != pids["ssh"]])
        pids["ssh"] = [s for s in named(pids["keeper"], "ssh") if s != pids["ssh"]][0]
        p.terminate()
    elif victim == "ssh-agent":
        took = until("its files", lambda: not glob.glob(state + "/*-agent") and not glob.glob(state + "/*-key*"))
        times.setdefault("ssh-agent, its own files", []).append(took)
        p.terminate()
    key = victim if victim not in ("ssh", "ssh-agent") else victim + ", then SIGTERM to tunnel-agent"
    times.setdefault(key, []).append(until(f"the end of all after {victim}", gone))
    p.wait()
    p.stderr.close()
for what, took in times.items():
    late += report(f"exec, kill -9 of {what}: nothing is left", took, 100)

# run: many at a time
def rows(sql, *values):
    for _ in range(1000):
        try:
            db = sqlite3.connect("file:/var/lib/tunlease/leases.db?mode=ro", uri=True)
            try:
                return db.execute(sql, values).fetchall()
            finally:
                db.close()
        except sqlite3.OperationalError:
            time.sleep(0.005)
    sys.exit("the store does not answer")

env = {**os.environ, "SUDO_USER": "li", "SUDO_UID": str(subprocess.getoutput("id -u li")),
       "SUDO_GID": str(subprocess.getoutput("id -g li"))}
revoked, ends, dead, left = {}, [], [], []
for first in range(0, runs, 10):
    batch = []
    for i in range(first, min(first + 10, runs)):
        key = f"{work}/run-{i}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        batch.append((i, subprocess.Popen(["leasectl", "run", f"run-{i}", "--key", key + ".pub", "--open", "8009", "--",
                                           "sleep", "900"], env=env, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
    for i, p in batch:
        until("the command", lambda: p.poll() is not None or named(p.pid, "sleep"))
        command, keeper = named(p.pid, "sleep")[0], named(p.pid, "leasectl")[0]
        victims = {"leasectl": [p.pid], "keeper": [keeper], "command": [command], "leasectl and keeper": [p.pid, keeper]}
        victim = list(victims)[i % len(victims)]
        if victim == "leasectl and keeper":  # or it would revoke the lease between the two
            os.kill(keeper, signal.SIGSTOP)
        for pid in victims[victim]:
            os.kill(pid, signal.SIGKILL)
        killed_s = time.time()
        dead.append(until("the end of the command", lambda: not is_alive(command)))
        if victim == "leasectl and keeper":
            end_s = rows("SELECT expires_s FROM lease WHERE name = ? AND live = 1", f"run-{i}")[0][0]
            ends.append((end_s - killed_s) * 1000)
            left.append(f"run-{i}")
        else:
            revoked.setdefault(victim, []).append(until(
                f"the end of the lease after {victim}", lambda: not rows("SELECT 1 FROM lease WHERE name = ? AND live = 1", f"run-{i}")))
        p.wait()
        until("the keeper", lambda: not is_alive(keeper))
for victim, took in revoked.items():
    late += report(f"run, kill -9 of {victim}: the lease is revoked, after the end of the command", took, 60000)
report("run, kill -9 of any: the command is gone", dead, 100)
late += report("run, kill -9 of leasectl and keeper: the lease ends in the store", ends, 60000)
sys.exit(1 if late else 0)
EOF

# ---- what took a minute ----
after() { local left=$(($1 - (SECONDS - began))); ((left <= 0)) || sleep "$left"; }
is_gone "$limited" || fail '--for does not end the command'
grep -q 'is over: that is the end of --for' "$WORK/limited.err" || fail "$(cat "$WORK/limited.err")"
after 75
is_active prolonged || fail 'not prolonged'
(($(end_of prolonged) > first + 15)) || fail 'not prolonged'
assert_eq "$(query "SELECT count(*) FROM audit WHERE lease = 'prolonged'")" 1 'prolonged, without a row in the audit'
is_active stopped || fail 'a stop of leasectl ended the lease'
ok 'a lease is prolonged while leasectl is stopped'
is_active both && fail 'the lease is over a minute old'
ok 'after kill -9 of both the lease is over'
expect_exit 0 "${as_li[@]}" leasectl run both --key "$WORK/both.pub" --open 8009 -- true
ok 'and the same run works again'

# shellcheck disable=SC2153 # of store_tools.sh
mv "$STORE_DIR" "$STORE_DIR.away"
away_s=$SECONDS
ended() { ! pgrep -u li sleep >/dev/null; }
wait_for 70 'the end of the commands without a store' ended
((SECONDS - away_s >= 35)) || fail "already after $((SECONDS - away_s)) s"
ok "without a store the commands are ended, after $((SECONDS - away_s)) s"
mv "$STORE_DIR.away" "$STORE_DIR"
