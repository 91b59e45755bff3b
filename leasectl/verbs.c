/* SPDX-License-Identifier: ISC */
/* The verbs and their help. leasectl(1) says the same at length. */
#include "leasectl/verbs.h"

#include <stddef.h>

const struct verb verbs[] = {
    {"setup", cmd_setup, "setup [--dry-run] [--undo [--keep-sessions]]",
     "prepare this host: accounts, store, sshd's Match blocks\n\n"
     "Makes what is missing: the users _tunlease and _tunlease-akc, the tunnel group and logins,\n"
     "the store, the PAM profile, and sshd's drop-in, which is tested, loaded, and undone if sshd\n"
     "refuses it. Stops before it takes over a login that has keys or a Match block of its own.\n"
     "Runs doctor at the end, and says what starts leased where it does not run.\n\n"
     "  --dry-run        only print what would be done\n"
     "  --undo           remove the drop-in and the PAM profile, and end all live sessions;\n"
     "                   accounts and leases stay\n"
     "  --keep-sessions  with --undo: leave live sessions up\n"},
    {"grant", cmd_grant,
     "grant NAME [--key FILE|-] [--open [HOST:]PORT|HOST:LOW-HIGH|agent:NAME]... "
     "[--listen HOST:PORT|auto]... [--login LOGIN] [--for DURATION|--until TIME] "
     "[--from CIDR[,CIDR]...] [--max-sessions N] [--note TEXT]",
     "give somebody a lease, and print the line to send to them\n\n"
     "  --key FILE|-        the holder's public key; without it, on a terminal, it is asked for\n"
     "  --open [HOST:]PORT  what may be opened with ssh -L; repeatable; HOST:LOW-HIGH is a range;\n"
     "                      agent:NAME is the port of that agent, whatever it is\n"
     "  --listen HOST:PORT  what may be bound with ssh -R; repeatable; auto picks a free port\n"
     "  --login LOGIN       the Unix login (default ForwardLogin)\n"
     "  --for DURATION      90s, 15m, 12h, 7d, 2w or sums like 1d12h (default DefaultTTL)\n"
     "  --until TIME        2026-12-01, '2026-12-01 18:00' or 2026-12-01T18:00:00Z\n"
     "  --from CIDR,...     only from these addresses\n"
     "  --max-sessions N    at most so many connections at a time; a lease that listens has one\n"
     "  --note TEXT         a note for yourself\n"},
    {"list", cmd_list, "list [--all] [--login LOGIN] [--expiring DURATION]",
     "active leases\n\n"
     "  --all                expired and revoked ones too\n"
     "  --login LOGIN        only of this login\n"
     "  --expiring DURATION  only those that end within it\n"
     "\nPiped: tab-separated id, name, login, state, expires_at, open, listen, from, note.\n"},
    {"show", cmd_show, "show NAME|#NUMBER", "one lease with everything about it\n"},
    {"set", cmd_set,
     "set NAME [--open +PERMIT|-PERMIT]... [--listen +PERMIT|-PERMIT]... [--from CIDR,...|none] "
     "[--max-sessions N|none] [--note TEXT] [--dry-run] [--yes]",
     "change what a lease permits\n\n"
     "The change holds at the next login; live sessions that it does not allow are ended.\n\n"
     "  --open +PERMIT|-PERMIT    add or take away what ssh -L may open; repeatable\n"
     "  --listen +PERMIT|-PERMIT  add or take away what ssh -R may bind; repeatable\n"
     "  --from CIDR,...|none      only from these addresses, or from anywhere\n"
     "  --max-sessions N|none     at most so many connections at a time; newer ones are ended\n"
     "  --note TEXT               a note for yourself\n"
     "  --dry-run                 only show what would change, and which sessions would end\n"
     "  --yes                     do not ask where your own connection would end\n"},
    {"renew", cmd_renew, "renew [--for DURATION|--until TIME] NAME|#NUMBER...",
     "give leases a later end, counted from now; an expired lease becomes active again\n\n"
     "Never shortens a lease, except to an exact --until. A revoked one stays revoked.\n\n"
     "  --for DURATION  90s, 15m, 12h, 7d, 2w or sums like 1d12h (default DefaultTTL)\n"
     "  --until TIME    2026-12-01, '2026-12-01 18:00' or 2026-12-01T18:00:00Z\n"},
    {"revoke", cmd_revoke, "revoke [--keep-sessions] [--dry-run] [--yes] NAME|#NUMBER...",
     "end leases for good: live sessions are ended, the next login is refused\n\n"
     "Name and keys are free for a new lease at once; the row stays for the audit.\n\n"
     "  --keep-sessions  leave live sessions up until the lease would have expired\n"
     "  --dry-run        only show what would change, and which sessions would end\n"
     "  --yes            do not ask where your own connection would end\n"},
    {"delete", cmd_delete, "delete [--dry-run] [--yes] NAME|#NUMBER",
     "delete an expired or revoked lease; the audit keeps what it was\n\n"
     "  --dry-run  only show what would change, and which sessions would end\n"
     "  --yes      do not ask where your own connection would end\n"},
    {"key", cmd_key, "key add NAME --key FILE|- | key remove [--dry-run] [--yes] NAME FINGERPRINT",
     "give a holder another key, or take one away\n\n"
     "  add NAME --key FILE|-    one more public key, up to 16\n"
     "  remove NAME FINGERPRINT  SHA256:..., as 'leasectl show NAME' prints it\n"
     "  --dry-run                only show what would change, and which sessions would end\n"
     "  --yes                    do not ask where your own connection would end\n"},
    {"freeze", cmd_freeze, "freeze [--dry-run] [--yes] [LOGIN]",
     "end every session and let nobody in, on one login or on all, until thawed\n\n"
     "Leases stay as they are. It holds across reboots.\n\n"
     "  --dry-run  only show what would change, and which sessions would end\n"
     "  --yes      do not ask where your own connection would end\n"},
    {"thaw", cmd_thaw, "thaw [LOGIN]", "end a freeze\n"},
    {"sessions", cmd_sessions, "sessions [--port P] [NAME|#NUMBER]",
     "live connections: lease, login, from, since, pid, listeners, open forwards\n\n"
     "  --port P  only the one that listens on this port\n"},
    {"kill", cmd_kill, "kill [--dry-run] [--yes] NAME|#NUMBER | kill [--dry-run] [--yes] --pid PID",
     "end live sessions, and keep the lease\n\n"
     "  --pid PID  one session, by the PID column of 'leasectl sessions'\n"
     "  --dry-run  only show what would change, and which sessions would end\n"
     "  --yes      do not ask where your own connection would end\n"},
    {"agent", cmd_agent,
     "agent add NAME --key FILE|- [--port N] [--for DURATION|--until TIME] | agent reset "
     "NAME|#NUMBER",
     "make an agent's lease before it registers, and print the line to run on its host\n\n"
     "  reset NAME      the agent lost its agent_secret: it gets a new one if it registers within\n"
     "                  an hour, with an enrolment key or a token\n"
     "  --key FILE|-    the agent's public key, as 'tunnel-agent key' prints it\n"
     "  --port N        its port; else the first that is free\n"
     "  --for DURATION  how long the lease lasts; heartbeats do not move its end\n"
     "  --until TIME    the end itself\n"},
    {"agents", cmd_agents, "agents [--all]",
     "agents with port, tunnel state and last heartbeat\n\n"
     "  --all  revoked ones too\n"},
    {"token", cmd_token,
     "token create [--uses N] [--for DURATION] [--name NAME] | token list | token revoke ID",
     "tokens that let agents register\n\n"
     "  --uses N        how many agents may register with it (default 1)\n"
     "  --for DURATION  how long it is valid (default 1d)\n"
     "  --name NAME     only the agent of this name may use it\n"},
    {"explain", cmd_explain,
     "explain LOGIN --key FILE|- [--open HOST:PORT|--listen HOST:PORT] [--addr IP] | "
     "explain --last LOGIN",
     "say whether a key would be let in now, and which rule refuses it\n\n"
     "Exit status 0 when it is admitted, 1 when not.\n\n"
     "  --key FILE|-        the public key\n"
     "  --open HOST:PORT    what the client wants to open, as typed after ssh -L ...:\n"
     "  --listen HOST:PORT  what the client wants to bind, as typed after ssh -R\n"
     "  --addr IP           the client's address\n"
     "  --last LOGIN        the key that was last refused on LOGIN, from the system log\n"},
    {"verify", cmd_verify, "verify [NAME | --login LOGIN] [--host HOST] [--port PORT]",
     "prove with real ssh connections what a lease opens, and that it opens nothing else\n\n"
     "Makes a 60-second lease with the same permits and a key that is thrown away, and tries:\n"
     "A shell, command, terminal, file transfer; B the permitted forwards, which must carry data;\n"
     "C everything else a key could be used for; D the end of a live tunnel; E an expired key.\n"
     "Exit status 0 only when all pass.\n\n"
     "  --login LOGIN  a port of this login, in place of a lease\n"
     "  --host HOST    the name or address at which sshd is tried (default: where it listens)\n"
     "  --port PORT    the port, such as that of another sshd or of a socket unit\n"},
    {"login", cmd_login, "login add LOGIN | login check LOGIN | login list",
     "the Unix accounts that tunnels log in as\n\n"
     "  add LOGIN    make one: no shell, no password, no ageing, in the tunnel group\n"
     "  check LOGIN  what keeps it from being a safe tunnel login\n"
     "  list         all of them\n"},
    {"ssh-config", cmd_ssh_config, "ssh-config NAME|#NUMBER [--user USER] [--only PART]",
     "print what a client puts into ~/.ssh/config\n\n"
     "For a holder: the Host stanza, the one-line command, a systemd user unit, a launchd job.\n"
     "For an agent: two stanzas that log in on its host through this gateway. Both pin host keys.\n"
     "All but the stanzas is printed as comments.\n\n"
     "  --user USER  the user on the host behind the agent (default: as the agent has registered)\n"
     "  --only PART  only this, as it is: stanzas, known-hosts, command, systemd or launchd\n"},
    {"sshd-config", cmd_sshd_config, "sshd-config [--for VERSION]",
     "print the Match blocks for the sshd of this host\n\n"
     "'leasectl setup' installs exactly this.\n\n"
     "  --for VERSION  as for this version of OpenSSH, 8.2 or later\n"},
    {"doctor", cmd_doctor, "doctor [--quick]",
     "check everything that leases depend on\n\n"
     "Configuration, akc as sshd runs it, the store and its file system, the clock, sshd's\n"
     "settings for each tunnel login from inside and outside, accounts, PAM, the registry of\n"
     "sessions, key files, the control port, leased and what it sees in /proc, ports, services,\n"
     "ceilings, room for all agents, and what sshd opens for others.\n\n"
     "  --quick  a health check: starts no program, and exits 0 only when all is well\n"},
    {"help", NULL, "help [COMMAND]", "what the commands do, or one of them\n"},
    {"version", NULL, "version", "print the version\n"},
    {NULL, NULL, NULL, NULL},
};
