#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Checks and draws the #includes of the programs and the libraries.

  includes.py --check    fails if a file includes what its folder may not, if folders or files include
                         each other in a circle, or if a step of the map in docs/design.md 11 is no
                         include: each file there includes those that are indented below it
  includes.py --draw     prints the picture of the folders (docs/includes.md)

A source file and the header of the same name are one node: what includes the header depends on both.
"""
import glob
import re
import sys

LIBS = "base lease lease/authorized session conf store store/backup wire handout"
LEASED = "leased leased/engine leased/status leased/requests leased/watch leased/http"
# The process that opens the store.
ENGINE = ["leased/engine", "leased/status", "leased/requests", "leased/watch"]
# In order: each may include only those before it.
LEASECTL = ("leasectl leasectl/host leasectl/sessions leasectl/show leasectl/rehearsal "
            "leasectl/lease leasectl/admission leasectl/probe leasectl/doctor leasectl/setup "
            "leasectl/traffic leasectl/top leasectl/sign leasectl/audit "
            "leasectl/moving leasectl/prove leasectl/lint leasectl/run")
# Likewise; but the first two may not include each other.
AGENT = ("tunnel-agent/host tunnel-agent/config tunnel-agent/ssh tunnel-agent/tunnel "
         "tunnel-agent/gateway tunnel-agent/join tunnel-agent/exec")


def lib(names):
    return ["lib/" + name for name in names.split()]


# For each folder, which others it may include; it may always include itself. A folder that is not
# listed may include no other, so a new folder is added here first.
MAY = {
    "lib/base": [],
    "lib/lease": lib("base"),
    "lib/lease/authorized": lib("base lease"),
    "lib/session": lib("base"),
    # lib/conf needs lib/lease: a ceiling in the configuration consists of permits.
    "lib/conf": lib("base lease"),
    "lib/store": lib("base lease session conf"),
    "lib/store/backup": lib("base lease session conf store"),
    "lib/wire": lib("base lease session conf"),
    "lib/handout": lib("base lease conf store wire"),
    "akc": lib("base lease session conf store"),
    "join": lib("base session wire"),
    "pam_tunnel": lib("base session conf"),
    "leased": lib(LIBS) + LEASED.split(),
    # From the top down: the loop, the requests, what leased watches.
    "leased/engine": lib(LIBS) + ["leased/requests", "leased/status", "leased/watch"],
    "leased/status": lib(LIBS) + ["leased/watch"],
    "leased/requests": lib(LIBS) + ["leased/watch"],
    "leased/watch": lib("base session conf store wire"),
    "leased/http": lib("base conf wire"),
    "leasectl": lib(LIBS),
    "leasectl/host": lib(LIBS) + ["leasectl"],
    "leasectl/sessions": lib(LIBS) + LEASECTL.split()[:2],
    "leasectl/show": lib(LIBS) + LEASECTL.split()[:3],
    "leasectl/rehearsal": lib(LIBS) + LEASECTL.split()[:4],
    "leasectl/lease": lib(LIBS) + LEASECTL.split()[:5],
    "leasectl/admission": lib(LIBS) + LEASECTL.split()[:6],
    "leasectl/probe": lib(LIBS) + LEASECTL.split()[:7],
    "leasectl/doctor": lib(LIBS) + LEASECTL.split()[:7] + ["leasectl/audit"],
    # setup asks the admission whether sshd would let a tunnel login in.
    "leasectl/setup": lib(LIBS) + LEASECTL.split()[:3] + ["leasectl/admission"],
    "leasectl/traffic": lib("base session"),
    "leasectl/top": lib(LIBS) + LEASECTL.split()[:4] + ["leasectl/traffic"],
    "leasectl/sign": lib("base") + ["leasectl"],
    "leasectl/audit": lib("base lease store wire") + ["leasectl", "leasectl/show", "leasectl/sign"],
    "leasectl/lint": lib(LIBS) + ["leasectl"],
    "leasectl/moving": lib(LIBS) + LEASECTL.split()[:4],
    "leasectl/prove": lib(LIBS) + LEASECTL.split()[:8] + ["leasectl/sign", "leasectl/audit"],
    "leasectl/run": lib("base lease store") + ["leasectl", "leasectl/sessions"],
    "leasectl/verbs": lib(LIBS) + LEASECTL.split(),
    "tunnel-agent/host": lib("base"),
    "tunnel-agent/config": lib("base lease"),
    "tunnel-agent/ssh": lib("base lease") + AGENT.split()[:2],
    "tunnel-agent/tunnel": lib("base lease wire") + AGENT.split()[:3],
    "tunnel-agent/gateway": lib("base lease wire") + AGENT.split()[:4],
    "tunnel-agent/join": lib("base lease wire") + AGENT.split()[:5],
    "tunnel-agent/exec": lib("base lease wire") + AGENT.split()[:5],
    "tunnel-agent": lib("base lease") + AGENT.split(),
}

# Which folders may include the headers of an external library.
KNOWN = {
    r"sqlite3\.h": ["lib/store", "lib/store/backup"],
    r"jansson\.h": ["lib/wire"],
    r"event2?/.*": LEASED.split() + AGENT.split(),
    r"security/.*": ["pam_tunnel"],
}

# All that akc may include of the store.
LOGIN_PATH = ["lib/store/" + name for name in ("arena.h", "login.h", "open_read.h", "version.h")]

PATTERNS = ["lib/*/*.[ch]", "lib/*/*/*.[ch]"] + [
    program + depth for program in ("akc", "join", "pam_tunnel", "leased", "leasectl", "tunnel-agent")
    for depth in ("/*.[ch]", "/*/*.[ch]")]


def folder(path):
    return path.rsplit("/", 1)[0]


def node(path):
    return path.rsplit(".", 1)[0]


def kept_inside():
    """{header: its folder} of those whose first comment begins with `Inside FOLDER:`"""
    found = {}
    for path in glob.glob("lib/*/*.h") + glob.glob("lib/*/*/*.h"):
        with open(path, encoding="utf-8") as file:
            match = re.match(r"/\* SPDX[^\n]*\n/\*(?:\n \*)? Inside (\S+):", file.read())
        if match:
            found[path] = match.group(1)
    return found


def read_tree():
    """{file: [(included name, is in quotes)]}"""
    tree = {}
    for pattern in PATTERNS:
        for path in glob.glob(pattern):
            with open(path, encoding="utf-8") as file:
                tree[path] = [(name, quote == '"') for quote, name in
                              re.findall(r'^#include (["<])([^">]+)[">]', file.read(), re.M)]
    return tree


def edges(tree, level):
    """{node: nodes that it includes}, of files or of folders"""
    graph = {level(path): set() for path in tree}
    for path, includes in tree.items():
        for name, quoted in includes:
            if quoted and name in tree and level(name) != level(path):
                graph[level(path)].add(level(name))
    return graph


def circles(graph):
    """Sets of nodes that reach each other (Tarjan's strongly connected components)."""
    order, low, stack, found = {}, {}, [], []

    def visit(at):
        order[at] = low[at] = len(order)
        stack.append(at)
        for to in sorted(graph[at]):
            if to not in order:
                visit(to)
            if to in stack:
                low[at] = min(low[at], low[to])
        if low[at] == order[at]:
            members = stack[stack.index(at):]
            del stack[stack.index(at):]
            if len(members) > 1:
                found.append(sorted(members))

    for start in sorted(graph):
        if start not in order:
            visit(start)
    return found


def problems(tree):
    inside = kept_inside()
    if len(inside) < 5:
        yield f"only {len(inside)} headers say that they are a folder's own"
    for path, includes in sorted(tree.items()):
        own = node(path) + ".h"
        if path.endswith(".c") and own in tree and includes and includes[0][0] != own:
            yield f"{path}: its own header comes first, not {includes[0][0]}"
        for name, quoted in includes:
            if quoted and "/" in name:
                room = folder(name)
                if room != folder(path) and room not in MAY.get(folder(path), []):
                    yield f"{path}: may not include {name}"
                if name in inside and not (folder(path) + "/").startswith(inside[name] + "/"):
                    yield f"{path}: {name} is not for other folders"
                if folder(path) == "akc" and room == "lib/store" and name not in LOGIN_PATH:
                    yield f"{path}: {name} is more of the store than a login needs"
            if folder(path) in ENGINE and name.startswith("lib/wire/"):
                if name not in ("lib/wire/control.h", "lib/wire/join_exit.h", "lib/wire/members.h"):
                    yield f"{path}: must read no JSON: of lib/wire control.h, join_exit.h and members.h only"
            for header, rooms in KNOWN.items():
                if not quoted and re.fullmatch(header, name) and folder(path) not in rooms:
                    yield f"{path}: may not include <{name}>"
            if node(path) == "lib/conf/paths" and quoted:
                if folder(name) != "lib/base" and name != own:
                    yield f"{path}: may include lib/base only, for pam_tunnel, not {name}"
    for level in (folder, node):
        for circle in circles(edges(tree, level)):
            yield f"{level.__name__}s in a circle: " + " ".join(circle)


def map_problems(tree):
    with open("docs/design.md", encoding="utf-8") as file:
        found = re.search(r"^## 11\..*?^```\n(.*?)^```", file.read(), re.M | re.S)
    if not found:
        yield "docs/design.md 11: no map"
        return
    graph = edges(tree, node)
    above = []  # (indent, node) of the files that the next line may be called from
    for line in found[1].splitlines():
        step = re.match(r"( *)(\S+\.c) ", line)
        if not step:
            above = []
            continue
        indent, at = len(step[1]), node(step[2])
        above = [(i, n) for i, n in above if i < indent]
        if step[2] not in tree:
            yield f"docs/design.md 11: {step[2]} does not exist"
        elif above and at not in graph[above[-1][1]]:
            yield f"docs/design.md 11: {above[-1][1]} does not include {at}"
        above.append((indent, at))


def draw(tree):
    graph = edges(tree, folder)
    if circles(graph):
        sys.exit("there is a circle, and so no picture: see --check")
    level = {}

    def height(at):
        if at not in level:
            level[at] = 1 + max((height(to) for to in graph[at]), default=-1)
        return level[at]

    width = max(len(at) for at in graph)
    print("# Who includes whom\n\n"
          "Drawn from the `#include` lines by `python3 tests/check/includes.py --draw`; `make check` fails\n"
          "when this page is not what that command prints, when an arrow is new, or when there is a circle.\n"
          "`a -> b` means that files of a include files of b. The number is the row: a folder includes only\n"
          "folders with a smaller number. docs/design.md 7 has the same in short, with arrows the other way\n"
          "round: there `a <- b` means that b may include a.\n\n```")
    for row in range(max(height(at) for at in graph), -1, -1):
        for at in sorted(at for at in graph if level[at] == row):
            print(f"{row}  {at:<{width}}  {'-> ' + ' '.join(sorted(graph[at])) if graph[at] else ''}".rstrip())
    print("```")


def main():
    tree = read_tree()
    includes = sum(quoted for found in tree.values() for _, quoted in found)
    if includes < 100:
        sys.exit(f"only {includes} includes were seen: is this the tree?")
    what = sys.argv[1:]
    if what == ["--draw"]:
        draw(tree)
    elif what == ["--check"]:
        wrong = list(problems(tree)) + list(map_problems(tree))
        print("\n".join(wrong) if wrong else f"{includes} includes follow the arrows")
        sys.exit(1 if wrong else 0)
    else:
        sys.exit(__doc__)


main()
