#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Every citation leads somewhere.

  citations.py [FOLDER]   reads all text files of the tree and prints what leads nowhere:
    docs/PAGE.md 3.2      a page without that numbered heading, in code, SQL, tests, manuals or docs
    (3.2)                 the same within a numbered page
    leasectl(2)           a manual page of ours with another section
    lib/base/buf.h        a file that is not there, and in pages a folder in backquotes
    `tests/run NAME`      a test that is not there
    old forms             pages that are not in the tree

Exit status 1 when there is any. A citation may go on in the next line of a comment.
"""
import glob
import os
import re
import sys

SKIPPED = {".git", "build", "corpus"}
NOT_READ = {"LICENSE", "copyright", "citations.py", "citations.sh"}
MANUALS = {"akc": "8", "join": "8", "leased": "8", "pam_tunnel": "8", "leasectl": "1", "tunnel-agent": "1",
           "tunlease.conf": "5"}
ROOTS = ("akc", "docs", "join", "leased", "leasectl", "lib", "packaging", "pam_tunnel", "sql", "tests",
         "tunnel-agent")

NUMBER = r"\d+(?:\.\d+)*"
CITED = re.compile(rf"docs/([a-z-]+\.md)(?: ({NUMBER}(?:, {NUMBER})*)(?![\w%]))?")
WITHIN = re.compile(r"\((\d{1,2}(?:\.\d+)?)\)")
MANUAL = re.compile(r"(?<![\w.-])(" + "|".join(map(re.escape, MANUALS)) + r")\((\d)\)")
TESTS = re.compile(r"`tests/run ([^`]+)`")
BENCHES = re.compile(r"`tests/bench/run ([a-z]+)`")
FOLDERS = re.compile(r"`((?:" + "|".join(ROOTS) + r")/[\w/-]*)`")
FILES = re.compile(r"(?<![\w/.$\"<-])((?:" + "|".join(ROOTS) +
                   r")/[\w/-]+\.(?:c|h|sql|sh|py|awk|json|yml|[158]))\b")
PLACEHOLDER = re.compile(r"[A-Z]{4}|\dN-")
HEADING = re.compile(rf"^#+ ({NUMBER})\.? ", re.M)
OLD = re.compile(r"\b(?:DESIG[N]|CONTRAC[T]|FLEE[T])(?:\.md)?\b(?!_)|\bfact[s] ?\(?\d|\bfact[s]: a|"
                 r"\bfact[s]/|\.\./share[d]")
# A line of a comment that goes on.
GOES_ON = re.compile(r"\n[ \t]*(?:\*(?!/)|//|#+(?= )|--)?[ \t]*")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        return ""


def text_files(top):
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            if name not in NOT_READ:
                yield os.path.join(folder, name)


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def tests_there(top, words):
    """The names among words that no test has."""
    for word in words.replace("\n", " ").split():
        name = word.strip("'").split("[")[0]
        if name.startswith("-") or "NAME" in name or "*" in name:
            continue
        paths = [f"tests/{name}.sh", f"tests/{name}.c"] if "/" in name else \
            [f"tests/*/{name}.sh", f"tests/unit/{name}.c"]
        if not any(glob.glob(os.path.join(top, path)) for path in paths):
            yield name


def problems_of(top, path, text, headings):
    name = os.path.relpath(path, top)
    page = os.path.basename(name) if name.startswith("docs/") else ""
    for found in OLD.finditer(text):
        yield found.start(), f"'{found.group()}' is no page of this tree"
    for found in MANUAL.finditer(text):
        if MANUALS[found.group(1)] != found.group(2):
            yield found.start(), f"{found.group()}: it is {found.group(1)}({MANUALS[found.group(1)]})"

    def is_there(path):
        return PLACEHOLDER.search(path) or os.path.exists(os.path.join(top, path))

    # Lines joined; what is found keeps its place by the number of lines before it.
    joined, starts, at = [], [], 0
    for gap in GOES_ON.finditer(text):
        joined.append(text[at:gap.start()])
        starts.append((sum(map(len, joined)) + len(starts), gap.end()))
        at = gap.end()
    joined.append(text[at:])
    flat = " ".join(joined)

    def place(flat_at):
        before = [real for start, real in starts if start <= flat_at]
        return before[-1] if before else 0

    for found in CITED.finditer(flat):
        there = headings.get(found.group(1))
        if there is None:
            if "*" not in found.group():
                yield place(found.start()), f"there is no {found.group().split(' ')[0]}"
            continue
        for number in (found.group(2) or "").split(", "):
            if number and number not in there:
                yield place(found.start()), f"docs/{found.group(1)} has no heading {number}"
    for found in FILES.finditer(text):
        if not is_there(found.group(1)):
            yield found.start(), f"there is no {found.group(1)}"
    if not name.endswith(".md"):
        return
    if headings.get(page):
        for found in WITHIN.finditer(text):
            if found.group(1) not in headings[page]:
                yield found.start(), f"({found.group(1)}) is no heading of this page"
    for found in TESTS.finditer(flat):
        for missing in tests_there(top, found.group(1)):
            yield place(found.start()), f"there is no test '{missing}'"
    for found in BENCHES.finditer(flat):
        if not os.path.exists(os.path.join(top, "tests/bench", found.group(1))):
            yield place(found.start()), f"there is no bench '{found.group(1)}'"
    for found in FOLDERS.finditer(text):
        if not is_there(found.group(1)):
            yield found.start(), f"there is no {found.group(1)}"


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else "."
    headings = {os.path.basename(path): set(HEADING.findall(read(path)))
                for path in glob.glob(os.path.join(top, "docs/*.md"))}
    count = 0
    for path in text_files(top):
        text = read(path)
        for at, problem in problems_of(top, path, text, headings):
            count += 1
            print(f"{os.path.relpath(path, top)}:{line_of(text, at)}: {problem}")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
