#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""judge: runs programs, and checks what they print and change by the same rules.

For tests/attack/bad_input.sh, which has some 700 cases: this needs one process for a case, a shell
fifteen. Requests on standard input are records of NUL-terminated fields, the first of which counts the
others; the answer to each is one line on standard output, "ok ..." or "FAIL ...".

  remember                        notes the state, with which the others compare
  same WHAT                       checks that nothing has changed
  line STATUS GOT WORDS WHAT      checks GOT, an exit status, and err: one clear line with WORDS
  judge STATUS GOT WORDS WHAT     the same, and that out is empty and nothing has changed
  run STATUS WORDS WHAT ARGS...   runs ARGS without input, then as "judge"
  akc STATUS WHAT ARGS...         runs ARGS: prints nothing; with status 0 logs one line, with sound fields

usage: judge.py DIRECTORY LOG STORE FILE...: out and err lie in DIRECTORY; STORE and its log, and the
FILEs are what must not change.
"""
import collections
import hashlib
import os
import re
import sqlite3
import subprocess
import sys
import time

work, log, store, files = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]
slow = int(os.environ["TEST_SLOW_PERCENT"]) / 100

# C0 (but the newline), DEL, C1, U+061C, U+200E-F, U+2028-E, U+2066-9: what controls a terminal, or forges a line.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Wrong(Exception):
    pass


def content(name):
    try:
        with open(name, "rb") as f:
            return f.read()
    except FileNotFoundError:
        return b""


def in_work(name):
    return os.path.join(work, name)


def said(text, most=300):
    return "".join(c if c.isprintable() else "\\x%02x" % ord(c) for c in text[:most].decode("utf-8", "backslashreplace"))


# ---- what a program could change: accounts and configuration, and the store's rows --------------

before = {}


def rows():
    """Of a copy, as reading the store itself would change its files."""
    for suffix in ("", "-wal"):
        with open(in_work("copy.db" + suffix), "wb") as f:
            f.write(content(store + suffix))
    try:
        os.unlink(in_work("copy.db-shm"))
    except FileNotFoundError:
        pass
    copy = sqlite3.connect(in_work("copy.db"))
    try:
        return hashlib.sha256("\n".join(copy.iterdump()).encode("utf-8", "surrogateescape")).digest()
    finally:
        copy.close()


def stored():
    return hashlib.sha256(content(store) + content(store + "-wal")).digest()


def remember():
    before["files"] = [content(name) for name in files]
    before["stored"] = stored()
    before["rows"] = rows()
    if not before["files"] or not content(store):
        raise Wrong("there is nothing to compare with")


def same(what):
    if [content(name) for name in files] != before["files"]:
        raise Wrong("%s: one of %s changed" % (what, " ".join(files)))
    now = stored()
    if now == before["stored"]:
        return
    # A checkpoint moves bytes and changes no row.
    if rows() != before["rows"]:
        raise Wrong("%s: the store changed" % what)
    before["stored"] = now


# ---- what a program says ------------------------------------------------------------------------


def harmless(text):
    try:
        return not CONTROL.search(text.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def clear_line(status, got, words, what):
    err = content(in_work("err"))
    if got != status:
        raise Wrong("%s: exit %s, not %s: %s" % (what, got, status, said(err)))
    # Nobody reads a line that is longer than this.
    if err.count(b"\n") != 1 or len(err) > 2500 or not err.endswith(b"\n"):
        raise Wrong("%s: not one line of a sane length: %d bytes: %s" % (what, len(err), said(err)))
    if not harmless(err):
        raise Wrong("%s: control characters on stderr: %s" % (what, said(err)))
    if words not in err:
        raise Wrong("%s: no '%s' in: %s" % (what, words.decode(), said(err)))
    return "%s: %s: %s" % (status, what, said(err[:-1], 160))


def judged(status, got, words, what):
    answer = clear_line(status, got, words, what)
    out = content(in_work("out"))
    if out:
        raise Wrong("%s: says something on stdout: %s" % (what, said(out)))
    same(what)
    return answer


def run(args):
    with open(in_work("out"), "wb") as out, open(in_work("err"), "wb") as err:
        return subprocess.run(args, stdin=subprocess.DEVNULL, stdout=out, stderr=err).returncode


def new_log(start):
    with open(log, "rb") as f:
        f.seek(start)
        return f.read()


REFUSED = re.compile(rb': refused login=[A-Za-z0-9._@\\-]* key= reason=no_lease lease= problem="[^="]+"$', re.M)


def akc(status, what, args):
    start = os.path.getsize(log)
    got = run(args)
    out, err = content(in_work("out")), content(in_work("err"))
    if got != status:
        raise Wrong("%s: exit %d, not %d" % (what, got, status))
    if out:
        raise Wrong("%s prints: %s" % (what, said(out)))
    if status == 0 and not harmless(err):
        raise Wrong("%s: stderr: %s" % (what, said(err)))
    end = time.monotonic() + 5 * slow
    while status == 0 and b"\n" not in new_log(start):
        if time.monotonic() > end:
            raise Wrong("%s logs nothing" % what)
        time.sleep(0.002)
    logged = new_log(start)
    # The login is one word, whatever it is, so it cannot forge a field; the last one is free text.
    if status == 0 and not REFUSED.search(logged):
        raise Wrong("%s logs: %s" % (what, said(logged)))
    # The sink writes control characters as \xNN, and so does akc within that word.
    rest = re.sub(rb" login=[^ ]* key=", b" login= key=", logged)
    if re.search(rb"\\x([01][0-9a-f]|7f)|[^\x20-\x7e\n]", rest):
        raise Wrong("%s logs: %s" % (what, said(logged)))
    if logged.count(b"\n") > 1 or len(logged) > 1500:
        raise Wrong("%s logs %d lines, %d bytes" % (what, logged.count(b"\n"), len(logged)))
    same(what)
    return "%s %d: %s" % (what, status, said(logged, 160))


# ---- requests -----------------------------------------------------------------------------------


def answer(fields):
    kind, rest = fields[0].decode(), fields[1:]
    if kind == "remember":
        remember()
        return "remembered"
    if kind == "same":
        same(said(rest[0]))
        return "the same"
    if kind == "line":
        return clear_line(int(rest[0]), int(rest[1]), rest[2], said(rest[3]))
    if kind == "judge":
        return judged(int(rest[0]), int(rest[1]), rest[2], said(rest[3]))
    if kind == "run":
        return judged(int(rest[0]), run(rest[3:]), rest[1], said(rest[2]))
    if kind == "akc":
        return akc(int(rest[0]), said(rest[1]), rest[2:])
    raise Wrong("no such request: " + kind)


pending, tail = collections.deque(), b""


def field():
    global tail
    while not pending:
        more = os.read(0, 1 << 20)
        if not more:
            sys.exit(0)
        *whole, tail = (tail + more).split(b"\0")
        pending.extend(whole)
    return pending.popleft()


while True:
    fields = [field() for _ in range(int(field()))]
    try:
        reply = "ok " + answer(fields)
    except Wrong as wrong:
        reply = "FAIL " + str(wrong)
    except Exception as error:  # a fault of this program must not leave the test waiting
        reply = "FAIL %s: %r" % (fields[0].decode(), error)
    os.write(1, reply.replace("\n", "\\n").encode("utf-8", "backslashreplace") + b"\n")
