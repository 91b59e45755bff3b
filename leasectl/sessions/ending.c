/* SPDX-License-Identifier: ISC */
#include "leasectl/sessions/ending.h"

#include "leasectl/sessions/registry.h"
#include "leasectl/sessions/pids.h"
#include "lib/base/clock.h"
#include "lib/session/ladder.h"
#include "lib/session/registry_remove.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void sessions_report_ended(struct ctl *ctl, size_t ended, int64_t took_ms)
{
    if (ended > 0 && ctl->changes == 0) /* else the change that ended them is reported */
        ctl_changed(ctl, "ended %zu session%s", ended, ended == 1 ? "" : "s");
    if (ended > 0 && !ctl->quiet)
        (void)fprintf(ctl->json ? stderr : stdout, "ended %zu session%s in %lld ms\n", ended,
                      ended == 1 ? "" : "s", (long long)took_ms);
}

/* Why the ladder could not try to end a session; NULL: it could. */
static const char *why_not_signalled(enum ladder_state state, const struct session *s)
{
    switch (state) {
    case LADDER_IN_PROGRESS:
    case LADDER_GONE:
        return NULL;
    case LADDER_FAILED:
        return s->sight == SESSION_UNSEEN ? session_unseen_reason(s->unseen_why)
                                          : "not permitted, or /proc does not show its processes";
    case LADDER_NO_ROOM:
        return "no descriptors or memory are left: see 'ulimit -n'";
    }
    return NULL;
}

int sessions_end_by(struct ctl *ctl, const struct registry *r, struct session_list *list,
                    int64_t deadline_ms, size_t *ended)
{
    struct buf pids = {0}, unsignalled_pids = {0};
    int code = EXIT_DONE;
    size_t up = 0, unsignalled = 0;
    const char *why = NULL;
    enum ladder_state *states = calloc(list->count + 1, sizeof(*states));
    if (states == NULL || ladder_end_all(list, deadline_ms, states) == SIZE_MAX) {
        free(states);
        return ctl_error(ctl, EXIT_FAILED, "out of memory");
    }
    const int64_t clear_until_ms = clock_monotonic_ms() + SESSIONS_CLEAR_MS;
    for (size_t i = 0; i < list->count; i++) {
        const struct session *s = &list->items[i];
        if (states[i] == LADDER_GONE) {
            registry_remove_ended(r, s, false, clear_until_ms);
            (*ended)++;
        } else if (why_not_signalled(states[i], s) != NULL) {
            why = why_not_signalled(states[i], s);
            pids_add(&unsignalled_pids, unsignalled++, s->pid);
        } else {
            pids_add(&pids, up++, s->pid);
        }
    }
    free(states);
    if (up > 0)
        code = ctl_error(ctl, EXIT_STILL_UP,
                         "still up after %d s: %zu session%s (pid%s%s); the next login is refused",
                         SESSIONS_END_MS / 1000, up, up == 1 ? "" : "s", up == 1 ? "" : "s",
                         pids_text(&pids));
    if (unsignalled > 0)
        code = ctl_error(ctl, EXIT_STILL_UP,
                         "cannot end %zu session%s (pid%s%s): %s; the next login is refused",
                         unsignalled, unsignalled == 1 ? "" : "s", unsignalled == 1 ? "" : "s",
                         pids_text(&unsignalled_pids), why);
    buf_release(&unsignalled_pids);
    buf_release(&pids);
    return code;
}

int sessions_end(struct ctl *ctl, struct session_list *list)
{
    struct registry r = REGISTRY_CLOSED;
    size_t ended = 0;
    int64_t start_ms = clock_monotonic_ms();
    int code = sessions_open_registry(ctl, true, &r);
    if (code == EXIT_DONE)
        code = sessions_end_by(ctl, &r, list, start_ms + SESSIONS_END_MS, &ended);
    sessions_report_ended(ctl, ended, clock_monotonic_ms() - start_ms);
    registry_close(&r);
    session_list_release(list);
    return code;
}
