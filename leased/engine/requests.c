/* SPDX-License-Identifier: ISC */
/*
 * Register and heartbeat (CONTRACT 6), decided within the batch's transaction. What http sent is
 * checked again there: every field is a stranger's. The modules that decide are lent what they
 * read; what they ask of the engine is done here.
 */
#include "leased/engine/engine.h"

#include "leased/engine/heartbeat.h"
#include "leased/engine/register.h"
#include "leased/engine/request_context.h"
#include "lib/base/clock.h"

static struct request_context lend(struct engine *e, const struct control_request *r,
                                   int64_t now_ms)
{
    const int64_t now_s = clock_now_s();
    return (struct request_context){.conf = &e->conf,
                                    .keys = &e->keys,
                                    .limiter = &e->limiter,
                                    .store = e->place.store,
                                    .roster = &e->roster,
                                    .sessions = &e->sessions,
                                    .registry =
                                        e->sessions.has_registry ? &e->sessions.registry : NULL,
                                    .listening = &e->listening,
                                    .clock_jumps = &e->clock_jumps,
                                    .ports = &e->ports,
                                    .pending = &e->pending,
                                    .herd = &e->herd,
                                    .by = {.who = "agent", .source = r->address, .now_s = now_s},
                                    .now_s = now_s,
                                    .boot_s = clock_boot_ms() / 1000,
                                    .now_ms = now_ms};
}

/* Written down, where that is best; the agent's ends are what they are from now on. */
static enum store_rc write_beat(struct engine *e, struct member *m, int64_t now_ms)
{
    const struct beat beat = {.lease_id = m->id, .heartbeat_ms = now_ms, .expires_s = m->expires_s};
    const int64_t clock_ms = clock_monotonic_ms();
    if (beats_take(&e->beats, m->lease_expires_s, &beat, clock_ms))
        return beats_add(&e->beats, e->place.store, &beat, clock_ms);
    m->lease_expires_s = m->expires_s;
    return store_agent_beat(e->place.store, m->id, now_ms, m->expires_s);
}

static enum store_rc apply(struct engine *e, struct queued *q, const struct request_context *ctx,
                           struct request_effects *effects)
{
    const char *name = control_request_get(&q->request, CONTROL_AGENT_ID);
    enum store_rc rc = STORE_OK;
    if (effects->came_back)
        rc = control_port_move_one(e, effects->agent.id, &ctx->by);
    if (rc == STORE_OK && effects->is_beat)
        rc = write_beat(e, &effects->agent, ctx->now_ms);
    if (rc != STORE_OK)
        return rc;
    if (effects->roster == ROSTER_PUT)
        roster_put(&e->roster, name, &effects->agent);
    else if (effects->roster == ROSTER_FORGET)
        roster_forget(&e->roster, name);
    if (effects->lease_id != 0)
        q->lease_id = effects->lease_id;
    if (effects->is_new_agent)
        e->pending.count++;
    if (effects->is_beat)
        metrics_set_last_heartbeat(&e->metrics, ctx->now_s);
    return STORE_OK;
}

enum store_rc request_decide(struct engine *e, struct queued *q, int64_t now_ms,
                             struct control_answer *ret)
{
    const struct control_request *r = &q->request;
    const struct request_context ctx = lend(e, r, now_ms);
    struct request_effects effects = {.roster = ROSTER_STAYS};
    enum store_rc rc = r->action == CONTROL_REGISTER
                           ? register_decide(&ctx, r, q->private_key != NULL, ret, &effects)
                           : heartbeat_decide(&ctx, r, ret, &effects);
    return rc == STORE_OK ? apply(e, q, &ctx, &effects) : rc;
}

bool request_wants_key(struct engine *e, const struct control_request *r)
{
    const struct request_context ctx = lend(e, r, 0);
    return !e->place.is_lost && register_wants_key(&ctx, r);
}
