/* SPDX-License-Identifier: ISC */
#include "leased/watch/unseen.h"

#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/session/process.h"
#include "lib/store/session_verdict.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void unseen_format(const struct unseen *u, struct buf *out)
{
    if (u->count == 0)
        buf_addf(out, "no session could be seen: %s; none would be ended at the end of its lease",
                 session_unseen_reason(u->why));
    else
        buf_addf(out, "%zu session%s cannot be seen: %s", u->count, u->count == 1 ? "" : "s",
                 session_unseen_reason(u->why));
    if (u->overdue > 0)
        buf_addf(out, "; over, and not ended: %s", u->leases);
    else if (u->count > 0)
        buf_add(out, "; none is ended at the end of its lease");
}

/* Adds the name of the session's lease, or dots when there is no room for it. Each lease is named
 * once. */
static void add_lease(struct unseen *u, const struct session *s, int64_t last_id)
{
    static const char dots[] = ", ...";
    char name[SESSION_NAME_BYTES + 8];
    const size_t len = strlen(u->leases);
    if (s->lease[0] != '\0')
        (void)strlcpy(name, s->lease, sizeof(name));
    else /* the entry cannot be read */
        (void)snprintf(name, sizeof(name), "#%lld", (long long)s->lease_id);
    if (u->overdue > 0 && s->lease_id == last_id)
        return;
    if (len + strlen(name) + 2 + sizeof(dots) <= sizeof(u->leases))
        (void)snprintf(u->leases + len, sizeof(u->leases) - len, "%s%s", len > 0 ? ", " : "", name);
    else if (len >= sizeof(dots) && strcmp(u->leases + len + 1 - sizeof(dots), dots) != 0)
        (void)strlcat(u->leases, dots, sizeof(u->leases));
}

static void log_unseen(const struct unseen *u)
{
    struct buf text = {0};
    unseen_format(u, &text);
    log_event(&event_sight_lost, NULL, "%s; 'leasectl doctor' says what to do",
              buf_text_or(&text, "out of memory"));
    buf_release(&text);
}

void unseen_note(struct unseen *u, const struct session_list *list,
                 const enum session_verdict verdicts[])
{
    struct unseen now = {.count = list->unseen, .why = list->unseen_why};
    struct process first;
    const int64_t now_ms = clock_monotonic_ms();
    int64_t last_id = 0;
    for (size_t i = 0; i < list->count; i++) {
        const struct session *s = &list->items[i];
        if (s->sight != SESSION_UNSEEN || verdicts[i] == SESSION_ALLOWED ||
            verdicts[i] == SESSION_NOT_JUDGED)
            continue;
        add_lease(&now, s, last_id);
        last_id = s->lease_id;
        now.overdue++;
    }
    /* With no session in the registry, see whether a session could be seen: process 1 is another
     * user's. */
    if (now.count == 0 && process_read_stat(1, &first) == SIGHT_CANNOT_TELL)
        now.why = errno;
    now.may_be_any = now.count > 0 || now.why != 0;
    now.logged_ms = u->logged_ms;
    const bool is_news = !u->may_be_any || strcmp(now.leases, u->leases) != 0;
    const bool were_any = u->may_be_any;
    *u = now;
    if (u->may_be_any && (is_news || now_ms - u->logged_ms >= LOG_AGAIN_MS)) {
        u->logged_ms = now_ms;
        log_unseen(u);
    } else if (were_any && !u->may_be_any) {
        log_info("sessions can be seen again");
    }
}
