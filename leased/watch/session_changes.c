/* SPDX-License-Identifier: ISC */
#include "leased/watch/session_changes.h"

#include "leased/watch/metrics.h"
#include "leased/watch/records.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/session/session_list.h"

#include <stdlib.h>

static int compare_pid(const void *a, const void *b)
{
    const struct session *const *x = a, *const *y = b;
    if ((*x)->pid != (*y)->pid) /* equal pids come from different pid namespaces */
        return (*x)->pid < (*y)->pid ? -1 : 1;
    return ((*x)->start_ticks > (*y)->start_ticks) - ((*x)->start_ticks < (*y)->start_ticks);
}

/* The list's sessions sorted by pid, to be freed by the caller; NULL: out of memory. */
static const struct session **by_pid(const struct session_list *list)
{
    const struct session **ret = calloc(list->count + 1, sizeof(*ret));
    if (ret == NULL)
        return NULL;
    for (size_t i = 0; i < list->count; i++)
        ret[i] = &list->items[i];
    qsort(ret, list->count, sizeof(ret[0]), compare_pid);
    return ret;
}

static bool has_tunnel(const struct session *s)
{
    return s->open && s->listens != NULL && s->listens[0] != '\0';
}

static void note_opened(const struct session *s, struct records *records, struct metrics *metrics)
{
    const int64_t since_s = s->since_s != 0 ? s->since_s : clock_now_s(); /* 0: not readable */
    metrics_add_opened(metrics);
    records_add(records, RECORD_LOGIN, s->lease_id, s->lease, since_s, "");
    if (has_tunnel(s)) {
        log_event(&event_tunnel_up,
                  LOG_FIELDS({"LEASE_NAME", s->lease}, {"LOGIN", s->login}, {"CLIENT", s->source}),
                  "tunnel up lease=%s login=%s source=%s", s->lease, s->login, s->source);
        records_add(records, RECORD_TUNNEL_UP, s->lease_id, s->lease, since_s, s->source);
    }
}

static void note_gone(const struct session *s, struct records *records)
{
    if (has_tunnel(s)) {
        log_event(&event_tunnel_down,
                  LOG_FIELDS({"LEASE_NAME", s->lease}, {"LOGIN", s->login}, {"CLIENT", s->source}),
                  "tunnel down lease=%s login=%s source=%s", s->lease, s->login, s->source);
        records_add(records, RECORD_TUNNEL_DOWN, s->lease_id, s->lease, clock_now_s(), s->source);
    }
}

/* Goes through both lists, sorted by pid, at the same time. A session that can no longer be seen
 * has not closed, since its entry is still there. One that could never be seen has opened: root
 * wrote its entry. */
int session_changes_note(const struct session_list *before, const struct session_list *after,
                         struct records *records, struct metrics *metrics)
{
    const struct session **old = by_pid(before), **now = by_pid(after);
    int rc = old != NULL && now != NULL ? 0 : -1;
    size_t i = 0, j = 0;
    while (rc == 0 && (i < before->count || j < after->count)) {
        const struct session *was = i < before->count ? old[i] : NULL;
        const struct session *is = j < after->count ? now[j] : NULL;
        bool takes_was = was != NULL && (is == NULL || compare_pid(&was, &is) <= 0);
        bool takes_is = is != NULL && (was == NULL || compare_pid(&is, &was) <= 0);
        bool same = takes_was && takes_is;
        if (takes_was && !same)
            note_gone(was, records);
        if (takes_is && is->open && !(same && was->open))
            note_opened(is, records, metrics);
        i += takes_was;
        j += takes_is;
    }
    free(old);
    free(now);
    return rc;
}
