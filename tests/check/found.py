#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""docs/found.md names only tests and commits that are there.

  found.py [FOLDER]   prints each line of that page, in the tree at FOLDER, that is wrong:
    a row of a table that has not four cells, or has another one's text
    a test that `tests/run` does not know, a bench that `tests/bench/run` does not, or a scenario that
    `tests/power/run` does not
    a commit that is no ancestor of this tree's (not where git or a part of the history is missing)
    a row without a test that is not in the list at the end, or the other way round

Exit status 1 when there is any.
"""
import os
import re
import subprocess
import sys

NO_ROW = re.compile(r"(?!\|)|\|---|\| what was wrong \|")
ROW = re.compile(r"\| (.*) \|$")
TO_DO = re.compile(r"^- ([0-9a-f]{7,40}): (.+)$")
NO_TEST = "no test"


def is_test(top, name):
    group, _, base = name.partition("/")
    if not base or "/" in base:
        return False
    if group == "bench":
        return base != "run" and os.access(os.path.join(top, "tests/bench", base), os.X_OK)
    if group == "power":
        with open(os.path.join(top, "tests/power/run"), encoding="utf-8") as file:
            return base in re.search(r"^scenarios=\((.*)\)$", file.read(), re.M).group(1).split()
    if group == "unit":
        return os.path.isfile(os.path.join(top, f"tests/unit/{base}.c"))
    return os.access(os.path.join(top, f"tests/{group}/{base}.sh"), os.X_OK)


def commits_of(top):
    """The ids of all commits up to that of the tree, one behind the other, or None if they cannot be told."""
    if not os.path.exists(os.path.join(top, ".git")):
        return None

    def git(*words):
        return subprocess.run(["git", "-C", top, *words], capture_output=True, text=True, check=True).stdout
    try:
        if git("rev-parse", "--is-shallow-repository").strip() != "false":
            return None
        return "\n" + git("rev-list", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None


def problems_of(top, lines):
    commits = commits_of(top)
    texts, to_do, listed = set(), {}, {}
    for number, line in enumerate(lines, 1):
        if found := TO_DO.match(line):
            listed[found.groups()] = number
            continue
        if NO_ROW.match(line):
            continue
        found = ROW.match(line)
        cells = found.group(1).split(" | ") if found else []
        if len(cells) != 4 or not all(cells):
            yield number, "a row has four cells"
            continue
        text, _, tests, commit = cells
        if text in texts:
            yield number, f"a second time: {text}"
        texts.add(text)
        if tests == NO_TEST:
            to_do[commit, text] = number
        else:
            for name in tests.split(", "):
                if not is_test(top, name.strip("`")) or name != f"`{name.strip('`')}`":
                    yield number, f"there is no test {name}"
        if not re.fullmatch("[0-9a-f]{7,40}", commit) or commits is not None and f"\n{commit}" not in commits:
            yield number, f"no ancestor of this commit is '{commit}'"
    if not texts:
        yield 1, "there is no row"
    for row in to_do.keys() - listed.keys():
        yield to_do[row], "it has no test, and is not in the list at the end"
    for row in listed.keys() - to_do.keys():
        yield listed[row], "no row without a test has this commit and text"


def main():
    top = sys.argv[1] if len(sys.argv) > 1 else "."
    with open(os.path.join(top, "docs/found.md"), encoding="utf-8") as file:
        problems = list(problems_of(top, file.read().splitlines()))
    for number, problem in problems:
        print(f"docs/found.md:{number}: {problem}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
