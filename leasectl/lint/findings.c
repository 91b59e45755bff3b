/* SPDX-License-Identifier: ISC */
#include "leasectl/lint/findings.h"

#include "lib/base/text.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/authorized/from.h"
#include "lib/lease/authorized/words.h"
#include "lib/lease/time_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void lint_add(struct lint_findings *f, const char *name, const char *why, const char *mend,
              const char *what, ...)
{
    char text[2 * LINT_WHAT_BYTES];
    if (f->count == LINT_FINDINGS_MAX)
        return;
    struct lint_finding *at = &f->items[f->count++];
    va_list args;
    va_start(args, what);
    (void)vsnprintf(text, sizeof(text), what, args);
    va_end(args);
    *at = (struct lint_finding){.name = name, .why = why, .mend = mend};
    (void)text_escape(at->what, sizeof(at->what), text);
}

/* ---- whether it is reached, and until when ---- */

static bool find_over(const struct authorized_line *l, int64_t now_s, struct lint_findings *f)
{
    char text[TIME_TEXT_BYTES];
    if (!authorized_line_is_over(l, now_s))
        return false;
    time_format_zoned(l->expires_s, text);
    lint_add(f, "over", "sshd refuses the key since then", "take the line away",
             "over since %s, by expiry-time=\"%s\"", text, text_clip(l->expires_text).s);
    return true;
}

/* True if no line behind the earlier one is ever reached. */
static bool find_repeat(const struct authorized_earlier *earlier, struct lint_findings *f)
{
    static const char mend[] = "keep one line for the key, with all that it may";
    char text[TIME_TEXT_BYTES] = "";
    if (earlier->line_no == 0)
        return false;
    if (earlier->expires_s != 0)
        time_format_zoned(earlier->expires_s, text);
    if (earlier->has_condition)
        lint_add(f, "repeat", "sshd takes the first line of a key that admits it", mend,
                 "same key as line %lu: reached only where that line refuses", earlier->line_no);
    else if (earlier->expires_s != 0)
        lint_add(f, "repeat",
                 "the first line of a key is taken until it is over: from then on this one counts",
                 mend, "same key as line %lu: reached after %s", earlier->line_no, text);
    else
        lint_add(f, "repeat",
                 "sshd takes the first line of a key that admits it; options are not added up",
                 mend, "same key as line %lu: never reached", earlier->line_no);
    return !earlier->has_condition && earlier->expires_s == 0;
}

static void find_local_time(const struct authorized_line *l, struct lint_findings *f)
{
    char text[TIME_TEXT_BYTES];
    struct tm tm;
    time_t t = (time_t)l->expires_s;
    if (l->expires_text == NULL || !l->expires_local)
        return;
    bool summer = localtime_r(&t, &tm) != NULL && tm.tm_isdst > 0;
    time_format_zoned(l->expires_s, text);
    lint_add(f, "local-time",
             strlen(l->expires_text) == 8
                 ? "the time has no Z, so it is that of the zone sshd runs in; a date is its first "
                   "minute"
                 : "the time has no Z, so it is that of the zone sshd runs in",
             "write it in UTC, as in expiry-time=\"20301231180000Z\" (OpenSSH 9.1 and later)",
             "expiry in local time: here until %s%s", text,
             summer ? ", an hour late in summer" : "");
}

/* ---- ports ---- */

static const char no_listen[] =
    "end it with permitlisten=\"NONE:1\" if nothing may listen, else name each address and port";

static bool is_shown(const struct authorized_permit *p, bool listen)
{
    return !authorized_permit_is_sentinel(p, listen) && !authorized_permit_is_void(p, listen);
}

static void find_void(const struct authorized_permits *permits, bool listen,
                      struct lint_findings *f)
{
    for (size_t i = 0; i < permits->count; i++) {
        const struct authorized_permit *p = &permits->items[i];
        if (authorized_permit_is_sentinel(p, listen) || !authorized_permit_is_void(p, listen))
            continue;
        if (listen)
            lint_add(f, "void-listen",
                     "sshd makes small letters of the name that is asked for, and not of the rule",
                     "write it in small letters", "permitlisten=\"%s\" matches nothing",
                     text_clip(p->text).s);
        else
            lint_add(f, "void-open", "sshd knows no patterns in permitopen, but for a whole *",
                     "name each host", "permitopen=\"%s\" matches nothing", text_clip(p->text).s);
        return; /* the first speaks for all */
    }
}

static void find_open(const struct authorized_line *l, struct lint_findings *f)
{
    if (authorized_opens_any(l)) {
        lint_add(f, "any-open",
                 l->open.count == 0 ? "there is no permitopen=, so nothing is limited"
                                    : "permitopen=\"*:*\" limits nothing",
                 "name each host and port in a permitopen= of its own", "any -L is open%s",
                 l->open.count == 0 ? ", and -L to unix sockets" : "");
        return;
    }
    for (size_t i = 0; i < l->open.count; i++) {
        const struct authorized_permit *p = &l->open.items[i];
        if (is_shown(p, false) && (p->port == 0 || strcmp(p->host, "*") == 0)) {
            lint_add(f, "wide-open", "a * stands for all",
                     "name each host and port in a permitopen= of its own",
                     p->port == 0 ? "every port of a host is open: permitopen=\"%s\""
                                  : "a port of every host is open: permitopen=\"%s\"",
                     text_clip(p->text).s);
            break;
        }
    }
    find_void(&l->open, false, f);
}

/* `-R P` asks for localhost, `-R 127.0.0.1:P` for that: of a pair, only one may be allowed. */
static void find_spelling(const struct authorized_line *l, struct lint_findings *f)
{
    for (size_t i = 0; i < l->listen.count; i++) {
        const struct authorized_permit *p = &l->listen.items[i];
        if (!is_shown(p, true) || p->port == 0)
            continue;
        bool by_name = authorized_allows_listen(l, "localhost", p->port);
        bool by_number = authorized_allows_listen(l, "127.0.0.1", p->port);
        if (by_name == by_number)
            continue;
        if (by_name)
            lint_add(f, "spelling",
                     "sshd compares what is typed: -R with a port alone asks for localhost",
                     "add a permitlisten= with 127.0.0.1 if that may be typed",
                     "-R 127.0.0.1:%u is refused by sshd today, -R %u is not", p->port, p->port);
        else
            lint_add(f, "spelling",
                     "sshd compares what is typed: -R with a port alone asks for localhost",
                     "add a permitlisten= with localhost if that may be typed",
                     "-R %u is refused by sshd today, -R 127.0.0.1:%u is not", p->port, p->port);
        return;
    }
}

static void find_listen(const struct authorized_line *l, struct lint_findings *f)
{
    if (authorized_listens_any(l)) {
        lint_add(f, "any-listen",
                 l->listen.count == 0 ? "there is no permitlisten=, so nothing is limited"
                                      : "permitlisten=\"*\" limits nothing",
                 no_listen, "any -R is open");
        return;
    }
    for (size_t i = 0; i < l->listen.count; i++) {
        const struct authorized_permit *p = &l->listen.items[i];
        bool any_host = strcmp(p->host, "*") == 0 || p->host[0] == '\0';
        if (!is_shown(p, true) || (!any_host && p->port != 0))
            continue;
        if (any_host)
            lint_add(f, "any-address",
                     p->bare ? "permitlisten= by a port alone is any address; GatewayPorts of sshd "
                               "decides which is bound"
                             : "its host is any; GatewayPorts of sshd decides which is bound",
                     "write the address, as in permitlisten=\"localhost:8080\"",
                     "-R may bind any address: permitlisten=\"%s\"", text_clip(p->text).s);
        else
            lint_add(f, "wide-listen", "a * stands for all",
                     "name each port in a permitlisten= of its own",
                     "-R may bind every port: permitlisten=\"%s\"", text_clip(p->text).s);
        break;
    }
    find_spelling(l, f);
    find_void(&l->listen, true, f);
}

static void find_ports(const struct authorized_line *l, struct lint_findings *f)
{
    bool limited = l->open.count + l->listen.count > 0;
    if (l->port_forwarding) {
        find_open(l, f);
        find_listen(l, f);
    } else if (l->forwarding_undone && l->restricted) {
        lint_add(f, "order", "the order counts, and restrict takes back what stands before it",
                 "put restrict first", "restrict takes port-forwarding back: no port is open");
    } else if (l->forwarding_undone) {
        lint_add(f, "order", "the last of the two counts", "leave one of them",
                 "no-port-forwarding takes port-forwarding back: no port is open");
    } else if (limited) {
        lint_add(f, "no-forwarding",
                 l->restricted ? "restrict closes all ports, and nothing opens them again"
                               : "no-port-forwarding closes all ports",
                 "put port-forwarding behind restrict, or take the permits away",
                 "no port is open: %s= does nothing",
                 l->open.count > 0 ? "permitopen" : "permitlisten");
    }
}

/* ---- all but ports ---- */

static const char begin_with_restrict[] = "begin the options with restrict";

/* True if the command does nothing, or prints its arguments. */
static bool is_harmless(const char *command)
{
    static const char *const names[] = {"nologin", "false", "true", "echo", "exit"};
    command += strspn(command, " \t");
    const size_t len = strcspn(command, " \t");
    const char *slash = memrchr(command, '/', len), *name = slash != NULL ? slash + 1 : command;
    const size_t name_bytes = (size_t)(command + len - name);
    if (strpbrk(command, ";&|<>`$()\n") != NULL)
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == name_bytes && memcmp(name, names[i], name_bytes) == 0)
            return true;
    return len == 0;
}

/* What only counts if sshd's configuration says so. */
static void find_configured(const struct authorized_line *l, struct lint_findings *f)
{
    if (l->tunnel != AUTHORIZED_TUNNEL_NONE)
        lint_add(
            f, "tunnel",
            "the option only names the device: PermitTunnel of sshd opens it, or keeps it shut, "
            "for lines without the option, too",
            "set PermitTunnel no, and take the option away",
            "tun devices (-w) are meant to be open");
    if (l->environment_count > 0)
        lint_add(f, "environment",
                 "it counts only with PermitUserEnvironment, and could then undo command=",
                 "take the option away", "environment=\"%s\" is set where sshd allows it",
                 text_clip(l->environment[0]).s);
}

static void find_sessions(const struct authorized_line *l, struct lint_findings *f)
{
    if (l->command == NULL)
        lint_add(f, "exec", "there is no command=; restrict does not close this",
                 "add command=\"/usr/sbin/nologin\"",
                 "commands run unless the login's shell is nologin; sftp is reachable where "
                 "internal-sftp is configured, with such a shell, too");
    else if (strstr(l->command, "internal-sftp") != NULL)
        lint_add(f, "sftp", "its command= is sftp",
                 "put command=\"/usr/sbin/nologin\" in its place", "sftp is open");
    else if (!is_harmless(l->command))
        lint_add(f, "command", "the holder can do what that program can, with input of their own",
                 "put command=\"/usr/sbin/nologin\" in its place if no program is meant to run",
                 "command=\"%s\" runs", text_clip(l->command).s);
    if (l->pty)
        lint_add(f, "pty", "neither restrict nor no-pty closes them", begin_with_restrict,
                 "terminals are open");
    if (l->agent_forwarding)
        lint_add(f, "agent", "root on this host could use the holder's other keys meanwhile",
                 begin_with_restrict, "agent forwarding is open");
    if (l->x11_forwarding)
        lint_add(f, "x11", "neither restrict nor no-x11-forwarding closes it", begin_with_restrict,
                 "X11 forwarding is open");
    if (l->user_rc)
        lint_add(f, "user-rc", "who can write to the home can have commands run with command=, too",
                 begin_with_restrict,
                 "user rc is open: ~/.ssh/rc runs at each login with a command");
}

static void find_source(const struct authorized_line *l, struct lint_findings *f)
{
    if (l->from == NULL)
        return;
    if (authorized_from_has_name(l->from))
        lint_add(f, "dns",
                 "sshd compares names with what DNS says of the client, and only with UseDNS yes",
                 "name addresses or networks", "from uses DNS: from=\"%s\"", text_clip(l->from).s);
    if (authorized_from_is_any(l->from))
        lint_add(f, "from-any", "a *, or a prefix of length 0, stands for all",
                 "name networks, or take the option away", "from=\"%s\" refuses nobody",
                 text_clip(l->from).s);
}

static void find_key(const struct authorized_line *l, struct lint_findings *f)
{
    if (l->key_problem != NULL)
        lint_add(f, "weak-key", "sshd takes it all the same", "ask for a new key", "%s",
                 l->key_problem);
    if (l->key_since != NULL)
        lint_add(f, "new-type", "an older sshd passes over the line", NULL,
                 "%s is known from OpenSSH %s on", l->key.type, l->key_since);
    if (!l->touch_required && strncmp(l->key.type, "sk-", 3) == 0)
        lint_add(f, "no-touch", "whoever runs a program on the holder's host can use the key",
                 "take no-touch-required away", "the security key is used without a touch");
}

static void find_authority(const struct authorized_line *l, struct lint_findings *f)
{
    static const char why[] = "no list of keys stands anywhere, and a key that leaks is not "
                              "withdrawn by a change of this file";
    static const char mend[] = "put the keys themselves here, a line each";
    if (l->principals != NULL)
        lint_add(f, "authority", why, mend,
                 "whoever holds the authority makes keys at will: certificates for %s are let in",
                 text_clip(l->principals).s);
    else
        lint_add(f, "authority", why, mend,
                 "whoever holds the authority makes keys at will: certificates for the login's "
                 "name are let in, and before OpenSSH 10.3 those for nobody in particular");
}

/* True if the options, if there are any, take nothing away. */
static bool is_unrestricted(const struct authorized_line *l)
{
    return l->command == NULL && l->pty && l->agent_forwarding && l->x11_forwarding && l->user_rc &&
           authorized_opens_any(l) && authorized_listens_any(l);
}

static void find_unrestricted(const struct authorized_line *l, struct lint_findings *f)
{
    static const char all[] = "a shell, sftp, any -L and -R, agent and X11 forwarding, and tun "
                              "devices where PermitTunnel "
                              "opens them";
    if (!l->has_options && authorized_comment_has_options(l))
        lint_add(f, "options-behind-key", all, "put the options before the key",
                 "the options stand behind the key and do nothing: unrestricted");
    else
        lint_add(f, "unrestricted", all,
                 "begin the line with restrict,port-forwarding, and what it may",
                 l->has_options ? "its options limit nothing: unrestricted"
                                : "there are no options: unrestricted");
}

void lint_line(const struct authorized_line *l, const struct authorized_earlier *earlier,
               int64_t now_s, struct lint_findings *f)
{
    f->count = 0;
    f->reached = false;
    if (l->kind == AUTHORIZED_DEAD)
        lint_add(f, "dead", "sshd passes over the line, without a word at its usual log level",
                 l->cure, "dead: %s", l->reason);
    if (l->kind == AUTHORIZED_UNREAD)
        lint_add(f, "unread", "sshd reads lines of any length, so it may admit a key", l->cure,
                 "not judged: %s", l->reason);
    if (l->has_nul && l->kind != AUTHORIZED_BLANK)
        lint_add(f, "nul", "sshd reads the line up to its first NUL byte", "take it away",
                 "the line has a NUL byte");
    if (l->kind != AUTHORIZED_KEY && l->kind != AUTHORIZED_AUTHORITY)
        return;
    if (find_over(l, now_s, f) || find_repeat(earlier, f))
        return;
    f->reached = true;
    if (l->kind == AUTHORIZED_AUTHORITY)
        find_authority(l, f);
    if (is_unrestricted(l)) {
        find_unrestricted(l, f);
    } else {
        find_ports(l, f);
        find_sessions(l, f);
    }
    find_configured(l, f);
    find_source(l, f);
    find_local_time(l, f);
    find_key(l, f);
}
