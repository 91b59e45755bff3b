/* SPDX-License-Identifier: ISC */
/*
 * leasectl explain: says whether a key would be let in now, and if not, which rule refuses it. The
 * verdict is the one that akc gets, and a permit is looked up in the line that akc would print.
 */
#include "leasectl/child.h"
#include "leasectl/ctl_store.h"
#include "leasectl/host/matchblock.h"
#include "leasectl/lease/key.h"
#include "leasectl/lease/terms.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/session/registry_count.h"
#include "lib/store/audit.h"
#include "lib/store/freezes.h"
#include "lib/store/login.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LINE_BYTES = 2048, JOURNAL_MS = 10000 };

struct question {
    const char *login;
    bool last;            /* the key that was last refused, from the system log */
    const char *key_file; /* without --last */
    char fingerprint[FINGERPRINT_BYTES];
    struct lease_key key; /* base64 "": only the fingerprint is known (--last) */
    const char *open, *listen, *addr;
};

struct answer {
    bool admitted;
    const char *rule; /* for scripts: admitted, no_lease, ..., open, listen, from, sessions */
    struct buf why;   /* the sentence for people */
    struct buf line;  /* akc's, when the key is admitted */
    char lease[LEASE_NAME_BYTES];
};

static void format_age(int64_t then_s, int64_t now_s, char out[static DURATION_TEXT_BYTES])
{
    duration_format(now_s - then_s, out);
}

static void explain_revoked(struct ctl *ctl, const struct store_key_history *h, struct buf *why)
{
    char actor[192] = "", when[TIME_TEXT_BYTES], distance[DURATION_TEXT_BYTES];
    int64_t time_s = 0;
    buf_addf(why, "the lease '%s' (#%" PRId64 ") was revoked", h->lease, h->lease_id);
    if (audit_last_of(ctl->store, h->lease_id, "revoke", &time_s, actor, sizeof(actor)) != STORE_OK)
        return;
    time_format_local(time_s, when);
    format_age(time_s, ctl->now_s, distance);
    buf_addf(why, " %s ago (%s) by %s", distance, when, actor);
}

static void explain_frozen(struct ctl *ctl, const char *login, struct buf *why)
{
    char distance[DURATION_TEXT_BYTES];
    int64_t since_s = 0;
    bool all = store_frozen_since(ctl->store, "*", &since_s) == STORE_OK;
    if (!all && store_frozen_since(ctl->store, login, &since_s) != STORE_OK) {
        buf_add(why, "the lease was changed just now: ask again");
        return;
    }
    format_age(since_s, ctl->now_s, distance);
    buf_addf(why, "%s frozen for %s: 'leasectl thaw%s%s' lets holders in again",
             all ? "all tunnel logins have been" : "the login has been", distance, all ? "" : " ",
             all ? "" : login);
}

static void explain_refusal(struct ctl *ctl, const struct question *q,
                            const struct key_judgement *j, struct buf *why)
{
    char distance[DURATION_TEXT_BYTES];
    const struct store_key_history *h = &j->history;
    switch (j->verdict) {
    case KEY_NO_LEASE:
        buf_add(why, "no lease holds this key");
        break;
    case KEY_OTHER_LOGIN:
        buf_addf(why, "the key holds the lease '%s' (#%" PRId64 "), which is on another login",
                 h->lease, h->lease_id);
        break;
    case KEY_REVOKED:
        explain_revoked(ctl, h, why);
        break;
    case KEY_EXPIRED:
        format_age(h->expires_s, ctl->now_s, distance);
        buf_addf(why,
                 "the lease '%s' (#%" PRId64 ") expired %s ago: 'leasectl renew %s' brings it back",
                 h->lease, h->lease_id, distance, h->lease);
        break;
    case KEY_FROZEN:
        explain_frozen(ctl, q->login, why);
        break;
    case KEY_ADMITTED:
    case KEY_VERDICT__MAX:
        break;
    }
}

/* sshd compares the text that the client sends with the text in the key line (docs/sshd-facts.md
 * 7), so this does, too. */
static bool line_has(const struct buf *line, const char *option, const char *typed, bool lower)
{
    char wanted[PERMIT_TEXT_BYTES + 32];
    int n = snprintf(wanted, sizeof(wanted), "%s=\"%s\"", option, typed);
    if (n < 0 || (size_t)n >= sizeof(wanted) || buf_text(line) == NULL)
        return false;
    for (char *p = wanted; lower && *p != '\0'; p++)
        *p = text_lower(*p);
    return strstr(buf_text(line), wanted) != NULL;
}

/* A bare port gets the host that ssh adds for -L and -R. */
static void add_default_host(const char *typed, char out[static PERMIT_TEXT_BYTES],
                             const char *default_host)
{
    (void)snprintf(out, PERMIT_TEXT_BYTES, strchr(typed, ':') == NULL ? "%s:%s" : "%.0s%s",
                   default_host, typed);
}

/* Counts sessions as akc does, which refuses a login if it cannot count them. */
static void judge_sessions(const struct ctl *ctl, const struct lease *l, struct answer *a)
{
    size_t sessions = 0;
    if (l->max_sessions == 0)
        return;
    if (registry_count(ctl->conf.paths.run_dir, l->id, &sessions) != 0) {
        a->rule = "sessions";
        buf_addf(&a->why,
                 "'%s' may have %u sessions, and '%s/sessions' cannot be read to count them",
                 l->name, l->max_sessions, ctl->conf.paths.run_dir);
    } else if (sessions >= l->max_sessions) {
        a->rule = "sessions";
        buf_addf(&a->why,
                 "'%s' has %zu live session%s, and may have %u: see 'leasectl sessions %s'",
                 l->name, sessions, sessions == 1 ? "" : "s", l->max_sessions, l->name);
    }
}

/* typed, escaped to be repeated in a message. */
static const char *escape(struct buf *shown, const char *typed)
{
    text_add_escaped(shown, typed);
    return buf_text(shown) != NULL ? buf_text(shown) : "?";
}

static void judge_use(const struct ctl *ctl, const struct question *q, const struct lease *l,
                      struct answer *a)
{
    char typed[PERMIT_TEXT_BYTES];
    struct buf list = {0}, shown = {0};

    if (q->addr != NULL && !source_list_matches(&l->from, q->addr)) {
        a->rule = "from";
        source_list_format(&l->from, &list);
        buf_addf(&a->why, "'%s' may come only from %s, not from %s", l->name,
                 buf_text(&list) != NULL ? buf_text(&list) : "?", q->addr);
    } else if (q->open != NULL) {
        add_default_host(q->open, typed, "localhost");
        if (!line_has(&a->line, "permitopen", typed, false)) {
            a->rule = "open";
            permit_list_format(&l->open, &list);
            buf_addf(&a->why,
                     "'%s' may not open %s: it may open %s (sshd compares the words as "
                     "typed)",
                     l->name, escape(&shown, typed), list.len > 0 ? buf_text(&list) : "nothing");
        }
    } else if (q->listen != NULL) {
        add_default_host(q->listen, typed, "localhost");
        if (!line_has(&a->line, "permitlisten", typed, true)) {
            a->rule = "listen";
            permit_list_format(&l->listen, &list);
            buf_addf(&a->why, "'%s' may not listen on %s: it may listen on %s", l->name,
                     escape(&shown, typed), list.len > 0 ? buf_text(&list) : "nothing");
        }
    }
    if (a->rule == NULL)
        judge_sessions(ctl, l, a);
    a->admitted = a->rule == NULL;
    buf_release(&list);
    buf_release(&shown);
}

static int judge_key(struct ctl *ctl, const struct question *q, struct answer *a)
{
    struct key_judgement j;
    struct lease l = {0};
    char left[DURATION_TEXT_BYTES];
    enum store_rc rc = store_judge_key(ctl->store, q->login, q->fingerprint, ctl->now_s, &j, &l);
    if (rc != STORE_OK)
        return ctl_store_error(ctl, rc);
    if (j.verdict != KEY_ADMITTED) {
        a->rule = key_verdict_name(j.verdict);
        if (j.verdict != KEY_NO_LEASE)
            (void)strlcpy(a->lease, j.history.lease, sizeof(a->lease));
        explain_refusal(ctl, q, &j, &a->why);
        return EXIT_DONE;
    }
    (void)strlcpy(a->lease, l.name, sizeof(a->lease));
    if (q->key.pub.base64[0] != '\0') {
        char *dropin = matchblock_read_dropin();
        matchblock_keyline(dropin, &l, &q->key.pub, &a->line);
        free(dropin);
    }
    judge_use(ctl, q, &l, a);
    if (a->admitted) {
        a->rule = key_verdict_name(KEY_ADMITTED);
        duration_format(l.expires_s - ctl->now_s, left);
        buf_addf(&a->why, "the lease '%s' (#%" PRId64 ") admits it for another %s", l.name, l.id,
                 left);
        if (l.from.count > 0 && q->addr == NULL) {
            buf_add(&a->why, ", from ");
            source_list_format(&l.from, &a->why);
        }
    }
    lease_release(&l);
    return EXIT_DONE;
}

static int print_answer(struct ctl *ctl, const struct question *q, struct answer *a)
{
    struct buf json = {0};
    size_t len = a->line.len;
    if (len > 0 && !a->line.failed && a->line.data[len - 1] == '\n')
        a->line.data[len - 1] = '\0';
    const struct json_field fields[] = {
        {.name = "login", .text = q->login},
        {.name = "fingerprint", .text = q->fingerprint},
        {.name = "admitted", .is_bool = true, .number = a->admitted},
        {.name = "rule", .text = a->rule},
        {.name = "lease", .text = a->lease[0] != '\0' ? a->lease : NULL},
        {.name = "why", .text = buf_text(&a->why)},
        {.name = "line", .text = len > 0 ? buf_text(&a->line) : NULL},
    };
    if (ctl->json) {
        if (json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &json) == 0)
            (void)puts(buf_text(&json));
    } else {
        text_print(stdout, "login '%s', key %s", q->login, q->fingerprint);
        text_print(stdout, "%s: %s", a->admitted ? "admitted" : "refused",
                   buf_text(&a->why) != NULL ? buf_text(&a->why) : "out of memory");
        if (len > 0)
            text_print(stdout, "akc prints: %s", buf_text(&a->line));
    }
    buf_release(&json);
    return a->admitted ? EXIT_DONE : EXIT_FAILED;
}

/* ---- --last: the last refusal that akc logged for a login ---- */

/* True if the word before end is akc or akc[PID]. */
static bool is_akc(const char *line, const char *end)
{
    const char *word = end;
    while (word > line && word[-1] != ' ')
        word--;
    return strncmp(word, "akc", 3) == 0 && (word + 3 == end || word[3] == '[');
}

/* Copies the fingerprint from a line like `akc[12]: refused login=pfwd key=SHA256:... reason=...`.
 */
static bool parse_log_line(const char *line, const char *login,
                           char fingerprint[static FINGERPRINT_BYTES])
{
    char wanted[CONF_NAME_BYTES + 32];
    (void)snprintf(wanted, sizeof(wanted), ": refused login=%s key=SHA256:", login);
    const char *at = strstr(line, wanted);
    /* The first ": " must be the one behind the name of the program that logs. sshd logs the names
     * that clients give, and one could be "akc: refused login=...". */
    if (at == NULL || at != strstr(line, ": ") || !is_akc(line, at))
        return false;
    at += strlen(wanted) - strlen("SHA256:");
    size_t len = strcspn(at, " \r\n");
    if (len != FINGERPRINT_BYTES - 1)
        return false;
    (void)strlcpy(fingerprint, at, FINGERPRINT_BYTES);
    return true;
}

static bool search_journal(const char *login, char fingerprint[static FINGERPRINT_BYTES])
{
    const char *const argv[] = {"journalctl",       "--quiet",      "--no-pager",
                                "--identifier=akc", "--lines=2000", NULL};
    struct child c;
    bool found = false;
    (void)child_run(&c, argv, NULL, NULL, JOURNAL_MS);
    char *rest = c.out_text.len > 0 && !c.out_text.failed ? c.out_text.data : NULL;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        found = parse_log_line(line, login, fingerprint) || found;
    child_release(&c);
    return found;
}

static bool search_file(const char *path, const char *login,
                        char fingerprint[static FINGERPRINT_BYTES])
{
    char line[LOG_LINE_BYTES];
    bool found = false;
    FILE *f = fopen(path, "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        found = parse_log_line(line, login, fingerprint) || found;
    if (f != NULL)
        (void)fclose(f);
    return found;
}

static int find_last_refused(struct ctl *ctl, struct question *q)
{
    static const char *const files[] = {"/var/log/auth.log", "/var/log/secure"};
    bool found =
        access("/run/systemd/journal", F_OK) == 0 && search_journal(q->login, q->fingerprint);
    for (size_t i = 0; !found && i < sizeof(files) / sizeof(files[0]); i++)
        found = search_file(files[i], q->login, q->fingerprint);
    if (found)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_NO_SUCH, "the system log has no refused login on '%s'%s", q->login,
                     geteuid() != 0 ? " that you may read: try sudo" : "");
}

static int parse_option(struct ctl *ctl, struct question *q, int opt, const char *arg)
{
    struct source_list address;
    switch (opt) {
    case 'k':
        q->key_file = arg;
        return EXIT_DONE;
    case 'o':
        q->open = arg;
        return EXIT_DONE;
    case 'r':
        q->listen = arg;
        return EXIT_DONE;
    case 'a':
        if (source_list_parse(arg, &address) != NULL || strpbrk(arg, ",/") != NULL)
            return ctl_error(ctl, EXIT_USAGE, "--addr '%s' is no IPv4 or IPv6 address",
                             text_clip(arg).s);
        q->addr = arg;
        return EXIT_DONE;
    case 'l':
        q->last = true;
        q->login = arg;
        return EXIT_DONE;
    default:
        return EXIT_USAGE;
    }
}

static int parse_arguments(struct ctl *ctl, int argc, char **argv, struct question *q)
{
    static const struct option options[] = {
        {"key", required_argument, NULL, 'k'},    {"open", required_argument, NULL, 'o'},
        {"listen", required_argument, NULL, 'r'}, {"addr", required_argument, NULL, 'a'},
        {"last", required_argument, NULL, 'l'},   {NULL, 0, NULL, 0}};
    int opt, code = EXIT_DONE;

    while (code == EXIT_DONE && (opt = ctl_option(ctl, argc, argv, options)) != -1)
        code = parse_option(ctl, q, opt, optarg);
    if (code != EXIT_DONE)
        return code;
    if (!q->last && optind < argc)
        q->login = argv[optind++];
    if (q->login == NULL || optind != argc || q->last == (q->key_file != NULL) ||
        (q->open != NULL && q->listen != NULL) ||
        (q->last && (q->open != NULL || q->listen != NULL)))
        return ctl_usage(ctl,
                         "explain takes LOGIN --key FILE [--open or --listen], or --last LOGIN");
    const char *problem = login_name_problem(q->login);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "the login '%s' %s", text_clip(q->login).s, problem);
    return EXIT_DONE;
}

int cmd_explain(struct ctl *ctl, int argc, char **argv)
{
    struct question q = {.login = NULL};
    struct answer a = {.rule = NULL};
    int code = parse_arguments(ctl, argc, argv, &q);
    if (code == EXIT_DONE)
        code = q.last ? find_last_refused(ctl, &q) : key_read_file(ctl, q.key_file, &q.key);
    if (code != EXIT_DONE)
        return code;
    if (!q.last)
        (void)strlcpy(q.fingerprint, q.key.pub.fingerprint, sizeof(q.fingerprint));
    code = ctl_open_read(ctl);
    if (code == EXIT_DONE)
        code = judge_key(ctl, &q, &a);
    if (code == EXIT_DONE)
        code = print_answer(ctl, &q, &a);
    buf_release(&a.why);
    buf_release(&a.line);
    return code;
}
