/* SPDX-License-Identifier: ISC */
/* What akc would say of the key: the verdict is the one that akc gets, and a permit is looked up in
 * the line that akc would print. */
#include "leasectl/admission/inquiry.h"
#include "leasectl/admission/regrant.h"
#include "leasectl/ctl_store.h"
#include "leasectl/host/listening.h"
#include "leasectl/host/matchblock.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/lease.h"
#include "lib/lease/time_text.h"
#include "lib/session/registry_count.h"
#include "lib/store/audit.h"
#include "lib/store/freezes.h"
#include "lib/store/login.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char no_line[] = "akc prints no line for the key, and sshd refuses it";

static void refuse(struct inquiry *i, const char *rule, const char *what)
{
    finding_add(&i->answer->findings, ADMISSION_LEASE, ADMISSION_REFUSES, rule, "%s",
                what != NULL ? what : "out of memory");
}

/* ---- a key that no active lease holds ---- */

static void describe_revoked(struct ctl *ctl, const struct store_key_history *h, struct buf *what)
{
    char actor[192] = "", when[TIME_TEXT_BYTES], distance[DURATION_TEXT_BYTES];
    int64_t time_s = 0;
    buf_addf(what, "the lease '%s' (#%" PRId64 ") was revoked", h->lease, h->lease_id);
    if (audit_last_of(ctl->store, h->lease_id, "revoke", &time_s, actor, sizeof(actor)) != STORE_OK)
        return;
    time_format_local(time_s, when);
    duration_format(ctl->now_s - time_s, distance);
    buf_addf(what, " %s ago (%s) by %s", distance, when, actor);
}

/* An agent that is frozen alone. */
static void add_copied(struct inquiry *i, const char *name)
{
    char what[256];
    struct admission_findings *f = &i->answer->findings;
    (void)snprintf(what, sizeof(what),
                   "the agent '%.64s' is frozen, since two hosts have its state (CopiedAgents "
                   "refuse)",
                   name);
    refuse(i, "frozen", what);
    finding_why(f, "%s", no_line);
    finding_mend(f,
                 "leasectl agents names both; stop the copy, then 'leasectl agent reset %s', or "
                 "'leasectl invite %s --agent --replace' where the state may have been stolen",
                 name, name);
}

/* STORE_OK: it was added; else the store could not be asked. */
static enum store_rc add_frozen(struct inquiry *i)
{
    char what[256], distance[DURATION_TEXT_BYTES];
    struct login_freeze freeze;
    struct admission_findings *f = &i->answer->findings;
    const enum store_rc rc = store_login_frozen(i->ctl->store, i->q->login, &freeze);
    if (rc == STORE_NONE) {
        refuse(i, "frozen", "the lease was changed just now");
        finding_why(f, "the answer may be another one by now");
        finding_mend(f, "ask again");
        return STORE_OK;
    }
    if (rc != STORE_OK)
        return rc;
    duration_format(i->ctl->now_s - freeze.since_s, distance);
    (void)snprintf(what, sizeof(what), "%s been frozen for %s",
                   freeze.is_of_all ? "all tunnel logins have" : "the login has", distance);
    refuse(i, "frozen", what);
    finding_why(f, "%s", no_line);
    finding_mend(f, "leasectl thaw%s%s", freeze.is_of_all ? "" : " ",
                 freeze.is_of_all ? "" : i->q->login);
    return STORE_OK;
}

static enum store_rc add_verdict(struct inquiry *i, const struct key_judgement *j)
{
    const struct store_key_history *h = &j->history;
    struct admission_findings *f = &i->answer->findings;
    char distance[DURATION_TEXT_BYTES];
    struct buf what = {0}, mend = {0};
    switch (j->verdict) {
    case KEY_NO_LEASE:
        buf_add(&what, "no lease holds this key");
        regrant_add_first(i->ctl, i->q->login, &mend);
        break;
    case KEY_OTHER_LOGIN:
        buf_addf(&what, "the key holds the lease '%s' (#%" PRId64 "), which is on another login",
                 h->lease, h->lease_id);
        buf_addf(&mend, "connect as the login that 'leasectl show %s' names", h->lease);
        break;
    case KEY_REVOKED:
        describe_revoked(i->ctl, h, &what);
        regrant_add(i->ctl, h, i->q->login, &mend);
        break;
    case KEY_EXPIRED:
        duration_format(i->ctl->now_s - h->expires_s, distance);
        buf_addf(&what, "the lease '%s' (#%" PRId64 ") expired %s ago", h->lease, h->lease_id,
                 distance);
        buf_addf(&mend, "leasectl renew %s", h->lease);
        break;
    case KEY_FROZEN:
        if (!h->is_copied)
            return add_frozen(i);
        add_copied(i, h->lease);
        return STORE_OK;
    case KEY_ADMITTED:
    case KEY_VERDICT__MAX:
        return STORE_OK;
    }
    refuse(i, key_verdict_name(j->verdict), buf_text(&what));
    finding_why(f, "%s", no_line);
    finding_mend(f, "%s", buf_text_or(&mend, ""));
    buf_release(&what);
    buf_release(&mend);
    return STORE_OK;
}

/* ---- a key that one holds: from here, for this forward, once more? ---- */

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

/* A lease that listens may take its port from its own older session, and from nobody else. */
static void ask_port(struct inquiry *i, const struct lease *l)
{
    char host[PERMIT_HOST_BYTES];
    unsigned port;
    size_t sessions = 0;
    struct listening_sockets held;
    struct admission_findings *f = &i->answer->findings;
    if (!inquiry_forward(i, host, sizeof(host), &port))
        return;
    listening_sockets_on_port((uint16_t)port, &held);
    if (held.count == 0 || registry_count(i->ctl->conf.paths.run_dir, l->id, &sessions) != 0 ||
        sessions > 0)
        return;
    finding_add(f, ADMISSION_LEASE, ADMISSION_ENDANGERS, "port_held",
                "something listens on %s port %u now, and it is no session of '%s'",
                held.items[0].host, port, l->name);
    finding_why(f, "sshd cannot bind the port a second time: the key gets in, and its -R fails");
    finding_mend(f, "'ss -Hltnp sport = :%u' names the process", port);
}

static void ask_forward(struct inquiry *i, const struct lease *l)
{
    char typed[PERMIT_TEXT_BYTES];
    const bool listens = i->q->forward == ADMISSION_LISTEN;
    const char *option = listens ? "permitlisten" : "permitopen";
    struct admission_findings *f = &i->answer->findings;
    struct buf list = {0}, what = {0}, shown = {0};
    /* A bare port gets the host that ssh adds for -L and -R. */
    (void)snprintf(typed, sizeof(typed), strchr(i->q->typed, ':') == NULL ? "localhost:%s" : "%s",
                   i->q->typed);
    if (line_has(&i->answer->line, option, typed, listens)) {
        if (listens)
            ask_port(i, l);
        return;
    }
    permit_list_format(listens ? &l->listen : &l->open, &list);
    text_add_escaped(&shown, typed);
    buf_addf(&what, "'%s' may not %s %s: it may %s %s", l->name, listens ? "listen on" : "open",
             buf_text_or(&shown, "?"), listens ? "listen on" : "open",
             list.len > 0 ? buf_text_or(&list, "nothing") : "nothing");
    refuse(i, listens ? "listen" : "open", buf_text(&what));
    finding_why(f, "sshd compares the words as typed, and refuses what the line does not have");
    finding_mend(f, "leasectl set %s --%s +HOST:PORT, or type it as the lease has it", l->name,
                 listens ? "listen" : "open");
    buf_release(&list);
    buf_release(&what);
    buf_release(&shown);
}

static void ask_from(struct inquiry *i, const struct lease *l)
{
    struct buf list = {0}, what = {0};
    struct admission_findings *f = &i->answer->findings;
    source_list_format(&l->from, &list);
    const char *sources = buf_text_or(&list, "?");
    if (i->q->addr == NULL && l->from.count > 0) {
        finding_add(f, ADMISSION_LEASE, ADMISSION_NOT_ASKED, "from",
                    "whether the client is at one of %s", sources);
        finding_why(f, "the lease admits its key from there alone");
        finding_mend(f, "leasectl explain %s --key FILE --addr ADDRESS", i->q->login);
    } else if (i->q->addr != NULL && !source_list_matches(&l->from, i->q->addr)) {
        buf_addf(&what, "'%s' may come only from %s, not from %s", l->name, sources, i->q->addr);
        refuse(i, "from", buf_text(&what));
        finding_why(f, "sshd refuses its key from elsewhere");
        finding_mend(f, "leasectl set %s --from %s,%s", l->name, sources, i->q->addr);
    }
    buf_release(&list);
    buf_release(&what);
}

/* Counts sessions as akc does, which refuses a login if it cannot count them. */
static void ask_sessions(struct inquiry *i, const struct lease *l)
{
    char what[512];
    size_t sessions = 0;
    const char *run_dir = i->ctl->conf.paths.run_dir;
    struct admission_findings *f = &i->answer->findings;
    if (l->max_sessions == 0)
        return;
    if (registry_count(run_dir, l->id, &sessions) != 0) {
        (void)snprintf(what, sizeof(what),
                       "'%s' may have %u sessions, and '%.200s/sessions' cannot be read to count "
                       "them",
                       l->name, l->max_sessions, run_dir);
        refuse(i, "sessions", what);
        finding_why(f, "akc refuses a login that it cannot count");
        finding_mend(f, "leasectl doctor");
    } else if (sessions >= l->max_sessions) {
        (void)snprintf(what, sizeof(what), "'%s' has %zu live session%s, and may have %u", l->name,
                       sessions, sessions == 1 ? "" : "s", l->max_sessions);
        refuse(i, "sessions", what);
        finding_why(f, "akc refuses one more");
        finding_mend(f, "leasectl sessions %s; leasectl set %s --max-sessions N", l->name, l->name);
    }
}

static void ask_use(struct inquiry *i, const struct lease *l)
{
    char left[DURATION_TEXT_BYTES];
    struct admission_answer *a = i->answer;
    if (i->q->key->base64[0] != '\0') {
        char *dropin = matchblock_read_dropin();
        matchblock_keyline(dropin, l, i->q->key, &a->line);
        free(dropin);
    }
    ask_from(i, l);
    if (i->q->forward != ADMISSION_NO_FORWARD)
        ask_forward(i, l);
    ask_sessions(i, l);
    duration_format(l->expires_s - i->ctl->now_s, left);
    buf_addf(&a->admits, "the lease '%s' (#%" PRId64 ") admits it for another %s", l->name, l->id,
             left);
    if (i->q->forward != ADMISSION_NO_FORWARD)
        buf_addf(&a->admits, ", with -%c for %s", i->q->forward == ADMISSION_OPEN ? 'L' : 'R',
                 i->q->typed);
    if (l->from.count > 0 && i->q->addr == NULL) {
        buf_add(&a->admits, ", from ");
        source_list_format(&l->from, &a->admits);
    }
}

int ask_lease(struct inquiry *i)
{
    struct key_judgement j;
    struct lease l = {0};
    enum store_rc rc =
        store_judge_key(i->ctl->store, i->q->login, i->q->key->fingerprint, i->ctl->now_s, &j, &l);
    if (rc != STORE_OK)
        return ctl_store_error(i->ctl, rc);
    i->answer->asked[ADMISSION_LEASE] = true;
    if (j.verdict != KEY_ADMITTED) {
        if (j.verdict != KEY_NO_LEASE)
            (void)strlcpy(i->answer->lease, j.history.lease, sizeof(i->answer->lease));
        rc = add_verdict(i, &j);
        return rc == STORE_OK ? EXIT_DONE : ctl_store_error(i->ctl, rc);
    }
    (void)strlcpy(i->answer->lease, l.name, sizeof(i->answer->lease));
    ask_use(i, &l);
    lease_release(&l);
    return EXIT_DONE;
}
