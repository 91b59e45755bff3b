#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compares the reader of authorized_keys with a real sshd, for tests/e2e/authorized_oracle.sh.

  authorized_oracle.py DIR SSHD PORT LOGIN LINES SEED SAMPLE [FIRST]

DIR holds the host key, the private keys sample-0 to sample-N, and authority-0 to authority-2; LOGIN's home holds rc that says `rc`.
Each file of a hundred random lines is offered to sshd with all of its keys, in one connection of a
client that has no private half: which line admits each key, and what sshd logs of its options, must be
what build/tests/authorized says. SAMPLE of the keys are then used: each forward, terminal, agent and
command is allowed by sshd if and only if the reader says so. So is a certificate of each authority.
Prints the first differences; exits 1 if
there are any.
"""
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import authorized_lines

DIR, SSHD, PORT, LOGIN = sys.argv[1:5]
LINES, SEED, SAMPLE = map(int, sys.argv[5:8])
FIRST = int(sys.argv[8]) if len(sys.argv) > 8 else 0
TOP = os.environ["TOP"]
PER_FILE = 100  # as many keys as ssh takes
FILE = DIR + "/keys"
LOG = DIR + "/sshd.log"
FROM = dict(authorized_lines.FROM)
OPEN = [("127.0.0.1", 8009), ("localhost", 8009), ("127.0.0.1", 8010), ("::1", 8009)]
LISTEN = [("localhost", 20001), ("127.0.0.1", 20001), ("", 20001), ("LOCALHOST", 20002), ("::1", 20001), ("127.0.0.9", 20002)]
SSH = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
       "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "PreferredAuthentications=publickey",
       "-o", "PubkeyAcceptedAlgorithms=+ssh-dss", "-p", PORT, "-l", LOGIN]
problems = []


def problem(text):
    problems.append(text)
    if len(problems) <= 20:
        print(f"seed {SEED}: {text}", flush=True)


def read_log(start):
    with open(LOG, "rb") as f:
        f.seek(start)
        return f.read()


def undo_vis(text):
    """What sshd's log had before it was made printable."""
    return re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8)]), text).replace(b"\\\\", b"\\")


def ask_reader():
    """[(kind, fingerprint, over, answers, from, messages)] by line number - 1"""
    questions = [f"open={h}:{p}" for h, p in OPEN] + [f"listen={h}:{p}" for h, p in LISTEN]
    out = subprocess.run([TOP + "/build/tests/authorized", FILE] + questions, stdout=subprocess.PIPE, check=True).stdout
    lines = []
    for line in out.split(b"\n")[:-1]:
        if not line.startswith(b"\t"):
            _, kind, fp, over, answers = line.decode().split(" ")
            lines.append([kind, fp, over == "1", answers, None, []])
        elif line.startswith(b"\tfrom: "):
            lines[-1][4] = line[7:].decode("utf-8", "surrogateescape")
        else:
            lines[-1][5].append(line[1:])
    return lines


def ask_sshd(keys):
    """{fingerprint: (number of the line that admits, messages)} for those that are admitted"""
    arguments = []
    for i, key in enumerate(keys):
        path = f"{DIR}/offer-{i}.pub"
        with open(path, "w") as f:
            f.write(key.pub + "\n")
        arguments += ["-i", path]
    start = os.path.getsize(LOG)
    done = subprocess.run(SSH + arguments + ["127.0.0.1", "true"], stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 255 or b"Permission denied" not in done.stderr:
        sys.exit(f"ssh ended with {done.returncode}: {done.stderr[-2000:]!r}")
    end = time.time() + 20
    while b"Connection closed by authenticating user" not in (log := read_log(start)) and time.time() < end:
        time.sleep(0.02)
    found, asked, fp, where = {}, set(), None, FILE.encode() + b":"
    for line in log.split(b"\n"):
        line = line.removesuffix(b"\r").removeprefix(b"debug1: ").removesuffix(b" [preauth]")
        if m := re.search(rb"publickey test pkalg \S+ pkblob \S+ (SHA256:\S+)", line):
            fp = m[1].decode()
            asked.add(fp)
        elif m := re.match(rb"Accepted key \S+ (SHA256:\S+) found at .*:(\d+)$", line):
            if m[1].decode() != fp or found[fp][0] != int(m[2]):
                problem(f"sshd accepts {m[1]!r} in line {m[2]!r}, and logs the options of {fp} in line {found.get(fp)}")
        elif line.startswith(where):
            number, _, message = line[len(where):].partition(b": ")
            if message.startswith(b"key options:"):
                found[fp] = (int(number), [message])
            elif message.startswith((b"environment: ", b"expires at ", b"authorized principals: ", b"forced command: ", b"permitted open: ", b"permitted listen: ")):
                found[fp][1].append(message)
    return found, asked


def wanted(lines, fp):
    """The number of the line that admits the key, or 0; None: not known."""
    for number, (kind, line_fp, over, _, source, _) in enumerate(lines, 1):
        if kind != "key" or line_fp != fp or over:
            continue
        admits = 1 if source is None else FROM.get(source)
        if admits is None:
            return None
        if admits:
            return number
    return 0


def compare(name, texts, keys, lines):
    found, asked = ask_sshd(keys)
    judged = 0
    for key in keys:
        want = wanted(lines, key.fp)
        if want is None:
            continue
        judged += 1
        number, messages = found.get(key.fp, (0, []))
        if number != want:
            for n in {number, want} - {0}:
                problem(f"{name}, line {n}: sshd takes line {number} for {key.kind} {key.fp}, the reader {want} {lines[n - 1]}: {texts[n - 1]!r}")
        elif want:
            ours, theirs = lines[want - 1][5], [undo_vis(m) for m in messages]
            theirs[0] = re.sub(rb"(?<! )expires", b" expires", theirs[0])  # 9.2 leaves out the blank
            if ours != theirs:
                problem(f"{name}, line {want}: sshd: {theirs}; the reader: {ours}: {texts[want - 1]!r}")
        if key.fp not in asked and key.kind not in ("dsa", "short-rsa"):
            problem(f"{name}: ssh did not offer {key.kind} {key.fp}")
    return judged, len(found)


def make_file(lines, first):
    """Writes a file; returns its lines and keys, those of the certificates too."""
    texts, keys = [], {}
    while len(texts) < PER_FILE and first + len(texts) < LINES:
        lines.line()
        texts.append(lines.text)
        if lines.key and lines.key.fp not in keys:
            keys[lines.key.fp] = lines.key
    if first % 200 == 0:
        texts[-1] = texts[-1].removesuffix(b"\n")
    with open(FILE, "wb") as f:
        f.write(b"".join(texts))
    return texts, list(keys.values())


# ---- what is really allowed ---------------------------------------------------------------------

PROBE = "test -t 0 && echo tty; test -n \"$SSH_AUTH_SOCK\" && echo agent; echo asked"


def run(*args, timeout=60):
    done = subprocess.run(SSH + list(args), stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def try_forwards(key, answers, name):
    sock = DIR + "/master"
    code, _, err = run("-i", key.private, "-M", "-S", sock, "-fN", "127.0.0.1")
    if code != 0:
        problem(f"{name}: no login: {err!r}")
        return
    questions = [("open", *o) for o in OPEN] + [("listen", *l) for l in LISTEN]
    for (what, host, port), answer in zip(questions, answers):
        shown = f"[{host}]" if ":" in host else host
        if what == "open":
            code, out, err = run("-S", sock, "-W", f"{shown}:{port}", "127.0.0.1")
            allowed = b"hello from" in out
        else:
            spec = f"{shown}:{port}:127.0.0.1:8009"
            code, out, err = run("-S", sock, "-O", "forward", "-R", spec, "127.0.0.1")
            allowed = code == 0
            if allowed:
                run("-S", sock, "-O", "cancel", "-R", spec, "127.0.0.1")
        if allowed != (answer == "1"):
            problem(f"{name}: {what} {shown}:{port}: sshd {'allows' if allowed else 'refuses'} it ({err!r})")
    run("-S", sock, "-O", "exit", "127.0.0.1")


def try_session(key, flags, command, name):
    _, out, err = run("-i", key.private, "-A", "-tt", "127.0.0.1", PROBE)
    if b"PTY allocation request failed" in err:
        _, out, err = run("-i", key.private, "-A", "-T", "127.0.0.1", PROBE)
    words = out.decode("utf-8", "replace").replace("\r", "").split("\n")
    if command is None:
        got = {w for w in ("tty", "agent", "asked") if w in words}
        want = {w for w, flag in (("tty", " pty"), ("agent", " agent-forwarding")) if flag in flags} | {"asked"}
    else:
        got, want = {w for w in ("forced", "asked") if w in words}, {"forced"} if command == b"echo forced" else set()
    got |= {"rc"} & set(words)
    want |= {"rc"} if " user-rc" in flags else set()
    if got != want:
        problem(f"{name}: a session has {sorted(got)}, not {sorted(want)}: {out!r} {err!r}")


def try_sample(texts, keys, lines, name):
    for key in keys:
        number = wanted(lines, key.fp)
        if not key.private or not number:
            continue
        kind, _, _, answers, _, messages = lines[number - 1]
        command = [m.removeprefix(b"forced command: \"")[:-1] for m in messages if m.startswith(b"forced command: ")]
        label = f"{name}, line {number} {texts[number - 1]!r}"
        try_forwards(key, answers, label)
        try_session(key, messages[0].decode() + " ", command[0] if command else None, label)
        tried.append(answers)


def wanted_by_authority(lines, fp):
    """The number of the line that admits a certificate for `oracle` which the key has signed, or 0."""
    for number, (kind, line_fp, over, _, source, messages) in enumerate(lines, 1):
        if kind != "authority" or line_fp != fp or over or not (source is None or FROM.get(source)):
            continue
        names = [m[24:-1].split(b",") for m in messages if m.startswith(b"authorized principals: ")]
        if not names or b"oracle" in names[0]:
            return number
    return 0


def try_authorities(lines, name):
    for key in generator.authorities:
        if not any(line[1] == key.fp for line in lines):
            continue
        if not os.path.exists(key.private + "-user-cert.pub"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.private + "-user"], stdin=subprocess.DEVNULL, check=True)
            subprocess.run(["ssh-keygen", "-q", "-s", key.private, "-I", "x", "-n", "oracle", key.private + "-user.pub"], check=True)
        start = os.path.getsize(LOG)
        run("-i", key.private + "-user", "-o", f"CertificateFile={key.private}-user-cert.pub", "127.0.0.1", "true")
        found = re.findall(rb"Accepted certificate .* found at .*:(\d+)", read_log(start))
        number, want = int(found[-1]) if found else 0, wanted_by_authority(lines, key.fp)
        certificates.append(want)
        if number != want:
            problem(f"{name}: sshd takes the certificate by line {number}, the reader by {want}: {[lines[n - 1] for n in (number, want) if n]}")


sample = [f"{DIR}/sample-{i}" for i in range(SAMPLE)]
tried, certificates = [], []
generator = authorized_lines.Lines(SEED, sample, [f"{DIR}/authority-{i}" for i in range(3)])
total = judged = admitted = 0
counts = {}
while total < LINES:
    texts, keys = make_file(generator, total)
    lines = ask_reader()
    if len(lines) != len(texts):
        sys.exit(f"{len(texts)} lines were written, {len(lines)} read")
    name = f"lines from {total}"
    more_judged, more_admitted = compare(name, texts, keys, lines)
    judged += more_judged
    admitted += more_admitted
    for line in lines:
        counts[line[0]] = counts.get(line[0], 0) + 1
    if SAMPLE:
        try_sample(texts, keys, lines, name)
        try_authorities(lines, name)
    total += len(texts)
print(f"{total} lines ({', '.join(f'{n} {kind}' for kind, n in sorted(counts.items()))}), "
      f"{judged} keys asked for, {admitted} admitted, {len(tried)} used, "
      f"{len([n for n in certificates if n])} of {len(certificates)} certificates: {len(problems)} differences")
sys.exit(1 if problems else 0)
