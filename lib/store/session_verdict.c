/* SPDX-License-Identifier: ISC */
#include "lib/store/session_verdict.h"

#include "lib/lease/lease.h"
#include "lib/session/session_list.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"
#include "lib/store/place.h"
#include "lib/store/snapshot.h"

#include <stdlib.h>
#include <string.h>

const char *session_verdict_name(enum session_verdict verdict)
{
    static const char *const names[SESSION_VERDICT__MAX] = {
        [SESSION_ALLOWED] = "allowed",     [SESSION_DELETED] = "deleted",
        [SESSION_REVOKED] = "revoked",     [SESSION_EXPIRED] = "expired",
        [SESSION_FROZEN] = "frozen",       [SESSION_KEY_REMOVED] = "key_removed",
        [SESSION_FROM] = "from",           [SESSION_NARROWED] = "narrowed",
        [SESSION_OVER_LIMIT] = "sessions", [SESSION_NOT_JUDGED] = "not_judged"};
    return names[verdict];
}

/* lib/session must not include lib/lease, so it has its own constants for these sizes. */
_Static_assert((int)SESSION_NAME_BYTES == LEASE_NAME_BYTES &&
                   (int)SESSION_LOGIN_BYTES == LOGIN_NAME_BYTES,
               "names of leases and logins fit a session");

static int compare_age(const void *a, const void *b)
{
    const struct session *x = a, *y = b;
    if (x->lease_id != y->lease_id)
        return x->lease_id < y->lease_id ? -1 : 1;
    if (x->since_s != y->since_s)
        return x->since_s < y->since_s ? -1 : 1;
    if (x->start_ticks != y->start_ticks)
        return x->start_ticks < y->start_ticks ? -1 : 1;
    return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* True if the session was admitted with a permit that the lease no longer grants. `recorded`: the
 * list in the registry entry, with commas between permits. Also true if the list cannot be read:
 * then nothing shows that its permits are granted. */
static bool exceeds_lease(const char *recorded, const struct permit_list *now)
{
    char *text = strdup(recorded);
    struct permit_list then = {0};
    bool more = true;
    if (text == NULL)
        return true;
    for (char *p = text; *p != '\0'; p++)
        if (*p == ',')
            *p = ' ';
    if (permit_list_parse(text, &then) == 0) {
        more = false;
        for (size_t i = 0; i < then.count && !more; i++) {
            bool covered = false;
            for (size_t j = 0; j < now->count && !covered; j++)
                covered = permit_contains(&now->items[j], &then.items[i]);
            more = !covered;
        }
        permit_list_release(&then);
    }
    free(text);
    return more;
}

static enum session_verdict judge_by_lease(const struct session *s, const struct lease *l,
                                           int64_t now_s)
{
    if (strcmp(l->login, s->login) != 0)
        return SESSION_NOT_JUDGED;
    switch (lease_state_at(l, now_s)) {
    case LEASE_REVOKED:
        /* --keep-sessions: the session may stay until the lease would have expired. */
        return l->keep_sessions && now_s < l->expires_s ? SESSION_ALLOWED : SESSION_REVOKED;
    case LEASE_EXPIRED:
        return SESSION_EXPIRED;
    default:
        break;
    }
    if (l->is_frozen)
        return SESSION_FROZEN;
    if (!lease_has_key(l, s->fingerprint))
        return SESSION_KEY_REMOVED;
    if (!source_list_matches(&l->from, s->source))
        return SESSION_FROM;
    /* NULL: the list was too long for the registry entry. Then the program that narrows the lease
     * ends the session (leasectl(1)). */
    if (s->opens != NULL && s->listens != NULL &&
        (exceeds_lease(s->opens, &l->open) || exceeds_lease(s->listens, &l->listen)))
        return SESSION_NARROWED;
    return SESSION_ALLOWED;
}

/* A session that is still opening has no lease yet, only a key. */
static enum session_verdict judge_opening(struct store *st, const struct session *s, int64_t now_s)
{
    static const enum session_verdict of_key[KEY_VERDICT__MAX] = {
        [KEY_ADMITTED] = SESSION_ALLOWED,    [KEY_NO_LEASE] = SESSION_DELETED,
        [KEY_OTHER_LOGIN] = SESSION_DELETED, [KEY_REVOKED] = SESSION_REVOKED,
        [KEY_EXPIRED] = SESSION_EXPIRED,     [KEY_FROZEN] = SESSION_FROZEN};
    struct key_judgement j;
    struct lease l = {0};
    if (store_judge_key(st, s->login, s->fingerprint, now_s, &j, &l) != STORE_OK)
        return SESSION_NOT_JUDGED;
    lease_release(&l);
    return of_key[j.verdict];
}

/* Judges the sessions of one lease: items[0..count), oldest first. */
static void judge_lease(struct store *st, const struct session *items, size_t count, int64_t now_s,
                        enum session_verdict verdicts[], int64_t *next_s)
{
    struct lease l = {0};
    unsigned allowed = 0;
    enum store_rc rc = store_lease_by_id(st, items[0].lease_id, &l);
    for (size_t i = 0; i < count; i++) {
        verdicts[i] = rc == STORE_OK     ? judge_by_lease(&items[i], &l, now_s)
                      : rc == STORE_NONE ? SESSION_DELETED
                                         : SESSION_NOT_JUDGED;
        /* A session that may not exist does not count, so that it ends no other. */
        if (verdicts[i] == SESSION_ALLOWED && items[i].sight == SESSION_LIVE &&
            l.max_sessions != 0 && l.revoked_s == 0 && ++allowed > l.max_sessions)
            verdicts[i] = SESSION_OVER_LIMIT;
        if (verdicts[i] == SESSION_ALLOWED && l.expires_s < *next_s)
            *next_s = l.expires_s;
    }
    lease_release(&l);
}

struct frozen {
    const struct session_list *list;
    enum session_verdict *verdicts;
};

static int mark_frozen(void *arg, const char *login, int64_t since_s)
{
    struct frozen *f = arg;
    (void)since_s;
    for (size_t i = 0; i < f->list->count; i++)
        if (strcmp(login, "*") == 0 || strcmp(login, f->list->items[i].login) == 0)
            f->verdicts[i] = SESSION_FROZEN;
    return 0;
}

enum store_rc store_judge_sessions(struct store *st, struct session_list *list, int64_t now_s,
                                   enum session_verdict verdicts[], int64_t *ret_next_s)
{
    int64_t next_s = INT64_MAX;
    struct frozen frozen = {.list = list, .verdicts = verdicts};
    /* Judge all sessions by one snapshot: it takes one lock instead of two for each session. */
    enum store_rc rc = snapshot_begin(st);
    if (rc != STORE_OK)
        return rc;
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(list->items[0]), compare_age);
    for (size_t i = 0; i < list->count;) {
        size_t n = 1;
        if (!list->items[i].open) {
            verdicts[i] = judge_opening(st, &list->items[i], now_s);
        } else {
            while (i + n < list->count && list->items[i + n].lease_id == list->items[i].lease_id)
                n++;
            judge_lease(st, &list->items[i], n, now_s, &verdicts[i], &next_s);
        }
        i += n;
    }
    if (ret_next_s != NULL)
        *ret_next_s = next_s;
    rc = store_freeze_list(st, mark_frozen, &frozen);
    snapshot_end(st);
    return rc == STORE_OK ? store_in_place(st) : rc;
}
