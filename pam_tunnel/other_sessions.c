/* SPDX-License-Identifier: ISC */
/* The other sessions of a lease, when one more is about to open. A lease that listens has one
 * connection; another may have as many as its limit. */
#include "pam_tunnel/other_sessions.h"

#include "lib/base/clock.h"
#include "lib/session/ladder.h"
#include "lib/session/registry_count.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/session/takeovers.h"

#include <errno.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <syslog.h>

/* How many dead entries one login removes at most; that takes a few milliseconds. */
enum { REMOVED_MOST = 250 };

static bool has_unseen(const struct session_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].sight == SESSION_UNSEEN)
            return true;
    return false;
}

static const char *take_over(const struct newcomer *n, int lock, const struct session_list *older,
                             bool *ret_was_logged)
{
    enum ladder_state *states = NULL;
    struct takeovers t;
    const char *why = NULL;

    takeovers_load(lock, &t);
    enum takeover_verdict verdict = takeovers_judge(&t, clock_monotonic_ms());
    takeovers_save(lock, &t);
    if (verdict != TAKEOVER_ALLOWED) {
        *ret_was_logged = verdict == TAKEOVER_REFUSED;
        return "the lease was taken over more than 60 times within 60 s: two clients use its key; "
               "newcomers are refused for 30 s";
    }
    states = calloc(older->count, sizeof(*states));
    if (states == NULL)
        return "out of memory";
    if (ladder_end_all(older, n->deadline_ms, states) != 0)
        why = has_unseen(older) ? "nobody can tell whether its older session still exists, so it "
                                  "cannot be ended: 'leasectl doctor' says why"
                                : "its older session could not be ended in time";
    for (size_t i = 0; i < older->count; i++)
        if (states[i] == LADDER_GONE) {
            registry_remove_ended(n->registry, &older->items[i], true, n->deadline_ms);
            pam_syslog(n->pamh, LOG_INFO,
                       "took over login=%s lease=%s source=%s from pid %d source=%s",
                       n->session->login, n->session->lease, n->session->source,
                       (int)older->items[i].pid, older->items[i].source);
        }
    free(states);
    return why;
}

static const char *cannot_read(void)
{
    return errno == ETIMEDOUT ? "the session registry could not be read in time"
                              : "the session registry cannot be read";
}

/*
 * From here nobody can end a session of another container, or see whether that container still
 * runs. So such a session is left alone, and a newcomer is let in beside it: only one of the two
 * can bind the port.
 */
static bool is_of_this_namespace(void *unused, const struct session *s)
{
    (void)unused;
    return s->sight == SESSION_LIVE || s->unseen_why != EXDEV;
}

const char *other_sessions_end(const struct newcomer *n, int lock, bool *ret_was_logged)
{
    struct session_list older;
    const char *why = NULL;
    if (registry_read_open(n->registry, n->session->lease_id, n->deadline_ms, &older) != 0)
        return cannot_read();
    (void)registry_remove_dead_locked(n->registry, n->session->lease_id, &older, REMOVED_MOST);
    session_list_filter(&older, is_of_this_namespace, NULL);
    if (older.count > 0)
        why = take_over(n, lock, &older, ret_was_logged);
    session_list_release(&older);
    return why;
}

const char *other_sessions_check_limit(const struct newcomer *n, unsigned max)
{
    struct session_list others = {.items = NULL};
    const char *why = NULL;
    switch (registry_has_room(n->registry, n->session->lease_id, max, n->deadline_ms, &others)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        why = others.unseen > 0
                  ? "the lease has as many sessions as it may have; those of which nobody can tell "
                    "whether they still exist count, too"
                  : "the lease has as many sessions as it may have";
        break;
    case SIGHT_CANNOT_TELL:
        return cannot_read();
    }
    (void)registry_remove_dead_locked(n->registry, n->session->lease_id, &others, REMOVED_MOST);
    session_list_release(&others);
    return why;
}
