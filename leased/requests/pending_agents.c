/* SPDX-License-Identifier: ISC */
#include "leased/requests/pending_agents.h"

#include "lib/base/clock.h"
#include "lib/store/agents.h"

enum { RECOUNT_MS = 1000 };

enum store_rc pending_agents_recount(struct pending_agents *p, struct store *st)
{
    return store_agents_pending(st, &p->count);
}

void pending_agents_begin(struct pending_agents *p)
{
    p->count_before = p->count;
}

void pending_agents_add(struct pending_agents *p)
{
    p->count++;
}

void pending_agents_roll_back(struct pending_agents *p)
{
    p->count = p->count_before;
}

enum store_rc pending_agents_has_room(struct pending_agents *p, struct store *st, int64_t max,
                                      bool *ret)
{
    const int64_t now_ms = clock_monotonic_ms();
    enum store_rc rc = STORE_OK;
    if (p->count >= max && now_ms - p->counted_ms >= RECOUNT_MS) {
        rc = pending_agents_recount(p, st);
        p->counted_ms = now_ms;
    }
    *ret = p->count < max;
    return rc;
}
