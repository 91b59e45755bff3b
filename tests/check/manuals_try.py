#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""manuals.py sees a page that is wrong: each sample changes one text, and is answered with one problem.

  manuals_try.py [BUILD]    exit status 1 when a sample is not seen, or with other words.
"""
import sys

import manuals

SAMPLES = [
    # A part of the check, the text that is changed, what is replaced by what, and the answer.
    (manuals.check_leasectl, "leasectl renew --help", "  --for", "  --since TIME  x\n  --for",
     "leasectl/leasectl.1: option of renew: 'since' is missing"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".It Fl -keep-sessions\n", ".It Fl -keep-session\n",
     "leasectl/leasectl.1: option of setup: 'keep-sessions' is missing",
     "leasectl/leasectl.1: option of setup: 'keep-session' is not in the program"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".Op Fl -keep-sessions\n", "",
     "leasectl/leasectl.1: option in the SYNOPSIS of revoke: 'keep-sessions' is missing"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".Ss thaw\n", ".Ss melt\n",
     "leasectl/leasectl.1: command 'thaw' is missing", "leasectl/leasectl.1: command 'melt' is not in the program"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".Nm leasectl\n.Cm thaw\n", "",
     "leasectl/leasectl.1: SYNOPSIS lacks thaw"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".It Cm revoke Ar id\n", "",
     "leasectl/leasectl.1: command of invite: 'revoke' is missing"),
    (manuals.check_leasectl,
     "leasectl/verbs/renew.c", '{"until", ', '{"till", required_argument, NULL, 0}, {"until", ',
     "leasectl takes --till, and no help text says so"),
    (manuals.check_leasectl, "leasectl/ctl.h", "EXIT_STORE = 7,", "EXIT_STORE = 7, EXIT_MOOD = 8,",
     "leasectl/leasectl.1: exit status '8' is missing"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".It Ev NO_COLOR", ".It Ev NO_COLOUR",
     "leasectl/leasectl.1: environment variable 'NO_COLOR' is missing",
     "leasectl/leasectl.1: environment variable 'NO_COLOUR' is not in the program"),
    (manuals.check_leasectl, "leasectl/verbs/list.c", '"NOTE", ', '"NOTE", "MOOD", ',
     None),
    (manuals.check_leasectl, "leasectl/main.c", '{"freeze", NULL},', "",
     "leasectl/leasectl.1: command that works with a wrong line 'freeze' is not in the program",
     "lib/conf/tunlease.conf.5: command that works with a wrong line 'freeze' is not in the program"),
    (manuals.check_agent, "tunnel-agent/tunnel-agent.1", "(20s)", "(21s)",
     "tunnel-agent/tunnel-agent.1: the default of LoginTimeout is 20s, the page says 21s"),
    (manuals.check_leasectl, "leasectl/show/lease.c", '"renewed_at"', '"renewed"',
     "leasectl/leasectl.1: field of show 'renewed' is missing",
     "leasectl/leasectl.1: field of show 'renewed_at' is not in the program"),
    (manuals.check_leasectl, "leasectl/leasectl.1", ".It freeze\n", ".It mood\n",
     "leasectl/leasectl.1: check of doctor 'freeze' is missing",
     "leasectl/leasectl.1: check of doctor 'mood' is not in the program"),
    (manuals.check_akc, "akc/akc.8", ".It Cm frozen\n", "", "akc/akc.8: reason 'frozen' is missing"),
    (manuals.check_akc, "akc/akc.8", "reason=REASON lease=NAME", "why=REASON lease=NAME",
     "akc/akc.8: log field 'reason' is missing", "akc/akc.8: log field 'why' is not in the program"),
    (manuals.check_akc, "akc/akc.8", ".Ar fp ,\n", "", "akc/akc.8: word of --check 'fp' is missing"),
    (manuals.check_akc, "akc/akc.8", ".Op Fl -addr Ar ip\n", "",
     "akc/akc.8: option in the SYNOPSIS 'addr' is missing"),
    (manuals.check_akc, "akc/main.c", '"--addr"', '"--address"',
     "akc/akc.8: option in the source 'address' is missing",
     "akc/akc.8: option in the source 'addr' is not in the program"),
    (manuals.check_akc, "akc/akc.8", ".It Cm restrict\n", ".It Cm agent\n",
     "akc/akc.8: the line has 'restrict port-forwarding permitopen permitlisten from expiry-time command', the page "
     "'agent port-forwarding permitopen permitlisten from expiry-time command'"),
    (manuals.check_join, "join/join.8", ".It Ev SSH_USER_AUTH\n", ".It Ev SSH_AUTH_INFO\n",
     "join/join.8: environment variable 'SSH_USER_AUTH' is missing",
     "join/join.8: environment variable 'SSH_AUTH_INFO' is not in the program"),
    (manuals.check_join, "lib/wire/join_exit.h", "JOIN_CEILING = 4", "JOIN_CEILING = 6",
     "join/join.8: exit status '6' is missing", "join/join.8: exit status '4' is not in the program"),
    (manuals.check_leased, "leased/main.c", '"DdPtTuvc:"', '"DdPtTuvxc:"',
     "leased/leased.8: option in the source 'x' is missing"),
    (manuals.check_leased, "leased/leased.8", ".Op Fl DdPtTuv\n", ".Op Fl DdPtTu\n",
     "leased/leased.8: option in the SYNOPSIS 'v' is missing"),
    (manuals.check_leased, "leased/leased.8", ".It 78\n", ".It 77\n",
     "leased/leased.8: exit status '78' is missing", "leased/leased.8: exit status '77' is not in the program"),
    (manuals.check_leased, "leased/leased.8", " expires_s=SECONDS", " over_s=SECONDS",
     "leased/leased.8: log field 'expires_s' is missing", "leased/leased.8: log field 'over_s' is not in the program"),
    (manuals.check_leased, "leased/leased.8", ".It Cm narrowed\n", "",
     "leased/leased.8: reason 'narrowed' is missing"),
    (manuals.check_leased, "leased/leased.8", ".It Ql tunlease_ports\n", "",
     "leased/leased.8: metric 'ports' is missing"),
    (manuals.check_leased, "packaging/prometheus/tunlease.rules.yml", "tunlease_sessions_ending",
     "tunlease_moods",
     "tunlease.rules.yml watches tunlease_moods, which leased has not"),
    (manuals.check_env_examples, "packaging/examples/leased.env", "#API_KEYS=\n", "API_KEIS=\n",
     "packaging/examples/leased.env: 'API_KEIS=' is not a comment",
     "packaging/examples/leased.env: name 'API_KEYS' is missing"),
    (manuals.check_env_examples, "packaging/examples/agent.env", "#OVER_SSH=", "#OVERSSH=",
     "packaging/examples/agent.env: name 'OVER_SSH' is missing",
     "packaging/examples/agent.env: name 'OVERSSH' is not in the program"),
    (manuals.check_leased, "packaging/grafana/tunlease.json", "sum(tunlease_audit_rows{", "sum(tunlease_rows{",
     "packaging/grafana/tunlease.json shows tunlease_rows, which leased has not"),
    (manuals.check_leased, "packaging/grafana/tunlease.json", '"Requests refused"', '"Refusals"',
     "packaging/grafana/tunlease.json: the page's 'Requests refused' has no panel"),
    (manuals.check_leased, "leased/page/page.js", '["expired", c.', '["over", c.',
     "packaging/grafana/tunlease.json: the page's 'over' has no panel"),
    (manuals.check_leased, "packaging/grafana/tunlease.json", '"uid": "${datasource}"', '"uid": "mine"',
     "packaging/grafana/tunlease.json: a data source is named, not chosen"),
    (manuals.check_catalog, "packaging/journald/tunlease.catalog", "-- 7e22e6c6", "-- 7e22e6c7",
     "packaging/journald/tunlease.catalog: id '7e22e6c678c14201bd18596157241534' is missing",
     "packaging/journald/tunlease.catalog: id '7e22e6c778c14201bd18596157241534' is not in the program"),
    (manuals.check_catalog, "packaging/journald/tunlease.catalog", "'@AGENT_ID@'", "'@AGENT@'",
     "packaging/journald/tunlease.catalog: event_request_refused has no field AGENT"),
    (manuals.check_catalog, "packaging/journald/tunlease.catalog", "leasectl thaw", "leasectl melt",
     "packaging/journald/tunlease.catalog: leasectl has no melt"),
    (manuals.check_catalog, "packaging/journald/tunlease.catalog", "frozen    an", "icy       an",
     "packaging/journald/tunlease.catalog: reason 'frozen' is missing",
     "packaging/journald/tunlease.catalog: reason 'icy' is not in the program"),
    (manuals.check_catalog, "leased/engine/loop.c", "log_event(&event_stopping, NULL, ", "log_info(",
     "event_stopping is never logged"),
    (manuals.check_leased, "docs/protocol.md", "| `jump_user` |", "| `jumper` |",
     "docs/protocol.md: field of an answer 'jump_user' is missing",
     "docs/protocol.md: field of an answer 'jumper' is not in the program"),
    (manuals.check_leased, "docs/protocol.md", "| `hostname` |", "| `host` |",
     "docs/protocol.md: field of a request 'hostname' is missing",
     "docs/protocol.md: field of a request 'host' is not in the program"),
    (manuals.check_leased, "lib/wire/control.c", 'add_number(out, "lease_ttl_seconds"', 'add_number(out, "lease_ttl_s"',
     "docs/protocol.md: field of an answer 'lease_ttl_s' is missing",
     "docs/protocol.md: field of an answer 'lease_ttl_seconds' is not in the program",
     "leased/leased.8: field of an answer 'lease_ttl_s' is missing",
     "leased/leased.8: field of an answer 'lease_ttl_seconds' is not in the program"),
    (manuals.check_leased, "lib/wire/control.c", '{"gone", 410}', '{"gone", 404}',
     "docs/protocol.md: code '404 gone' is missing", "docs/protocol.md: code '410 gone' is not in the program"),
    (manuals.check_module, "pam_tunnel/args.c", '"debug"', '"chatty"',
     "pam_tunnel/pam_tunnel.8: argument 'chatty' is missing",
     "pam_tunnel/pam_tunnel.8: argument 'debug' is not in the program",
     "pam_tunnel/pam_tunnel.8: argument in the SYNOPSIS 'chatty' is missing",
     "pam_tunnel/pam_tunnel.8: argument in the SYNOPSIS 'debug' is not in the program"),
    (manuals.check_module, "pam_tunnel/admit.c", "opened login=%s", "opened login=%s mood=%s",
     "pam_tunnel/pam_tunnel.8: log field 'mood' is missing"),
    (manuals.check_agent, "tunnel-agent/tunnel-agent.1", ".It Cm RetryMax\n", "",
     "tunnel-agent/tunnel-agent.1: keyword 'RetryMax' is missing",
     "tunnel-agent/tunnel-agent.1: the default of RetryMax is 60s, the page says nothing"),
    (manuals.check_agent, "tunnel-agent/config/options.c", '{"insecure", ', '{"reckless", ',
     "tunnel-agent/tunnel-agent.1: long option in the source 'reckless' is missing",
     "tunnel-agent/tunnel-agent.1: long option in the source 'insecure' is not in the program"),
    (manuals.check_agent, "tunnel-agent/tunnel-agent.1", ".It Ev API_URL\n", ".It Ev URL\n",
     "tunnel-agent/tunnel-agent.1: environment variable 'API_URL' is missing",
     "tunnel-agent/tunnel-agent.1: environment variable 'URL' is not in the program"),
    (manuals.check_conf, "lib/conf/tunlease.conf.5", ".It Cm IssueKeys ", ".It Cm MakeKeys ",
     "lib/conf/tunlease.conf.5: keyword 'IssueKeys' is missing",
     "lib/conf/tunlease.conf.5: keyword 'MakeKeys' is not in the program",
     "lib/conf/tunlease.conf.5: the default of IssueKeys is {'no'}, the page says nothing"),
    (manuals.check_conf, "lib/conf/tunlease.conf.5", ".Ql 90d .\n", ".Ql 60d .\n",
     "lib/conf/tunlease.conf.5: the default of MaxTTL is {'7776000s'}, the page says {'5184000s'}"),
    (manuals.check_conf, "lib/conf/tunlease.conf.5", ".It Ev SSH_USER\n", "",
     "lib/conf/tunlease.conf.5: name of leased.env 'SSH_USER' is missing"),
    (manuals.check_schemas, "leasectl/leasectl.1", ".Ar uses_left\nand\n", ".Ar uses_remaining\nand\n",
     "leasectl/leasectl.1: field of token.json: 'uses_left' is missing",
     "leasectl/leasectl.1: field of token.json: 'uses_remaining' is not in the program"),
    (manuals.check_schemas, "docs/schema/token.json", '"uses_left",', '',
     "docs/schema/token.json: required does not name every property"),
    (manuals.check_schemas,
     "docs/schema/token.json", '"additionalProperties": false', '"additionalProperties": true',
     "docs/schema/token.json: an object takes any further field"),
    (manuals.check_schemas, "tunnel-agent/tunnel-agent.1", ".It Ar probe_ms\n", ".It Ar ping_ms\n",
     "tunnel-agent/tunnel-agent.1: field of status.json: 'probe_ms' is missing",
     "tunnel-agent/tunnel-agent.1: field of status.json: 'ping_ms' is not in the program"),
    (manuals.check_schemas, "tests/e2e/json.sh", "fits tokens ", "fits others ",
     "no test of tests/e2e compares an output with tokens.json"),
    (manuals.check_pages, "akc/akc.8", ".Xr pam_tunnel 8\n", ".Xr pam_tunnel 5\n",
     "akc/akc.8: pam_tunnel" "(5) is pam_tunnel(8)"),
    (manuals.check_pages, "akc/akc.8", ".Sh EXIT STATUS\n", ".Sh EXIT STATUS\n.Em\n", None),
    (manuals.check_messages, "leasectl/leasectl.1", ".It Sy was edited by hand", ".It Sy was changed by hand",
     "leasectl/leasectl.1: no message of leasectl has the words 'was changed by hand and'"),
    (manuals.check_help, "leased --help", "  -v  ", "  -v  " + " " * 60, None),
    (manuals.check_help, "leasectl token --help", "tokens that", "tokens " + "x" * 80 + " that", None),
]


def try_sample(build, check, path, old, new, *answer):
    """Why the sample is not seen as it should be, or nothing. An answer of None is any one problem."""
    text = manuals.Tree(build).text(path)
    if old not in text:
        return f"'{old}' is no longer in {path}"
    tree = manuals.Tree(build, {path: text.replace(old, new, 1)})
    check(tree)
    if tree.problems == list(answer) or (answer == (None,) and len(tree.problems) == 1):
        return None
    return f"{path}: '{old}' made '{new}' is answered with {tree.problems}"


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build"
    whys = [why for why in (try_sample(build, *sample) for sample in SAMPLES) if why]
    print("\n".join([*whys, f"{len(SAMPLES)} broken samples, {len(whys)} of them not seen"]))
    return 1 if whys else 0


if __name__ == "__main__":
    sys.exit(main())
