#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""tunnels.py KEYS COUNT WINDOW SSH...: agents of the gateway on this host, each a real `ssh -N -R` that is started
again when it ends, as tunnel-agent does. Agent N's key is KEYS/N. At most WINDOW of them log in at once.

It reads commands from its standard input, does one after the other, and answers each with one line:
  register API KEY     registers every agent at API over HTTP              SECONDS
  up                   starts them, until the port of each listens         SECONDS
  down                 ends them and starts none                           SECONDS until no port listens
  stay_down            starts none that ends from now on, and stops the clients (SIGSTOP): their end, which takes
                       the processors of other hosts, then takes none of this one. `up` continues them    ok
  gone SINCE           until no port of theirs listens                     SECONDS since then (of the epoch)
  kill SECONDS RATE    so many kills a second, at random, of: ssh (KILL, TERM), sshd's session process, sshd's
                       monitor, and a twentieth as often leased, which is started again; and heartbeats
                                                                           KIND=COUNT... heartbeats=N no_answer=N refused=N
  settled SECONDS      until every port listens, and the registry has as many entries, or so long    SECONDS
  agree                compares kernel, registry, leasectl and audit       ok N, or what differs
  memory               of all processes below sshd: KiB a tunnel of PSS, of page tables; processes a tunnel
"""
import glob, http.client, json, os, random, select, signal, sqlite3, subprocess, sys, time

KEYS, COUNT, WINDOW, SSH = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
SESSIONS = "/run/tunlease/sessions"
agents = []
running = False
tried_again = 0


class Agent:
    def __init__(self, number):
        self.number = number
        self.name = "agent-%d" % number
        self.key = "%s/%d" % (KEYS, number)
        self.port, self.secret = 0, ""
        self.ssh = None
        self.started = self.next_start = 0.0
        self.up = False

    def start(self, now):
        self.ssh = subprocess.Popen(
            SSH + ["-N", "-T", "-i", self.key, "-R", "%d:127.0.0.1:9" % self.port, "gw-tunnel@127.0.0.1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open("%s/%d.err" % (KEYS, self.number), "w"))
        self.started, self.up = now, False


def listening():
    """The ports that anybody listens on, on 127.0.0.1. The kernel lists listeners before connections."""
    ports = set()
    with open("/proc/net/tcp") as f:
        next(f)
        for line in f:
            word = line.split(None, 4)
            if word[3] != "0A":
                break
            address, port = word[1].split(":")
            if address == "0100007F":
                ports.add(int(port, 16))
    return ports


def look():
    """Starts what has ended, and returns how many ports listen."""
    global tried_again
    now, ports = time.monotonic(), listening()
    starting, ended = 0, []
    for a in agents:
        if a.ssh is not None and a.ssh.poll() is not None:
            a.ssh = None
            tried_again += 1
            a.next_start = now + random.uniform(0.3, 1.5)
        if a.ssh is not None:
            # A port may still be the earlier session's: so not in the first moment.
            a.up = a.up or (a.port in ports and now - a.started > 0.5)
            starting += not a.up
            if not a.up and now - a.started > 120:
                a.ssh.kill()
        elif running and a.next_start <= now:
            ended.append(a)
    for a in ended[:max(0, WINDOW - starting)]:
        a.start(now)
    return sum(a.port in ports for a in agents)


def wait_until(done, seconds):
    start = time.monotonic()
    while not done():
        if time.monotonic() - start > seconds:
            return None
        time.sleep(0.02)
    return time.monotonic() - start


def request(connection, credential, body):
    connection.request("POST", "/", json.dumps(body), {"Authorization": "Bearer " + credential, "Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def register(api, key):
    start = time.monotonic()
    connection = http.client.HTTPConnection(api)
    for number in range(1, COUNT + 1):
        a = Agent(number)
        status, said = request(connection, key, {"action": "register", "agent_id": a.name, "hostname": a.name,
                                                "public_key": open(a.key + ".pub").read().strip()})
        if status != 200:
            return "%s: %d %s" % (a.name, status, said)
        a.port, a.secret = said["port_b"], said["agent_secret"]
        agents.append(a)
    return "%.2f" % (time.monotonic() - start)


def entries():
    """The registry's entries as dicts."""
    found = []
    for path in glob.glob(SESSIONS + "/*.*"):
        try:
            with open(path) as f:
                found.append(dict(line.rstrip("\n").partition(" ")[::2] for line in f))
        except OSError:
            pass # it has ended meanwhile
    return found


def children(pid):
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def stat(pid):
    """The fields of /proc/PID/stat after the name, from the state on; [] if it has ended."""
    try:
        with open("/proc/%s/stat" % pid) as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return []


def kill(pid, sig):
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False


def kill_leased():
    with open("/run/leased.pid") as f:
        kill(int(f.read()), signal.SIGKILL)
    with open("/run/leased.out", "a") as out:
        leased = subprocess.Popen(["leased"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    with open("/run/leased.pid", "w") as f:
        f.write("%d\n" % leased.pid)


def kill_one(counts):
    kind = random.choice(("ssh-KILL", "ssh-TERM", "session", "monitor"))
    if random.random() < 0.05:
        kind = "leased"
        kill_leased()
    elif kind.startswith("ssh"):
        a = random.choice(agents)
        if a.ssh is None or not a.up:
            return
        a.ssh.send_signal(signal.SIGKILL if kind == "ssh-KILL" else signal.SIGTERM)
    else:
        monitor = int(random.choice(entries() or [{"pid": "0"}])["pid"])
        below = children(monitor)
        if not below or not kill(monitor if kind == "monitor" else below[0], signal.SIGKILL):
            return
    counts[kind] = counts.get(kind, 0) + 1


def heartbeat(counts):
    a = random.choice(agents)
    try:
        connection = http.client.HTTPConnection("127.0.0.1:12000", timeout=5)
        status, said = request(connection, a.secret, {"action": "heartbeat", "agent_id": a.name})
        connection.close()
    except OSError:
        status, said = 503, ""
    counts["heartbeats"] += 1
    if status == 503: # leased was killed: the agent asks again
        counts["no_answer"] += 1
    elif status != 200:
        counts["refused"] += 1
        sys.stderr.write("heartbeat of %s: %d %s\n" % (a.name, status, said))


def kill_for(seconds, rate):
    counts = {"heartbeats": 0, "refused": 0, "no_answer": 0}
    start = now = next_kill = next_beat = time.monotonic()
    while now - start < seconds:
        look()
        while next_kill <= now:
            kill_one(counts)
            next_kill += random.expovariate(rate)
        while next_beat <= now:
            heartbeat(counts)
            next_beat += 60.0 / COUNT
        time.sleep(max(0.0, min(0.05, next_kill - time.monotonic())))
        now = time.monotonic()
    return " ".join("%s=%d" % item for item in sorted(counts.items()))


def disagreement():
    ports = listening()
    silent = [a.name for a in agents if a.port not in ports]
    if silent:
        return "%d ports do not listen: %s" % (len(silent), silent[:5])
    by_lease = {}
    for e in entries():
        by_lease.setdefault(e["lease"], []).append(e)
    # A session process is its monitor's child, or outlives it, in the session (setsid) that the monitor led.
    processes = {}
    for pid in subprocess.run(["pgrep", "-u", "gw-tunnel"], capture_output=True, text=True).stdout.split():
        field = stat(pid)
        if field and field[0] not in "ZX":
            processes.setdefault(field[3], []).append(pid)
    for a in agents:
        of_agent = by_lease.pop(a.name, [])
        if len(of_agent) != 1:
            return "%s has %d entries in the registry" % (a.name, len(of_agent))
        pid = of_agent[0]["pid"]
        if len(processes.pop(pid, [])) != 1:
            return "%s: process %s of its entry has no session process" % (a.name, pid)
        monitor = stat(pid)
        if monitor and monitor[19] != of_agent[0]["start_ticks"]:
            return "%s: process %s is not that of its entry" % (a.name, pid)
    if by_lease or processes:
        return "entries of others: %s; session processes that are in no entry: %s" % (list(by_lease)[:5], list(processes)[:5])
    said = json.loads(subprocess.run(["leasectl", "--json", "sessions"], capture_output=True, text=True).stdout)
    if sorted(s["lease"] for s in said) != sorted(a.name for a in agents):
        return "leasectl sessions has %d rows" % len(said)
    store = sqlite3.connect("file:/var/lib/tunlease/leases.db?mode=ro", uri=True)
    last = dict(store.execute("SELECT lease, action FROM (SELECT lease, action, max(seq) FROM audit"
                              " WHERE action IN ('tunnel_up', 'tunnel_down') GROUP BY lease)"))
    not_up = [a.name for a in agents if last.get(a.name) != "tunnel_up"]
    if not_up:
        return "the store's last word on %d agents is not tunnel_up: %s" % (len(not_up), not_up[:5])
    try:
        connection = http.client.HTTPConnection("127.0.0.1:12000", timeout=5)
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        text = answer.read().decode()
    except OSError as e:
        return "leased does not answer: %s" % e
    return "" if answer.status == 200 else "/healthz: " + text


def agree():
    """Within twenty looks: leased records what it sees within a second or two."""
    why = "never looked"
    for _ in range(20):
        look()
        why = disagreement()
        if not why:
            return "ok %d" % COUNT
        time.sleep(1)
    return why


def memory():
    with open("/run/sshd.pid") as f:
        todo = children(int(f.read()))
    pss = tables = count = 0
    while todo:
        pid = todo.pop()
        todo += children(pid)
        try:
            pss += next(int(l.split()[1]) for l in open("/proc/%d/smaps_rollup" % pid) if l.startswith("Pss:"))
            tables += next(int(l.split()[1]) for l in open("/proc/%d/status" % pid) if l.startswith("VmPTE:"))
            count += 1
        except (OSError, StopIteration):
            pass
    return "%.0f %.0f %.2f" % (pss / COUNT, tables / COUNT, count / COUNT)


def settled(seconds):
    took = wait_until(lambda: look() == COUNT and all(a.up for a in agents) and len(entries()) == COUNT, seconds)
    return "%.2f" % took if took is not None else "no: %d of %d ports listen, %d entries" % (look(), COUNT, len(entries()))


def none_listens():
    ports = listening()
    return not any(a.port in ports for a in agents)


def stay_down():
    for a in agents:
        if a.ssh is not None:
            a.ssh.send_signal(signal.SIGSTOP)
    return "ok"


def up():
    for a in agents:
        if a.ssh is not None:
            a.ssh.send_signal(signal.SIGCONT)
    wait_until(lambda: look() >= 0, 1)
    took = wait_until(lambda: look() == COUNT, 3600)
    return "%.2f" % took


def down():
    for a in agents:
        if a.ssh is not None:
            a.ssh.terminate()
    took = wait_until(lambda: look() == 0, 300)
    return "%.2f" % took


def gone(since):
    while not none_listens():
        if time.time() - since > 300:
            return "no"
        time.sleep(0.05) # a look takes some milliseconds of the processor
    return "%.3f" % (time.time() - since)


for line in iter(sys.stdin.readline, ""):
    word = line.split()
    if word[0] in ("up", "down", "stay_down"):
        running = word[0] == "up"
    said = {"register": lambda: register(word[1], word[2]), "up": up, "down": down, "stay_down": stay_down,
            "gone": lambda: gone(float(word[1])), "kill": lambda: kill_for(float(word[1]), float(word[2])),
            "settled": lambda: settled(float(word[1])), "agree": agree, "memory": memory}[word[0]]()
    print(said, flush=True)
    while running and not select.select([sys.stdin], [], [], 0.2)[0]:
        look()
for a in agents:
    if a.ssh is not None:
        a.ssh.kill()
