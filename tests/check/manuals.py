#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Manual pages, schemas and docs/protocol.md say what the programs do, and nothing else.

  manuals.py [BUILD]    prints each word that is in a program and not in its page, or the other way
                        round. Exit status 1 when there is any. BUILD is where the programs are.

What is compared, in both directions unless a line of this file says otherwise: options, commands and
arguments; keywords and their defaults; names of the environment; exit statuses; fields of JSON and
columns of tables; fields and codes of the control plane; reasons, words and fields of log lines; metrics;
and what packaging/ ships for other programs, by shipped.py.
Help texts come from the programs themselves. The rest is read from the sources.
"""
import glob
import json
import os
import re
import sys
import tempfile

import jsonschema
import mdoc
from mdoc import item_text, items, option_items, options_in, section, statuses
from shipped import check_catalog, check_dashboard, check_env_examples
from sources import (Tree, block, codes, environment, help_items, help_options, log_fields, long_options,
                     output_of, strings)

TABLE = "lib/base/table.c" # which asks COLUMNS, for both of them
AUDIT_FIELDS = {"by_s", "wrong_codes", "since_s", "other_sources"}  # of leased: not of its log
LEASECTL, AKC, LEASED, JOIN = "leasectl/leasectl.1", "akc/akc.8", "leased/leased.8", "join/join.8"
MODULE, AGENT, CONF = "pam_tunnel/pam_tunnel.8", "tunnel-agent/tunnel-agent.1", "lib/conf/tunlease.conf.5"
PROTOCOL = "docs/protocol.md"
HELP_COLUMNS = 80
# Remarks of mandoc that are no faults: our pages are not installed while we look, their lines are as long as
# those of the sources, and ':' or '--' at the end of a word is what a user types.
LINT_IGNORED = re.compile(r"referenced manual not found|outdated mandoc\.db|verbatim \"--\"|"
                          r"input text line longer than 80 bytes|no blank before trailing delimiter: .*:$")


# ---- every page ----

def check_pages(tree):
    pages = re.search(r"^manuals = (.*)$", tree.read("Makefile"), re.M).group(1).split()
    there = sorted(path for path in output_of("git", "ls-files", "*.[1-9]").split())
    if there:
        tree.same("page", "Makefile", there, pages)
    sections = {os.path.basename(page)[:-2]: page[-1] for page in pages}
    for page in pages:
        text = tree.read(page)
        for line in output_of("mandoc", "-T", "lint", "-W", "style", given=text).split("\n"):
            if line and not LINT_IGNORED.search(line):
                tree.problem(f"{page}: {line.replace('mandoc: ', '')}")
        for name, number in re.findall(r"^\.Xr (\S+) (\d)", text, re.M):
            if sections.get(name, number) != number:
                tree.problem(f"{page}: {name}({number}) is {name}({sections[name]})")
            tree.looked_up += 1


def check_help(tree):
    verbs = re.findall(r"^  ([a-z][a-z-]*)  ", tree.help("leasectl"), re.M)
    for words in (["akc"], ["leased"], ["tunnel-agent"], ["leasectl"], *(["leasectl", v] for v in verbs)):
        for line in tree.help(*words).split("\n"):
            if len(line) > HELP_COLUMNS:
                tree.problem(f"{' '.join(words)} --help: a line has {len(line)} columns: {line.strip()}")


def check_messages(tree):
    """A message that DIAGNOSTICS explains is in the sources, up to its first five words or to what varies."""
    # join prints what leased answers
    for page, *folders in ((LEASECTL, "leasectl"), (AKC, "akc"), (JOIN, "join", "leased"), (AGENT, "tunnel-agent")):
        texts = "\n".join(strings(tree.sources(*folders, "lib")))
        for item in re.findall(r"^\.It Sy (.*)$", section(tree.read(page), "DIAGNOSTICS"), re.M):
            for part in re.split(r"'?\b[A-Z]{2,}\b'?|\.\.\.|:", item.replace("\\&", "")):
                words = " ".join(part.strip(" '").split()[:5])
                if len(words) > 5 and words not in texts:
                    tree.problem(f"{page}: no message of {folders[0]} has the words '{words}'")
                tree.looked_up += 1


# ---- leasectl ----

def check_verb(tree, verb, page, synopsis):
    text, help_text = section(page, verb), tree.help("leasectl", verb)
    if not re.match(rf"usage: leasectl .*\b{verb}", help_text):
        tree.problem(f"leasectl {verb} --help is no help")
    help_text = help_text.replace("[-c FILE] [--json] ", "") # these stand before every command
    have, written = help_options(help_text), option_items(text)
    if have or written:
        tree.same(f"option of {verb}:", LEASECTL, have, written)
    uses = re.findall(rf"^\.Nm leasectl\n\.Cm {verb}$(.*?)(?=^\.Nm|\Z)", synopsis, re.M | re.S)
    if not uses:
        tree.problem(f"{LEASECTL}: SYNOPSIS lacks {verb}")
    usage = help_text.partition("\n\n")[0]
    have = help_options(usage)
    if have and uses:
        tree.same(f"option in the SYNOPSIS of {verb}:", LEASECTL, have, options_in("\n".join(uses)))
    # Commands of a command, from the usage.
    have = set(re.findall(rf"\b{verb} ([a-z]+)\b", usage))
    if have:
        tree.same(f"command of {verb}:", LEASECTL, have, items(text, "Cm"))
    return help_options(help_text)


def check_leasectl(tree):
    page, overview = tree.read(LEASECTL), tree.help("leasectl")
    verbs = re.findall(r"^  ([a-z][a-z-]*)  ", overview, re.M)
    tree.same("option", LEASECTL, help_items(overview), option_items(section(page, "OPTIONS")))
    tree.same("command", LEASECTL, verbs, re.findall(r"^\.Ss (.*)$", section(page, "COMMANDS"), re.M))
    explained = help_items(overview)
    for verb in verbs:
        explained |= check_verb(tree, verb, page, section(page, "SYNOPSIS"))
    for option in sorted(long_options(tree.sources("leasectl")) - explained):
        tree.problem(f"leasectl takes --{option}, and no help text says so")
    tree.same("exit status", LEASECTL, codes(tree.read("leasectl/ctl.h"), "exit_code"), statuses(page))
    tree.same("environment variable", LEASECTL, environment(tree.sources("leasectl") + tree.read(TABLE)), # TZ: the C library, too
              items(section(page, "ENVIRONMENT"), "Ev"))
    check_columns(tree, section(page, "OUTPUT"))
    check_fields_of_show(tree, section(page, "OUTPUT"))
    check_tolerant(tree, page)
    # A name may also reach doctor_report through a function of its own.
    doctor = tree.sources("leasectl/doctor")
    have = set(re.findall(r'doctor_report\(\s*\w+,[^"]*?,\s*"([a-z ]+)",', doctor))
    written = set(re.findall(r"^\.It ([a-z ]+)$", section(page, "doctor"), re.M))
    tree.same("check of doctor", LEASECTL, have | (written & set(strings(doctor))), written)


def check_tolerant(tree, page):
    """The commands that work with a wrong line of the configuration, in both pages that name them."""
    table = re.search(r"tolerant\[\] = \{(.*?)\};", tree.read("leasectl/main.c"), re.S).group(1)
    have = {f"{verb} {word}".strip() for verb, word in re.findall(r'\{"([a-z]+)", (?:NULL|"([a-z]+)")\}', table)}
    lines = re.findall(r"^\.Cm (revoke , .*)\n(?:and\n\.Cm (.*) \.)?", section(page, "DIAGNOSTICS"), re.M)
    tree.same("command that works with a wrong line", LEASECTL, have,
              {word for line in lines for part in line for word in part.rstrip(" ,").split(" , ")})
    line = re.search(r"^\.Pq Ic (revoke , .*)$", tree.read(CONF), re.M)
    tree.same("command that works with a wrong line", CONF, have,
              line.group(1).rstrip(" ,").split(" , ") if line else [])


TABLES = {"list": "list.c", "sessions": "sessions.c", "agents": "agents.c", "token list": "token.c", "invite list": "invite.c",
          "login list": "login.c", "audit": "../audit/list.c", "verify": "../probe/outcomes.c"}


def check_fields_of_show(tree, output):
    have = re.findall(r'\bprint_(?:time_)?field\(ctl, "([a-z_]+)"', tree.read("leasectl/show/lease.c"))
    text = re.search(r"^prints one field a line.*?^Times in tab-separated", output, re.M | re.S)
    tree.same("field of show", LEASECTL, have, re.findall(r"^\.Ar ([a-z_]+)", text.group() if text else "", re.M))


def check_columns(tree, output):
    """A heading is shorter than the name of its field, so only their number is compared."""
    for table, file in TABLES.items():
        source = tree.read(os.path.normpath(os.path.join("leasectl/verbs", file)))
        headings = re.search(r"headings\[\] = \{(.*?)NULL\}", source, re.S).group(1)
        have = len(re.findall(r'"[A-Z ]+"', headings))
        written = len(re.findall(r"^\.Ar ", item_text(output, f"Cm {table}").split("\n.El")[0], re.M))
        if have != written:
            tree.problem(f"{LEASECTL}: {table} has {have} columns, the page {written}")
        tree.looked_up += have


# ---- akc ----

def check_akc(tree):
    page, source, text = tree.read(AKC), tree.read("akc/main.c"), tree.help("akc")
    diagnostics = section(page, "DIAGNOSTICS")
    tree.same("option", AKC, help_items(text), option_items(section(page, "OPTIONS")))
    tree.same("option in the SYNOPSIS", AKC, help_options(text), options_in(section(page, "SYNOPSIS")))
    tree.same("option in the source", AKC, re.findall(r'strn?cmp\(argv\[i\], "--?([a-z-]+)=?"', source),
              help_options(text))
    tree.same("exit status", AKC, codes(source), statuses(page))
    login = tree.read("lib/store/login.c")
    tree.same("reason", AKC,
              {*strings(block(login, r"const char \*key_verdict_name")),
               *strings(block(login, r"const char \*join_verdict_name")),
               *re.findall(r'log_refusal\(req, &?key, "([a-z_]+)"', source),
               *re.findall(r'"REASON", "([a-z_]+)"', source)} - {"admitted"}, items(diagnostics, "Cm"))
    answer = block(source, "static void add_check")
    tree.same("log field", AKC, log_fields(source.replace(answer, "")), mdoc.log_fields(diagnostics))
    tree.same("word of --check", AKC, re.findall(r'\b([a-z_]+)=(?=%|")', answer),
              re.findall(r"^\.Ar ([a-z_]+)", item_text(page, "Fl -check"), re.M))
    # The options of the key line, in the order in which they are added to it.
    line = block(tree.read("lib/lease/keyline.c"), "static void format_line")
    have = re.findall(r'restrict|port-forwarding|(?<=")permit[a-z]+(?=")|(?:from|expiry-time|command)(?==)', line)
    written = [word.rstrip("=") for word in re.findall(r"^\.It Cm (\S+)$", section(page, "The line"), re.M)]
    if have != written:
        tree.problem(f"{AKC}: the line has '{' '.join(have)}', the page '{' '.join(written)}'")
    tree.looked_up += len(have)


# ---- join ----

def check_join(tree):
    page, main = tree.read(JOIN), tree.read("join/main.c")
    tree.same("exit status", JOIN,
              codes(main) | set(re.findall(r"\bJOIN_[A-Z_]+ = (\d),", tree.read("lib/wire/join_exit.h"))), statuses(page))
    tree.same("environment variable", JOIN, environment(main), items(section(page, "ENVIRONMENT"), "Ev"))


# ---- leased ----

def check_leased(tree):
    page, main, text = tree.read(LEASED), tree.read("leased/main.c"), tree.help("leased")
    source, diagnostics = tree.sources("leased"), section(page, "DIAGNOSTICS")
    tree.same("option", LEASED, help_items(text), option_items(section(page, "OPTIONS")))
    short = re.search(r'getopt\(argc, argv, "([A-Za-z:]+)"\)', main).group(1).replace(":", "")
    tree.same("option in the source", LEASED, {*short, "help", "version"}, help_items(text))
    words = options_in(section(page, "SYNOPSIS"))
    long = words & {"help", "version"}
    tree.same("option in the SYNOPSIS", LEASED, help_items(text), long.union(*(words - long)))
    # EXIT_SUCCESS, EXIT_FAILURE, and EX_CONFIG of <sysexits.h>.
    tree.same("exit status", LEASED, {"0", "1", *codes(main), *(["78"] if "EX_CONFIG" in source else [])},
              statuses(page))
    tree.same("environment variable", LEASED,
              (environment(source) | set(re.findall(r'"([A-Z]+_USEC)"', source))) - {"MONOTONIC_USEC"},
              items(section(page, "ENVIRONMENT"), "Ev"))
    tree.same("log field", LEASED, log_fields(source) - AUDIT_FIELDS, mdoc.log_fields(diagnostics))
    tree.same("reason", LEASED,
              set(strings(block(tree.read("lib/store/session_verdict.c"), r"const char \*session_verdict_name"))) -
              {"allowed", "not_judged"}, items(diagnostics, "Cm"))
    metrics = set(re.findall(r'prometheus_(?:header|value)\(\s*out, "([a-z_]+)"', source))
    tree.same("metric", LEASED, metrics, re.findall(r"\btunlease_([a-z_]+)", section(page, "Metrics")))
    rules = tree.read("packaging/prometheus/tunlease.rules.yml")
    for name in sorted(set(re.findall(r"\btunlease_([a-z_]+?)(?:_bucket)?\b", rules)) - metrics):
        tree.problem(f"tunlease.rules.yml watches tunlease_{name}, which leased has not")
    check_dashboard(tree, metrics)
    check_control_plane(tree, page)


def check_control_plane(tree, page):
    wire, protocol = tree.read("lib/wire/control.c"), tree.read(PROTOCOL)
    asked = set(re.findall(r'json_object_get\(object, "([a-z_]+)"\)|\{"([a-z_]+)", CONTROL_', wire))
    asked = {name for pair in asked for name in pair if name}
    site = re.search(r"json_pack\((.*?)\)\s*,\s*MEMBERS", wire, re.S).group(1)
    told = {*re.findall(r'add_(?:text|number|name)\(out, "([a-z_]+)"', wire), *re.findall(r'"([a-z_]+)"', site)}
    told -= {"error", "code", "version"} # of a refusal, and of /version

    def body(heading):
        return re.search(rf"^##+ {re.escape(heading)} .*?\n(.*?)(?=^##|\Z)", protocol, re.M | re.S).group(1)

    def fields(heading):
        """First cells of the table below a heading."""
        return set(re.findall(r"`([a-z_]+)`", " ".join(re.findall(r"^\| (`[^|]*) \|", body(heading), re.M))))

    tree.same("field of a request", PROTOCOL, asked, fields("2.1"))
    tree.same("field of an answer", PROTOCOL, told, fields("2.2") | fields("3."))
    requests = section(page, "Requests")
    tree.same("field of a request", LEASED, asked, items(requests, "Ql"))
    answers = re.search(r"^The answer to register has\n(.*?)^A refusal has", requests, re.M | re.S)
    tree.same("field of an answer", LEASED, told - {"public_key", "private_key"}, # see IssueKeys there
              set(re.findall(r"^\.Ql ([a-z_]+)", answers.group(1) if answers else "", re.M)) - set(TUNNEL_STATES))
    have = re.findall(r'^    \[CONTROL_[A-Z_]+\] = \{"([a-z_]+)", (\d+)\}', wire, re.M)
    written = {f"{status} {code}" for status, cell in re.findall(r"^\| (\d+) \| (.*?) \|$", body("7."), re.M)
               for code in re.findall(r"`([a-z_]+)`", cell)}
    tree.same("code", PROTOCOL, {f"{status} {code}" for code, status in have} - {"200 ok"}, written)


TUNNEL_STATES = ("up", "down", "unknown")


# ---- pam_tunnel ----

def check_module(tree):
    page, args, source = tree.read(MODULE), tree.read("pam_tunnel/args.c"), tree.sources("pam_tunnel")
    have = re.findall(r'(?:value_of|strcmp)\(argv\[i\], "([a-z_]+)"', args)
    tree.same("argument", MODULE, have, {word.rstrip("=") for word in items(section(page, "OPTIONS"), "Cm")})
    tree.same("argument in the SYNOPSIS", MODULE, have,
              re.findall(r"^\.Op Cm ([a-z_]+)", section(page, "SYNOPSIS"), re.M))
    tree.same("environment variable", MODULE, re.findall(r'pam_getenv\([^,]*, "([A-Z_0-9]+)"', source),
              re.findall(r"^\.Ev (\S+)", page, re.M))
    tree.same("log field", MODULE, log_fields(source), mdoc.log_fields(section(page, "DIAGNOSTICS")))


# ---- tunnel-agent ----

# Options of ssh that are passed on or accepted: the page names them in one item.
OF_SSH = set("piJolFCmbBNTnqvaxk")


def check_agent(tree):
    page, text, source = tree.read(AGENT), tree.help("tunnel-agent"), tree.sources("tunnel-agent")
    tree.same("option", AGENT, help_items(text), option_items(section(page, "OPTIONS")))
    used, words = options_in(section(page, "SYNOPSIS")), help_options(text)
    tree.same("option in the SYNOPSIS", AGENT, words - OF_SSH, used - {"L"}) # -L has a capital
    tree.same("long option in the source", AGENT,
              long_options(source) | set(re.findall(r'strcmp\(argv\[[i1]\], "--([a-z-]+)"\)', source)),
              {word for word in words if len(word) > 1})
    settings = re.findall(r'^    \{"([A-Za-z]+)", offsetof', tree.read("tunnel-agent/config/settings.c"), re.M)
    table = block(tree.read("tunnel-agent/config/tunnels_conf.c"), r"\} tunnel_keywords\[\]")
    tree.same("keyword", AGENT, {"Tunnel", *settings, *re.findall(r'\{"([A-Za-z]+)"', table)},
              items(section(page, "FILE FORMAT"), "Cm"))
    check_settings(tree, section(page, "FILE FORMAT"))
    tree.same("exit status", AGENT, codes(tree.read("tunnel-agent/host/exit_code.h")), statuses(page))
    tree.same("environment variable", AGENT,
              environment(source + tree.read(TABLE)) | set(re.findall(r'(?:\benvironment\(|\{)"([A-Z_]+)"(?:\)|, offsetof)', source)),
              items(section(page, "ENVIRONMENT"), "Ev"))


def check_settings(tree, text):
    """Each setting has its default in brackets."""
    source = tree.read("tunnel-agent/config/settings.c")
    value = dict(re.findall(r"^    \.([a-z_]+) = (\d+),", source, re.M))
    table = re.findall(r'\{"([A-Za-z]+)", offsetof\(struct settings, ([a-z_]+)\), (\d+)\}', source)
    for keyword, field, unit in table:
        written = re.search(r"\((\w+)\)", item_text(text, f"Cm {keyword}"))
        have, said = f"{int(value[field]) // int(unit)}s", normal(written.group(1)) if written else "nothing"
        if have != said:
            tree.problem(f"{AGENT}: the default of {keyword} is {have}, the page says {said}")
        tree.looked_up += 1


# ---- tunlease.conf ----

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def normal(value):
    """A duration in seconds, as leased -T prints it; anything else as it is."""
    parts = re.findall(r"(\d+)([smhdw])", value)
    if parts and "".join(map("".join, parts)) == value:
        return f"{sum(int(number) * SECONDS[unit] for number, unit in parts)}s"
    return value


def page_defaults(text):
    """What stands after `Default:`, for each keyword that has it."""
    defaults = {}
    for item in re.split(r"^\.It Cm ", text, flags=re.M)[1:]:
        keyword, after = item.split()[0], re.search(r"^Default:(.*?)(?:\.$|\.\n|;)", item, re.M | re.S)
        if after:
            defaults[keyword] = {normal(word) for word in
                                 re.findall(r"^\.(?:Ql|Cm|Pa) (\S+)", after.group(1), re.M)} or \
                                {"none" if re.search("none|not set", after.group(1)) else ""}
    return defaults


def check_conf(tree):
    page = tree.read(CONF)
    source = tree.read("lib/conf/keywords.c")
    table = re.search(r"^\} keywords\[\] = \{.*?^\};", source, re.M | re.S).group()
    keywords = set(re.findall(r'^    \{"([A-Za-z]+)", ', table, re.M))
    tree.same("keyword", CONF, keywords, items(section(page, "KEYWORDS"), "Cm"))
    tree.same("name of leased.env", CONF, re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', tree.read("lib/conf/env_names.c")),
              items(section(page, "ENVIRONMENT"), "Ev"))
    with tempfile.NamedTemporaryFile() as empty:
        printed = output_of(os.path.join(tree.build, "bin/leased"), "-T", "-c", empty.name)
    in_force = {}
    for keyword, value in re.findall(r"^(\w+) (.*)$", printed, re.M):
        in_force.setdefault(keyword, set()).add(normal(value))
    in_force.update((keyword, {"none"}) for keyword in re.findall(r"^# (\w+) is not set$", printed, re.M))
    tree.same("keyword that leased -T prints", CONF, keywords, in_force)
    written = page_defaults(section(page, "KEYWORDS"))
    # Found on the host, so there is no text to compare.
    for keyword in sorted(keywords - {"PublicHost", "Sshd"}):
        if written.get(keyword) != in_force.get(keyword):
            tree.problem(f"{CONF}: the default of {keyword} is {in_force.get(keyword)}, the page says "
                         f"{written.get(keyword, 'nothing')}")
        tree.looked_up += 1


# ---- schemas ----

def objects(node):
    if isinstance(node, dict):
        if node.get("type") == "object":
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from objects(child)


def check_schema(tree, path):
    """The fields of a schema, or none when it is no good."""
    schema = json.loads(tree.read(path))
    if schema.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
        raise ValueError("$schema is not draft 2020-12")
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(objects(schema))
    if not found:
        raise ValueError("it describes no object")
    for node in found:
        if node.get("additionalProperties") is not False:
            raise ValueError("an object takes any further field")
        if sorted(node.get("required", [])) != sorted(node["properties"]):
            raise ValueError("required does not name every property")
    return {name for node in found for name in node["properties"]}


def page_of(path):
    return {"status.json": AGENT, "gateway-status.json": LEASED}.get(os.path.basename(path), LEASECTL)


def check_schemas(tree):
    paths = sorted(glob.glob("docs/schema/*"))
    output = {page: section(tree.read(page), "OUTPUT") for page in (LEASECTL, LEASED, AGENT)}
    for page, text in output.items():
        tree.same("schema", page, {os.path.basename(path) for path in paths if page_of(path) == page},
                  items(text, "Pa"))
    tests = "\n".join(tree.read(path) for path in sorted(glob.glob("tests/e2e/*.sh")))
    for path in paths:
        name = os.path.basename(path)
        page = page_of(path)
        try:
            fields = check_schema(tree, path)
        except (ValueError, KeyError, AttributeError, jsonschema.SchemaError) as error:
            tree.problem(f"{path}: {str(error).splitlines()[0]}")
            continue
        written = item_text(output[page], f"Pa {name}") if page == LEASECTL else output[page]
        tree.same(f"field of {name}:", page, fields, re.findall(r"^\.(?:It )?Ar ([a-z_0-9]+)", written, re.M))
        if not re.search(rf"\bfits {re.escape(name[:-5])}\b|\b{re.escape(name)}\b", tests):
            tree.problem(f"no test of tests/e2e compares an output with {name}")


CHECKS = (check_pages, check_help, check_messages, check_leasectl, check_akc, check_join, check_leased, check_module,
          check_agent, check_conf, check_schemas, check_env_examples, check_catalog)


def main():
    tree = Tree(sys.argv[1] if len(sys.argv) > 1 else "build")
    for check in CHECKS:
        check(tree)
    print("\n".join([*tree.problems, f"{tree.looked_up} words looked up, {len(tree.problems)} problems"]))
    return 1 if tree.problems else 0


if __name__ == "__main__":
    sys.exit(main())
