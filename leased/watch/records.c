/* SPDX-License-Identifier: ISC */
#include "leased/watch/records.h"

#include "leased/watch/timer.h"
#include "lib/store/changes.h"
#include "lib/store/note.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_DELAY_MS = 10 };

int records_start(struct records *r, struct event_base *base, event_callback_fn flush, void *arg)
{
    *r = (struct records){.items = calloc(RECORDS_MAX, sizeof(*r->items)),
                          .on_flush = evtimer_new(base, flush, arg)};
    return r->items != NULL && r->on_flush != NULL ? 0 : -1;
}

void records_add(struct records *r, int what, int64_t lease_id, const char *lease, int64_t time_s,
                 const char *detail)
{
    if (r->count == RECORDS_MAX) { /* the store could not be written for very long */
        memmove(r->items, r->items + 1, (RECORDS_MAX - 1) * sizeof(*r->items));
        r->count--;
    }
    struct record *new = &r->items[r->count++];
    *new = (struct record){.what = what, .lease_id = lease_id, .time_s = time_s};
    (void)strlcpy(new->lease, lease, sizeof(new->lease));
    (void)strlcpy(new->detail, detail, sizeof(new->detail));
    timer_arm(r->on_flush, FLUSH_DELAY_MS);
}

void records_flush_in(struct records *r, int64_t after_ms)
{
    timer_arm(r->on_flush, after_ms);
}

enum store_rc records_write(const struct records *r, struct store *st)
{
    static const char *const actions[] = {[RECORD_TUNNEL_UP] = "tunnel_up",
                                          [RECORD_TUNNEL_DOWN] = "tunnel_down",
                                          [RECORD_ENDED] = "session_end",
                                          [RECORD_CLOCK] = "clock_jump",
                                          [RECORD_WRONG_CODES] = "join_refused"};
    enum store_rc rc = STORE_OK;
    for (size_t i = 0; rc == STORE_OK && i < r->count; i++) {
        const struct record *at = &r->items[i];
        const bool is_guess = at->what == RECORD_WRONG_CODES;
        const struct store_actor by = {
            .who = "leased", .source = is_guess ? at->lease : "", .now_s = at->time_s};
        rc = at->what == RECORD_LOGIN ? store_login_seen(st, at->lease_id, at->time_s)
                                      : store_note(st, &by, actions[at->what], at->lease_id,
                                                   is_guess ? "" : at->lease, at->detail);
    }
    return rc;
}

void records_drop_first(struct records *r, size_t count)
{
    r->count -= count;
    memmove(r->items, r->items + count, r->count * sizeof(*r->items));
}
