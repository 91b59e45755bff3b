#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Grants random leases and runs the lines that grant prints, as the friend who got them.

usage: friend_lines.py COUNT [SEED]     inside tests/sandbox, after tests/friend_lines.sh has prepared it

The friend is user li in network namespace `far`, whose ~/.ssh/config is hostile to tunnels. Each service
answers with its own address, so that a forward that leads elsewhere is seen. The tunnel of each line must
carry data through every port that is printed, and end when the lease is revoked: a master that nobody
watches would go on. SEED repeats a run; it is printed first.
"""
import ctypes
import os
import pwd
import random
import re
import shutil
import socket
import subprocess
import sys
import time

WAIT_S = 20 * max(1.0, int(os.environ.get("TEST_SLOW_PERCENT", "100")) / 100)
HOSTS = ["127.0.0.1", "127.0.0.1", "[::1]", "10.88.0.1", "10.88.0.2", "db.test"]
PORTS = [80, 443, 1023, 1024, 5432, 5433, 8009, 8010, 8011, 8012, 8013, 10080, 10443, 65535]
AGENT = "box"
HOME = "/home/li"
WORK = os.environ["WORK"]
SHELLS = [path for path in map(shutil.which, ["sh", "bash", "zsh", "fish"]) if path]

libc = ctypes.CDLL(None, use_errno=True)
namespaces = {"here": os.open("/proc/self/ns/net", os.O_RDONLY), "far": os.open("/run/netns/far", os.O_RDONLY)}
friend_file = HOME + "/.ssh/id_ed25519"


def die(text):
    sys.exit("FAIL: seed %d, lease %s: %s" % (seed, name, text))


def run(*words):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        die("%s: exit %d: %s" % (" ".join(words), done.returncode, done.stderr))
    return done.stdout


def enter(namespace):
    if libc.setns(namespaces[namespace], 0) != 0:
        sys.exit("setns: " + os.strerror(ctypes.get_errno()))


def ask(port):
    """What the service behind the friend's local port says; None: nothing answers."""
    enter("far")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as s:
            return s.makefile().readline().strip() or None
    except OSError:
        return None
    finally:
        enter("here")


def new_key(comment, path):
    for old in (path, path + ".pub"):
        if os.path.exists(old):
            os.remove(old)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
    for new in (path, path + ".pub"):
        shutil.chown(new, "li")
    return path


def random_permits(rng):
    permits = []
    while len(permits) < rng.choice([1, 1, 2, 3, 4, 5]):
        low = rng.choice(PORTS)
        high = low + rng.randint(1, 3) if low == 8010 and rng.random() < 0.5 else low
        permit = "%s:%s" % (rng.choice(HOSTS), low if low == high else "%d-%d" % (low, high))
        if permit not in permits:
            permits.append(permit)
    return permits


def friend_runs(line, shell):
    me = pwd.getpwnam("li")
    words = ["ip", "netns", "exec", "far", "setpriv", "--reuid=li", "--regid=%d" % me.pw_gid, "--clear-groups",
             "env", "-i", "HOME=" + HOME, "PATH=/usr/bin:/bin", shell, "-c", line]
    with open(WORK + "/line.out", "wb") as out, open(WORK + "/line.err", "wb") as err:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd="/")


def said():
    with open(WORK + "/line.err", encoding="utf-8", errors="replace") as f:
        return f.read()[-600:]


def until(what, condition, process=None):
    end = time.monotonic() + WAIT_S
    while not condition():
        if process is not None and process.poll() is not None:
            die("%s: ssh ended with %d: %s" % (what, process.returncode, said()))
        if time.monotonic() > end:
            die("%s: not within %d s: %s" % (what, WAIT_S, said()))
        time.sleep(0.02)


def no_ssh_of_friend():
    return subprocess.run(["pgrep", "-u", "li", "-x", "ssh"], stdout=subprocess.DEVNULL, check=False).returncode == 1


def signal_ssh_of_friend():
    """True when none is left. With ControlPersist an ssh forks its master once it has connected: the signal may
    come just before, so it is sent at each look."""
    subprocess.run(["pkill", "-u", "li", "-x", "ssh"], check=False)
    return no_ssh_of_friend()


def end_masters():
    """The friend's own, which the next case would use: a jump is a login of his, and may leave one."""
    until("the friend's masters to end", signal_ssh_of_friend)


def check_urls(text, local_ports):
    printed = []
    for first, last in re.findall(r"^then use   http://127\.0\.0\.1:(\d+)/(?: to :(\d+)/)?", text, re.M):
        printed += range(int(first), int(last or first) + 1)
    if sorted(printed) != sorted(local_ports):
        die("the URLs name the ports %s, the line %s" % (printed, local_ports))


def try_tunnel(line, text, permits, shell):
    forwards = {}
    for local, target in re.findall(r' -L "?(\d+):(.*?)"?(?= )', line):
        if int(local) in forwards or int(local) < 1024:
            die("local port %s is not of its own: %s" % (local, line))
        forwards[int(local)] = target
    want = []
    for permit in permits:
        host, _, ports = permit.rpartition(":")
        low, _, high = ports.partition("-")
        want += ["%s:%d" % (host, port) for port in range(int(low), int(high or low) + 1)]
    if sorted(forwards.values()) != sorted(want):
        die("the line forwards %s, the lease opens %s" % (sorted(forwards.values()), sorted(want)))
    check_urls(text, list(forwards))
    ssh = friend_runs(line, shell)
    until("the tunnel", lambda: ask(max(forwards)) is not None, ssh)
    for local, target in forwards.items():
        got = ask(local)
        if got != target.replace("db.test", "10.88.0.3"):
            die("port %d leads to %s, not to %s: %s" % (local, got, target, line))
    return ssh


def try_jump(line, shell):
    ssh = friend_runs(line.replace("USER@", "li@"), shell)
    if ssh.wait(WAIT_S) != 0:
        die("the jump ended with %d: %s: %s" % (ssh.returncode, line, said()))
    with open(WORK + "/line.out", encoding="utf-8") as f:
        got = f.read().strip()
    if got != "from li":
        die("the jump printed '%s'" % got)
    end_masters()


def start_master():
    """The master of another lease's tunnel: the line must not give its forwards to that."""
    ssh = friend_runs("ssh -f -N -o IdentitiesOnly=yes -i ~/.ssh/other_key pfwd@" + os.environ["NEAR"], "sh")
    if ssh.wait(WAIT_S) != 0:
        die("no master of the friend's: %s" % said())


def try_lease(rng):
    shell, told, jumps = rng.choice(SHELLS), rng.random() < 0.5, rng.random() < 0.25
    has_master = rng.random() < 0.5
    permits = random_permits(rng) if not jumps or rng.random() < 0.5 else []
    key = new_key(name + "_key" if told else "li@laptop",
                  "%s/.ssh/%s_key" % (HOME, name) if told else friend_file)
    shutil.copyfile(key + ".pub", HOME + "/.ssh/authorized_keys")
    words = ["--open=" + permit for permit in permits + (["agent:" + AGENT] if jumps else [])]
    text = run("leasectl", "grant", name, "--key", key + ".pub", *words)
    lines = [line.strip() for line in text.splitlines() if line.startswith("  ssh ")]
    if len(lines) != (1 if permits else 0) + (1 if jumps else 0):
        die("grant prints these lines: %s" % lines)
    if any(("-i " in line) != told for line in lines):
        die("-i for a file that %s: %s" % ("was told" if told else "nobody was told", lines))
    if jumps:
        try_jump(lines[-1], shell)
    if has_master:
        start_master()
    ssh = try_tunnel(lines[0], text, permits, shell) if permits else None
    run("leasectl", "revoke", name)
    if ssh is not None:
        until("the line to end with its lease", lambda: ssh.poll() is not None)
        if ssh.returncode == 0:
            die("ssh ended with 0 when its lease was revoked: %s" % said())
    if has_master:
        end_masters()
    if not no_ssh_of_friend():
        die("an ssh of the friend goes on after the lease was revoked")
    os.remove(key)
    os.remove(key + ".pub")
    return "%s %s%s%s" % (os.path.basename(shell), " ".join(words), " -i" if told else "",
                          ", beside a master" if has_master else "")


count = int(sys.argv[1])
seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**9)
print("# seed %d" % seed, flush=True)
for i in range(count):
    name = "friend%d" % i
    print("ok - %s" % try_lease(random.Random("%d-%d" % (seed, i))), flush=True)
