# SPDX-License-Identifier: ISC
"""What packaging/ ships for other programs, compared with ours: names of environment files, the journal's
catalog, the dashboard. Parts of manuals.py."""
import json
import re

from sources import block, strings

LEASED_ENV, AGENT_ENV = "packaging/examples/leased.env", "packaging/examples/agent.env"
CATALOG, DASHBOARD = "packaging/journald/tunlease.catalog", "packaging/grafana/tunlease.json"
# The page counts these, and /metrics has no figure of them.
UNCOUNTED = {"tunnels up", "tunnels down", "tunnels unknown"}


def names_in(path, tree):
    """The names of an example of an environment file, in which nothing is set."""
    for line in re.findall(r"^[^#\n].*", tree.read(path), re.M):
        tree.problem(f"{path}: '{line}' is not a comment")
    return re.findall(r"^#([A-Z_]+)=", tree.read(path), re.M)


def check_env_examples(tree):
    tree.same("name", LEASED_ENV, re.findall(r'^    \{"([A-Z_]+)", ', tree.read("lib/conf/env_names.c"), re.M),
              names_in(LEASED_ENV, tree))
    # What the agent reads, and what its units make arguments of.
    units = [tree.read(f"packaging/systemd/tunnel-agent.{kind}service.in") for kind in ("", "user.")]
    tree.same("name", AGENT_ENV,
              {"STATE_DIR", *re.findall(r'\{"([A-Z_]+)", offsetof', tree.sources("tunnel-agent")),
               *(word for unit in units for word in re.findall(r"^ExecStart=.* \$([A-Z_]+)", unit, re.M))},
              names_in(AGENT_ENV, tree))


# ---- the journal's catalog ----

def check_catalog(tree):
    source = tree.sources("akc", "leased", "lib")
    ids = dict(re.findall(r'struct log_event event_(\w+) = \{"(\w+)", LOG_[A-Z]+\};', source))
    entries = dict(re.findall(r"^-- ([0-9a-f]+)\n(.*?)(?=^-- |\Z)", tree.read(CATALOG), re.M | re.S))
    tree.same("id", CATALOG, ids.values(), entries)
    if len(set(ids.values())) != len(ids):
        tree.problem("two events have one id")
    verbs = set(re.findall(r"^  ([a-z][a-z-]*)  ", tree.help("leasectl"), re.M))
    for event, number in ids.items():
        if not re.fullmatch("[0-9a-f]{32}", number):
            tree.problem(f"event_{event}: '{number}' is no id")
        calls = [call for call in re.findall(r"\blog_event\((.*?)\);", source, re.S) if re.search(rf"&event_{event}\b", call)]
        if not calls:
            tree.problem(f"event_{event} is never logged")
        sent = {name for call in calls for name in re.findall(r'\{"([A-Z_]+)", ', call)}
        entry = entries.get(number, "")
        for name in sorted(set(re.findall(r"@(\w+)@", entry)) - sent):
            tree.problem(f"{CATALOG}: event_{event} has no field {name}")
        for line in ("Subject", "Defined-By", "Documentation"):
            if entry and not re.search(rf"^{line}: \S", entry, re.M):
                tree.problem(f"{CATALOG}: event_{event} has no {line}")
        for verb in sorted(set(re.findall(r"\bleasectl ([a-z-]+)", entry)) - verbs):
            tree.problem(f"{CATALOG}: leasectl has no {verb}")
        tree.looked_up += 1
    # Words that begin a line of a list: all reasons of akc, all codes of leased.
    words = {event: set(re.findall(r"^([a-z_]+)  +\S", entries.get(number, ""), re.M)) for event, number in ids.items()}
    tree.same("reason", CATALOG, {*strings(block(tree.read("lib/store/login.c"), r"const char \*key_verdict_name")), *re.findall(
        r'log_refusal\(req, &?key, "([a-z_]+)"', source)} - {"admitted"}, words["login_refused"])
    tree.same("code", CATALOG, set(re.findall(r'\[CONTROL_\w+\] = \{"(\w+)", [45]', tree.read("lib/wire/control.c"))),
              words["request_refused"])


# ---- the dashboard ----

def panels_of(tree):
    """Title and expressions of each panel."""
    return {panel["title"]: [target["expr"] for target in panel["targets"]]
            for panel in json.loads(tree.read(DASHBOARD))["panels"] if panel["type"] != "row"}


def check_dashboard(tree, metrics):
    """metrics: names without the prefix."""
    page = tree.read("leased/page/page.js")
    plots = re.findall(r'\["\w+", "([^"]+)", "\w+", "\w+"\]', re.search(r"^const plots = .*?;$", page, re.M | re.S).group())
    counts = re.findall(r'\["([a-z ]+)", c\.', re.search(r"^function show_counts.*?^\}", page, re.M | re.S).group())
    counts += re.findall(r'push\(\["([a-z ]+)", c\.', page)
    panels = panels_of(tree)
    for title in sorted({*plots, *counts} - UNCOUNTED - set(panels)):
        tree.problem(f"{DASHBOARD}: the page's '{title}' has no panel")
    if len(plots) != 4 or len(counts) < 8:
        tree.problem(f"{DASHBOARD}: found {len(plots)} plots and {len(counts)} counts of the page")
    for name in sorted(set(re.findall(r"\btunlease_([a-z_]+?)(?:_bucket)?\b(?=[{,)])", tree.read(DASHBOARD))) - metrics):
        tree.problem(f"{DASHBOARD} shows tunlease_{name}, which leased has not")
    for title, exprs in panels.items():
        for expr in exprs:
            if "tunlease_" not in expr or 'instance=~"$instance"' not in expr:
                tree.problem(f"{DASHBOARD}: '{title}' does not ask for the gateways that are chosen")
            tree.looked_up += 1
    if re.search(r'"uid": "(?!\$\{datasource\}|tunlease")', tree.read(DASHBOARD)):
        tree.problem(f"{DASHBOARD}: a data source is named, not chosen")
