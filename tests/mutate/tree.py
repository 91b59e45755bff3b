# SPDX-License-Identifier: ISC
"""The built tree: make's own commands, which unit test runs which line, and a namespace to run a test in."""
import glob
import json
import os
import re
import shlex
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORK = os.path.join(TOP, "build/mutate")
SAN = "build/san"

# A changed program may signal or delete anything that it may: nothing of the host is in its reach.
JAIL = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child", "sh", "-c",
        'mount --make-rprivate / && mount -t tmpfs -o mode=1777 tmpfs /tmp && mount -t tmpfs -o mode=755 tmpfs /run &&'
        ' mount -t proc proc /proc && mount -o remount,bind,ro / && ip link set lo up && ulimit -c 0 && exec "$@"', "jail"]


def run(command, **more):
    return subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **more)


class Commands:
    """How make compiles each object and links each unit test, as it says itself (make -n -B)."""

    def __init__(self):
        text = subprocess.run(["make", "-n", "-B", "V=1", "tests"], cwd=TOP, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False, text=True).stdout
        self.compiles, self.links = {}, {}
        for line in text.replace("\\\n", " ").splitlines():
            found = re.search(r" -o (\S+)", line)
            if found is None or not line.startswith(("gcc", "cc", "clang")):
                continue
            if " -c " in line:
                self.compiles[found.group(1)] = shlex.split(line)
            else:
                self.links[found.group(1)] = line

    def compile(self, built, file, source, to, extra=()):
        """Compiles that text as if it were the file. False if it does not compile."""
        words = list(self.compiles[f"{built}/obj/{file[:-2]}.o"])
        words = [w for w in words if w not in ("-MMD", "-MP", "-g", "-Werror", file) and not w.startswith("-W")]
        words[words.index("-o") + 1] = to
        done = run(words + ["-w", *extra, "-x", "c", "-"], input=f'# 1 "{file}"\n{source}'.encode())
        return done.returncode == 0

    def link(self, built, test, file, changed, to):
        """Links a unit test with the changed object in place of the file's own. Its symbols come first, so the
        linker does not take the member of the archive."""
        line = self.links[f"{built}/tests/unit/{test}"]
        own = f"{built}/obj/{file[:-2]}.o"
        if f" {own} " in line:
            line = line.replace(f" {own} ", f" {changed} ")
        else:
            line = line.replace("-Wl,--start-group ", f"-Wl,--start-group {changed} ")
        line = line.replace(f"-o {built}/tests/unit/{test} ", f"-o {to} ")
        return run(["sh", "-c", line])


def run_test(program, limit_s):
    """'' when it passes, else why it failed."""
    try:
        done = run(JAIL + [program], timeout=limit_s, env=dict(os.environ, TOP=TOP, LC_ALL="C"), stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return "time limit"
    return "" if done.returncode == 0 else "failed"


def measure(names):
    """Runs each test of the build with counters once. Its lines: {file: {line: {tests, branches, function}}}."""
    built = "build/coverage"
    lines, took = {}, {}
    for name in names:
        for old in glob.glob(f"{TOP}/{built}/obj/**/*.gcda", recursive=True):
            os.remove(old)
        begin = time.monotonic()
        try:
            run([f"{built}/tests/unit/{name}"], timeout=120, env=dict(os.environ, TOP=TOP))
        except subprocess.TimeoutExpired:
            print(f"{name}: no answer in 120 s, with counters")
        took[name] = time.monotonic() - begin
        files = [p for p in glob.glob(f"{TOP}/{built}/obj/**/*.gcda", recursive=True) if "/obj/tests/" not in p]
        text = subprocess.run(["gcov", "-b", "--json-format", "--stdout", *files], cwd=TOP, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False, text=True).stdout
        for document in text.splitlines():
            if not document.startswith("{"):
                continue
            for part in json.loads(document)["files"]:
                path = os.path.relpath(os.path.join(TOP, part["file"]), TOP)
                if not path.endswith(".c") or path.startswith(".."):
                    continue
                add_lines(lines.setdefault(path, {}), part["lines"], name)
    return {"lines": lines, "took": took}


def add_lines(known, found, name):
    for line in found:
        # A jump that only an exception takes is none of C.
        branches = [b["count"] > 0 for b in line.get("branches", []) if not b.get("throw")]
        entry = known.setdefault(str(line["line_number"]), {"tests": [], "branches": [], "function": line.get("function_name", "")})
        if line["count"] > 0 and name not in entry["tests"]:
            entry["tests"].append(name)
        if len(branches) >= len(entry["branches"]):
            old = entry["branches"] + [False] * (len(branches) - len(entry["branches"]))
            entry["branches"] = [a or b for a, b in zip(old, branches)]


def counters(names, again=False):
    """measure()'s answer, kept until a test or an object of that build is newer."""
    kept = os.path.join(WORK, "lines.json")
    built = [f"{TOP}/build/coverage/tests/unit/{n}" for n in names]
    if not again and os.path.exists(kept) and all(os.path.getmtime(p) <= os.path.getmtime(kept) for p in built):
        with open(kept, encoding="utf-8") as file:
            return json.load(file)
    found = measure(names)
    os.makedirs(WORK, exist_ok=True)
    with open(kept, "w", encoding="utf-8") as file:
        json.dump(found, file)
    return found


def tests_of(lines, file, line):
    """The unit tests that run that line. A table has no lines that run: then all that run anything of the file,
    or, if it has nothing that runs, None: all."""
    known = lines.get(file)
    if not known:
        return None
    at = line
    while at > 0 and str(at) not in known and at > line - 12:
        at -= 1
    if str(at) in known:
        return known[str(at)]["tests"]
    return sorted({t for entry in known.values() for t in entry["tests"]})
