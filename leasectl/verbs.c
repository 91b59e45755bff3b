/* SPDX-License-Identifier: ISC */
/* The verbs and their help. leasectl(1) says the same at length. */
#include "leasectl/verbs.h"

#include <stddef.h>

const struct verb verbs[] = {
    {"setup", cmd_setup, "setup [--join] [--dry-run] [--undo [--keep-sessions]]",
     "prepare this host: accounts, store, sshd's Match blocks\n\n"
     "Makes what is missing: the users _tunlease and _tunlease-akc, the tunnel group and logins,\n"
     "the store, the PAM profile, and sshd's drop-in, which is tested, loaded, and undone if sshd\n"
     "refuses it. Stops before it takes over a login that has keys or a Match block of its own.\n"
     "Runs doctor at the end, and says what starts leased where it does not run.\n\n"
     "  --join           make invites possible: a login at which any key may redeem one, and\n"
     "                   nothing else; writes 'JoinLogin join' into tunlease.conf\n"
     "  --dry-run        only print what would be done\n"
     "  --undo           remove the drop-in, the PAM profile and the login of JoinLogin, and end\n"
     "                   all live sessions; tunnel logins and leases stay\n"
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
    {"invite", cmd_invite,
     "invite NAME [--open [HOST:]PORT|HOST:LOW-HIGH|agent:NAME]... [--listen HOST:PORT|auto]... "
     "[--login LOGIN] [--for DURATION|--until TIME] [--from CIDR[,CIDR]...] [--max-sessions N] "
     "[--note TEXT] [--valid DURATION] | invite NAME --agent [--replace] [--port N] "
     "[--for DURATION|--until TIME] [--valid DURATION] | invite list | invite revoke ID",
     "a line with which somebody joins over ssh, once, with a key of his own\n\n"
     "Whoever runs it gets a lease of these terms; nobody sends a key. It needs leased, and\n"
     "JoinLogin, which setup makes. The name is reserved until somebody has joined, or the invite\n"
     "is over or taken back. The code in the line is printed this once.\n\n"
     "  list                invites: open, spent since yesterday, or over\n"
     "  revoke ID           take one back; the lease of who has joined with it stays\n"
     "  --open [HOST:]PORT  what may be opened with ssh -L; repeatable; HOST:LOW-HIGH is a range;\n"
     "                      agent:NAME is the port of that agent, whatever it is\n"
     "  --listen HOST:PORT  what may be bound with ssh -R; repeatable; auto picks a free port\n"
     "  --login LOGIN       the Unix login (default ForwardLogin)\n"
     "  --for DURATION      how long the lease lasts, from joining on (default DefaultTTL)\n"
     "  --until TIME        the end of the lease itself\n"
     "  --from CIDR,...     only from these addresses, when joining, too\n"
     "  --max-sessions N    at most so many connections at a time; a lease that listens has one\n"
     "  --note TEXT         a note for yourself\n"
     "  --valid DURATION    how long the invite is good (default 1d, at most 30d)\n"
     "  --agent             it is for a private host, which runs tunnel-agent\n"
     "  --replace           the host takes the place of the agent NAME: new key, same port\n"
     "  --port N            the agent's port; else the first that is free when it joins\n"},
    {"run", cmd_run,
     "run NAME --key FILE|- [--open [HOST:]PORT|HOST:LOW-HIGH|agent:NAME]... "
     "[--listen HOST:PORT|auto]... [--login LOGIN] [--for DURATION|--until TIME] "
     "[--from CIDR[,CIDR]...] [--max-sessions N] [--note TEXT] [--as-root] -- COMMAND...",
     "a lease that lasts as long as a command runs\n\n"
     "Grants as grant does, runs COMMAND as the user who called sudo, and revokes when it has\n"
     "ended. The lease is a minute long, and is prolonged every 20 s. Once somebody has revoked,\n"
     "frozen or changed it, it is not, and COMMAND is ended: SIGTERM, after 10 s SIGKILL.\n"
     "Exit status: that of COMMAND, 128 + its signal, or 125 when it was not started.\n\n"
     "  --key FILE|-        the holder's public key\n"
     "  --open [HOST:]PORT  what may be opened with ssh -L; repeatable; HOST:LOW-HIGH is a range;\n"
     "                      agent:NAME is the port of that agent, whatever it is\n"
     "  --listen HOST:PORT  what may be bound with ssh -R; repeatable; auto picks a free port\n"
     "  --login LOGIN       the Unix login (default ForwardLogin)\n"
     "  --for DURATION      COMMAND is ended after it, if it still runs\n"
     "  --until TIME        COMMAND is ended then\n"
     "  --from CIDR,...     only from these addresses\n"
     "  --max-sessions N    at most so many connections at a time; a lease that listens has one\n"
     "  --note TEXT         a note for yourself\n"
     "  --as-root           run COMMAND as root; else there must be a user who called sudo\n"},
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
    {"sessions", cmd_sessions, "sessions [--port P] [--forwards] [NAME|#NUMBER]",
     "live connections: lease, login, from, since, pid, listeners, open forwards, bytes\n\n"
     "Bytes are those of the connections that are open now: down to the holder, up from there.\n"
     "Only root sees listeners, forwards and bytes; '?' is what cannot be seen.\n\n"
     "  --port P    only those that use this port: a forward goes there, or they listen on it;\n"
     "              the bytes are those of that port\n"
     "  --forwards  a row for each open connection: -L where it goes, -R where it came in\n"},
    {"top", cmd_top, "top [--delay SECONDS] [--batch] [--count N]",
     "watch leases, sessions and what goes through them; q quits, ? is help\n\n"
     "Bytes are added up from the first look on, also those of connections that have closed\n"
     "since. k kills and r revokes what is marked, each after a question.\n\n"
     "  --delay SECONDS  the time between two looks (default 2; 0.1 to 3600)\n"
     "  --batch          print each look as text, to a file or a pipe\n"
     "  --count N        end after so many looks\n"},
    {"kill", cmd_kill, "kill [--dry-run] [--yes] NAME|#NUMBER | kill [--dry-run] [--yes] --pid PID",
     "end live sessions, and keep the lease\n\n"
     "  --pid PID  one session, by the PID column of 'leasectl sessions'\n"
     "  --dry-run  only show what would change, and which sessions would end\n"
     "  --yes      do not ask where your own connection would end\n"},
    {"agent", cmd_agent,
     "agent add NAME --key FILE|- [--port N] [--for DURATION|--until TIME] | agent reset "
     "NAME|#NUMBER [--from CIDR[,CIDR]...]",
     "make an agent's lease before it registers, and print the line to run on its host\n\n"
     "  reset NAME      a copy of the agent was seen: the next to register within ten minutes "
     "goes\n"
     "                  on, and the other is refused. Or it lost its agent_secret: it gets a new\n"
     "                  one if it registers within an hour, with an enrolment key or a token\n"
     "  --from CIDR     where the agent that is to go on registers from\n"
     "  --key FILE|-    the agent's public key, as 'tunnel-agent key' prints it\n"
     "  --port N        its port; else the first that is free\n"
     "  --for DURATION  how long the lease lasts; heartbeats do not move its end\n"
     "  --until TIME    the end itself\n"},
    {"agents", cmd_agents, "agents [--all]",
     "agents with port, tunnel state, last heartbeat, and where copies were seen\n\n"
     "  --all  revoked ones too\n"},
    {"token", cmd_token,
     "token create [--uses N] [--for DURATION] [--name NAME] | token list | token revoke ID",
     "tokens that let agents register\n\n"
     "  --uses N        how many agents may register with it (default 1)\n"
     "  --for DURATION  how long it is valid (default 1d)\n"
     "  --name NAME     only the agent of this name may use it\n"},
    {"audit", cmd_audit,
     "audit [--lease NAME|#NUMBER] [--since TIME] | audit verify [--checkpoint FILE [--signers "
     "FILE]] | audit checkpoint [--sign KEY]",
     "who changed what, and when; prove that nothing of it was changed since\n\n"
     "  verify             recompute the chain of all rows, and name the first one that is wrong\n"
     "  checkpoint         print the newest row's number and hash, to be kept elsewhere, and "
     "write\n"
     "                     them to the system log\n"
     "  --lease NAME       only of this lease, which may be deleted\n"
     "  --since TIME       2026-12-01, '2026-12-01 18:00', 2026-12-01T18:00:00Z, or 2h: so long "
     "ago\n"
     "  --checkpoint FILE  compare with a checkpoint: only that shows that the newest rows were "
     "cut\n"
     "                     off, or all of them written anew\n"
     "  --signers FILE     check its signature, too: allowed signers as in ssh-keygen(1)\n"
     "  --sign KEY         sign it: a private key, or the .pub of one that an agent holds\n"
     "\nPiped: tab-separated seq, at, action, lease, lease_id, outcome, actor, source, "
     "fingerprint,\n"
     "detail.\n"},
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
    {"lint", cmd_lint, "lint FILE|-",
     "say what each line of an authorized_keys file really allows, and why\n\n"
     "Needs no root, no tunlease on this host and no configuration. Exit status 0 when there is\n"
     "nothing to say but what the lines allow, 1 when something was found, 2 when the file cannot\n"
     "be read.\n"},
    {"import", cmd_import, "import FILE --login LOGIN [--for DURATION] [--dry-run]",
     "give each line of an authorized_keys file a lease that allows no more\n\n"
     "What a lease cannot keep is left out, and named. Run again, it goes on where it was.\n"
     "Exit status 0 when everybody has a lease whom a line lets in now; else 1, or 5 when only\n"
     "keys or ports of other leases are the reason.\n\n"
     "  --login LOGIN   the login that the file is of\n"
     "  --for DURATION  how long leases last whose line has no end (default DefaultTTL)\n"
     "  --dry-run       only show, line by line, what sshd allows and what the lease would\n"},
    {"export", cmd_export, "export LOGIN",
     "print the active leases of a login as an authorized_keys file\n\n"
     "The lines of akc, sorted by name: for sshd without tunlease, and for import elsewhere.\n"},
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
    {"backup", cmd_backup, "backup FILE [--overwrite]",
     "copy the store into one file, while everything runs\n\n"
     "The copy is one state of the store, and is checked before it gets its name. Keep it "
     "private:\n"
     "it has what the store has. FILE must not exist yet.\n\n"
     "  --overwrite  replace FILE\n"},
    {"restore", cmd_restore, "restore FILE [--forget-revocations] [--dry-run] [--yes]",
     "make a backup the store again, while everything runs\n\n"
     "What was revoked, removed, narrowed, spent or frozen since the backup stays so, and the "
     "audit\n"
     "goes on. Sessions of leases that the backup does not have are ended.\n\n"
     "  --forget-revocations  bring back what was taken away since, too; needed where the present\n"
     "                        store cannot be read\n"
     "  --dry-run             print what would change and end, and change nothing\n"
     "  --yes                 do not ask before your own connection ends\n"},
    {"doctor", cmd_doctor, "doctor [--quick]",
     "check everything that leases depend on\n\n"
     "Configuration, akc as sshd runs it, the store and its file system, the clock, sshd's\n"
     "settings for each tunnel login from inside and outside, accounts, PAM, the registry of\n"
     "sessions, all that joining needs, key files, the control port, leased and what it sees in\n"
     "/proc, ports, services, ceilings, room for all agents, and what sshd opens for others.\n\n"
     "  --quick  a health check: starts no program, and exits 0 only when all is well\n"},
    {"prove", cmd_prove, "prove --report FILE [--sign KEY]",
     "write a report for an auditor, after trying each claim that can be tried here\n\n"
     "Who may reach what until when, and last did; live sessions; the claims of docs/security.md,\n"
     "each with its trial and evidence; doctor; the audit's head. Text, and the same as JSON, in\n"
     "one file of mode 0600. Takes at most a minute, and ends nobody's session.\n"
     "Exit status 0 only when every trial passes and doctor finds nothing that fails.\n\n"
     "  --report FILE  the report, which must not be there\n"
     "  --sign KEY     sign it with this SSH key, for ssh-keygen -Y verify\n"},
    {"help", NULL, "help [COMMAND]", "what the commands do, or one of them\n"},
    {"version", NULL, "version", "print the version\n"},
    {NULL, NULL, NULL, NULL},
};
