/* SPDX-License-Identifier: ISC */
#include "leased/requests/requests.h"

#include "leased/requests/beats.h"
#include "leased/requests/control_port.h"
#include "leased/requests/heartbeat.h"
#include "leased/requests/join.h"
#include "leased/requests/join_result.h"
#include "leased/requests/queue.h"
#include "leased/requests/register.h"
#include "leased/requests/request_context.h"
#include "leased/watch/metrics.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
#include "lib/base/clock.h"
#include "lib/store/agents.h"
#include "lib/store/beats.h"

static struct request_context lend(struct requests *rq, const struct control_request *r,
                                   int64_t now_ms)
{
    const int64_t now_s = clock_now_s();
    return (struct request_context){.conf = rq->conf,
                                    .keys = rq->keys,
                                    .limiter = rq->limiter,
                                    .store = rq->open_store->store,
                                    .roster = rq->roster,
                                    .beats = rq->beats,
                                    .copies_seen = rq->copies_seen,
                                    .peers = rq->peers,
                                    .sessions = rq->sessions,
                                    .registry =
                                        rq->sessions->has_registry ? &rq->sessions->registry : NULL,
                                    .listeners = rq->listeners,
                                    .clock_jumps = rq->clock_jumps,
                                    .ports = &rq->ports,
                                    .pending = &rq->pending,
                                    .burst = &rq->burst,
                                    .guesses = &rq->guesses,
                                    .site = rq->site,
                                    .by = {.who = "agent", .source = r->address, .now_s = now_s},
                                    .now_s = now_s,
                                    .boot_s = clock_boot_ms() / 1000,
                                    .now_ms = now_ms,
                                    .listens_ms = clock_monotonic_ms() - rq->loaded_ms};
}

/* Writes a heartbeat, to its lease or to the pending ones, and updates *m. */
static enum store_rc write_beat(struct requests *rq, struct member *m, int64_t now_ms)
{
    const struct beat beat = {.lease_id = m->id,
                              .heartbeat_ms = now_ms,
                              .expires_s = m->expires_s,
                              .counter = m->counter};
    const int64_t clock_ms = clock_monotonic_ms();
    if (beats_defers(rq->beats, m->lease_expires_s, &beat, clock_ms))
        return beats_add(rq->beats, rq->open_store->store, &beat, clock_ms);
    m->lease_expires_s = m->expires_s;
    return store_agent_beat(rq->open_store->store, &beat);
}

static enum store_rc apply(struct requests *rq, struct queued *q, const struct request_context *ctx,
                           struct request_effects *effects)
{
    const char *name = control_request_get(&q->request, CONTROL_AGENT_ID);
    enum store_rc rc = STORE_OK;
    if (effects->came_back)
        rc = control_port_update_lease(rq->control_port, effects->agent.id, &ctx->by);
    if (rc == STORE_OK && effects->is_beat)
        rc = write_beat(rq, &effects->agent, ctx->now_ms);
    if (rc != STORE_OK)
        return rc;
    if (effects->roster == ROSTER_PUT)
        roster_put(rq->roster, name, &effects->agent);
    else if (effects->roster == ROSTER_FORGET)
        roster_forget(rq->roster, name);
    if (effects->lease_id != 0)
        q->lease_id = effects->lease_id;
    if (effects->is_new_agent)
        pending_agents_add(&rq->pending);
    if (effects->sweeps)
        sessions_schedule_sweep(rq->sessions);
    if (effects->is_beat)
        metrics_set_last_heartbeat(rq->metrics, ctx->now_s);
    return STORE_OK;
}

/* A private host that joins may take the place of another: the sessions of that one end now. */
static void applied_join(struct requests *rq, const struct join_result *join)
{
    if (join->lease_id == 0)
        return;
    roster_forget(rq->roster, join->lease);
    if (!join->is_again)
        sessions_schedule_sweep(rq->sessions);
}

static enum store_rc decide_join(struct requests *rq, struct queued *q,
                                 const struct request_context *ctx, struct control_answer *ret)
{
    struct join_result *join = join_result_make();
    if (join == NULL)
        return STORE_FAIL;
    join_result_free(q->join); /* of a transaction that was rolled back */
    q->join = join;
    enum store_rc rc = join_decide(ctx, &q->request, join, ret);
    if (rc != STORE_OK)
        return rc;
    ret->join_exit = (uint8_t)join->exit;
    applied_join(rq, join);
    return STORE_OK;
}

enum store_rc requests_decide(struct requests *rq, struct queued *q, int64_t now_ms,
                              struct control_answer *ret)
{
    const struct control_request *r = &q->request;
    const struct request_context ctx = lend(rq, r, now_ms);
    struct request_effects effects = {.roster = ROSTER_STAYS};
    if (r->action == CONTROL_JOIN)
        return decide_join(rq, q, &ctx, ret);
    enum store_rc rc = r->action == CONTROL_REGISTER
                           ? register_decide(&ctx, r, q->private_key != NULL, ret, &effects)
                           : heartbeat_decide(&ctx, r, ret, &effects);
    return rc == STORE_OK ? apply(rq, q, &ctx, &effects) : rc;
}

bool requests_wants_key(struct requests *rq, const struct control_request *r)
{
    const struct request_context ctx = lend(rq, r, 0);
    return !rq->open_store->is_lost && register_wants_key(&ctx, r);
}

void requests_begin(struct requests *rq)
{
    pending_agents_begin(&rq->pending);
}

void requests_rolled_back(struct requests *rq)
{
    pending_agents_roll_back(&rq->pending);
}

void requests_ports_quarantined(struct requests *rq)
{
    agent_port_quarantine_changed(&rq->ports);
}

enum store_rc requests_load(struct requests *rq)
{
    rq->loaded_ms = clock_monotonic_ms();
    requests_ports_quarantined(rq);
    return pending_agents_recount(&rq->pending, rq->open_store->store);
}
