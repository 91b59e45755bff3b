# SPDX-License-Identifier: ISC
"""What is read and written beside the trials: areas.tsv, explained.tsv, and docs/mutants.md."""
import glob
import os

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
PAGE = os.path.join(TOP, "docs/mutants.md")
AREAS = ["akc", "pam_tunnel", "lib/base", "lib/conf", "lib/lease", "lib/session", "lib/store", "lib/wire", "lib/handout",
         "leased/engine", "leased/requests"]


def rows(name):
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [line.rstrip("\n").split("\t") for line in file if line.strip() and not line.startswith("#")]


def explained():
    return {(file, change): why for file, change, why in rows("explained.tsv")}


def end_to_end_tests(file):
    """Those that name the file, then those of its area: the longest prefix of its path in areas.tsv."""
    stem = os.path.basename(file)[:-2]
    names = []
    for group in ("e2e", "pam", "attack"):
        for path in sorted(glob.glob(f"{TOP}/tests/{group}/*.sh")):
            with open(path, encoding="utf-8") as opened:
                if os.path.basename(path)[:-3] == stem or file in opened.read():
                    names.append(f"{group}/{os.path.basename(path)[:-3]}")
    areas = sorted((row for row in rows("areas.tsv") if file.startswith(row[0])), key=lambda row: -len(row[0]))
    return names + [n for n in (areas[0][1].split() if areas else []) if n not in names]


def area_of(file):
    return next((a for a in AREAS if file.startswith(a + "/")), os.path.dirname(file))


def percent(part, whole):
    return f"{100 * part / whole:.1f}" if whole else "-"


def write(path):
    """docs/mutants.md: what is counted, and the survivors."""
    with open(path, encoding="utf-8") as file:
        all_rows = [line.rstrip("\n").split("\t") for line in file if line.strip()]
    known = explained()
    counts, left = {}, []
    for _, name, _, line, change, result, by, _ in all_rows:
        if result == "survived" and (name, change) in known:
            result = "explained"
        mine = counts.setdefault(area_of(name), {})
        mine[result] = mine.get(result, 0) + 1
        if result == "survived":
            left.append((name, int(line), change, by))
    keys = ["noticed", "explained", "survived", "equal", "does not compile"]
    out = []
    for area in [a for a in AREAS if a in counts] + ["all"]:
        mine = counts.get(area, {k: sum(c.get(k, 0) for c in counts.values()) for k in keys})
        counted = mine.get("noticed", 0) + mine.get("explained", 0) + mine.get("survived", 0)
        cells = [str(mine.get(k, 0)) for k in keys]
        out.append(f"| {area} | {' | '.join(cells)} | {percent(mine.get('noticed', 0), counted - mine.get('explained', 0))} |")
    seeds = sorted({row[0] for row in all_rows}, key=int)
    text = (f"{HEAD}\nOf the seed{'s' if len(seeds) > 1 else ''} {', '.join(seeds)}:\n\n| where | {' | '.join(keys)} | noticed, % |\n|---|"
            f"{'---|' * (len(keys) + 1)}\n" + "\n".join(out) + "\n\n## Survived\n\n")
    text += TAIL + "\n| file | line | change | why |\n|---|---|---|---|\n"
    for name, line, change, by in sorted(left):
        shown = change.replace("|", "\\|").replace("`", "'")
        text += f"| {name} | {line} | `{shown}` | {by or 'its tests pass'} |\n"
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)
    return 0


HEAD = """# What a change in the code is noticed by

`make mutate` changes one operator, constant, condition or call at a time, at random from a seed, and runs the tests that
should notice (tests/mutate/run says which, and what counts). Written by `tests/mutate/run --table` of
tests/mutate/results.tsv; no figure here is written by hand.

`noticed, %` is of those that neither are explained in tests/mutate/explained.tsv nor equal.
"""
TAIL = """What no test noticed, and nobody has explained. `no unit test runs the line`: only tests of whole programs could notice, and
they were not asked.
"""


def coverage(lines, files):
    total = {}
    print(f"{'':40} {'lines':>14} {'%':>6} {'branches':>14} {'%':>6}")
    for file in files:
        known = lines.get(file, {})
        run = sum(bool(e["tests"]) for e in known.values())
        taken = sum(sum(e["branches"]) for e in known.values())
        branches = sum(len(e["branches"]) for e in known.values())
        for name in (area_of(file), "all"):
            old = total.setdefault(name, [0, 0, 0, 0])
            total[name] = [a + b for a, b in zip(old, (run, len(known), taken, branches))]
        if known:
            show(file, run, len(known), taken, branches)
        else:
            print(f"{file:40} no unit test links it")
    print()
    for name, sums in total.items():
        show(name, *sums)
    return 0


def show(name, run, lines, taken, branches):
    print(f"{name:40} {run:>6} of {lines:>4} {percent(run, lines):>6} {taken:>6} of {branches:>4} {percent(taken, branches):>6}")
