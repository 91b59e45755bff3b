/* SPDX-License-Identifier: ISC */
#include "leased/requests/copies.h"

#include "leased/requests/beats.h"
#include "leased/requests/client.h"
#include "leased/requests/facts.h"
#include "leased/requests/other_session.h"
#include "leased/requests/refuse.h"
#include "leased/requests/request_context.h"
#include "leased/watch/copies_seen.h"
#include "leased/watch/events.h"
#include "leased/watch/sessions.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"
#include "lib/lease/agent_counter.h"
#include "lib/store/agents.h"
#include "lib/store/note.h"

#include <bsd/string.h>
#include <stdio.h>

/* One request, while it is judged. */
struct judging {
    const struct request_context *ctx;
    const struct control_request *r;
    const char *name, *address;
    struct member *agent;
    enum counter_verdict verdict;
    enum counter_decision decision;
    struct agent_copies copies;
};

/* The last accepted pair and its time may be in a heartbeat that is not yet in its lease. */
static void add_pending(const struct request_context *ctx, struct member *agent)
{
    const struct beat newest = beats_newest(ctx->beats, agent->id);
    if (newest.counter.number > agent->counter.number)
        agent->counter = newest.counter;
    if (newest.heartbeat_ms > agent->heartbeat_ms)
        agent->heartbeat_ms = newest.heartbeat_ms;
}

/* Where the agent's last accepted request came from, as far as is known. */
static const char *last_address(const struct judging *j)
{
    return j->agent->last_from[0] != '\0' ? j->agent->last_from : j->copies.last_from;
}

/* Since the last accepted request. Nobody is called silent for the time in which leased was down:
 * after it, the first to ask may be the copy. */
static int64_t quiet_ms(const struct judging *j)
{
    const int64_t ms = j->ctx->now_ms - j->agent->heartbeat_ms;
    return ms < j->ctx->listens_ms ? ms : j->ctx->listens_ms;
}

static void decide(struct judging *j, bool is_reset)
{
    const struct request_context *ctx = j->ctx;
    struct counter_facts facts = {
        .is_reset = is_reset,
        .is_frozen = j->agent->is_frozen,
        /* While a reset waits for the host that it is for, its copies must not undo it. */
        .refuses = ctx->conf->copied_agents == COPIED_AGENTS_REFUSE &&
                   !agent_copies_reset_waits(&j->copies, ctx->now_s, ctx->boot_s),
        .quiet_s = quiet_ms(j) / 1000,
        .heartbeat_interval_s = ctx->conf->heartbeat_interval_s};
    /* Dear to ask, so only where it decides. */
    facts.other_may_be_up = j->verdict == COUNTER_OTHER && agent_counter_is_quiet(&facts) &&
                            other_session_may_be_up(ctx, j->r, j->agent, last_address(j));
    j->decision = agent_counter_decide(j->verdict, &facts);
}

/* ---- a copy ---- */

/* Of the host that was accepted last: by its session, unless that is the sender's own. */
static const char *other_address(const struct judging *j)
{
    const struct session *s = sessions_find_open(j->ctx->sessions, j->agent->id);
    if (s != NULL && s->source[0] != '\0' && strcmp(s->source, j->address) != 0)
        return s->source;
    return last_address(j);
}

static void log_copy(const struct judging *j)
{
    log_event(&event_agent_copied,
              LOG_FIELDS({"LEASE_NAME", j->name}, {"CLIENT", j->copies.copy_from},
                         {"OTHER", j->copies.other_from}),
              "copied agent=%.64s from=%s other=%s counter=%lld last=%lld%s", j->name,
              j->copies.copy_from, j->copies.other_from, (long long)j->r->counter.number,
              (long long)j->agent->counter.number, j->decision == COUNTER_FREEZE ? " frozen" : "");
}

static enum store_rc note(const struct judging *j, const char *action, const char *more)
{
    char detail[2 * COPIES_ADDRESS_BYTES + 96];
    struct store_actor by = j->ctx->by;
    by.source = j->copies.copy_from;
    (void)snprintf(detail, sizeof(detail), "from=%s other=%s counter=%lld last=%lld%s",
                   j->copies.copy_from, j->copies.other_from, (long long)j->r->counter.number,
                   (long long)j->agent->counter.number, more);
    return store_note(j->ctx->store, &by, action, j->agent->id, j->name, detail);
}

static void set_addresses(struct judging *j)
{
    char other[COPIES_ADDRESS_BYTES];
    (void)strlcpy(other, other_address(j), sizeof(other));
    (void)strlcpy(j->copies.copy_from, j->address, sizeof(j->copies.copy_from));
    (void)strlcpy(j->copies.other_from, other, sizeof(j->copies.other_from));
}

/* Writes down that a copy was seen, unless that was done lately. */
static enum store_rc record_copy(struct judging *j)
{
    const int64_t now_s = j->ctx->now_s;
    const bool freezes = j->decision == COUNTER_FREEZE;
    const bool is_noted =
        freezes || now_s - j->copies.noted_s >= COPIES_NOTED_S || now_s < j->copies.noted_s;
    enum store_rc rc = STORE_OK;
    if (!is_noted && now_s >= j->copies.seen_s && now_s - j->copies.seen_s < COPIES_SEEN_S)
        return STORE_OK;
    /* What was seen first after a freeze stays: both hosts are refused, and neither is the other.
     */
    if (j->decision != COUNTER_STAYS_FROZEN)
        set_addresses(j);
    j->copies.seen_s = now_s;
    if (is_noted) {
        j->copies.noted_s = now_s;
        log_copy(j);
        rc = note(j, "copied", freezes ? " frozen" : "");
    }
    return rc == STORE_OK ? store_agent_set_copies(j->ctx->store, j->agent->id, &j->copies) : rc;
}

static enum store_rc refuse_copy(struct judging *j, struct control_answer *a,
                                 struct request_effects *effects)
{
    char text[CONTROL_ERROR_BYTES];
    const char *what =
        j->decision != COUNTER_REFUSE
            ? "two hosts have the state of this agent, so the gateway has frozen it until an admin "
              "runs"
        : j->verdict == COUNTER_MISSING
            ? "this agent has sent a counter before, and sends none now: it is a copy, or an older "
              "tunnel-agent. An admin lets it go on with"
            : "another host has the state of this agent and has gone further. An admin lets this "
              "one go on with";
    enum store_rc rc = record_copy(j);
    copies_seen_add(j->ctx->copies_seen, j->name, j->copies.copy_from, j->copies.other_from,
                    clock_monotonic_ms());
    if (rc == STORE_OK && j->decision == COUNTER_FREEZE) {
        rc = store_agent_freeze(j->ctx->store, j->agent->id, true);
        effects->sweeps = true;
        effects->roster = ROSTER_FORGET;
    }
    (void)snprintf(text, sizeof(text), "%s 'leasectl agent reset %.64s'", what, j->name);
    return rc == STORE_OK ? refuse(a, CONTROL_COPIED, text) : rc;
}

/* ---- accepted ---- */

/* Writes what the caller does not write. */
static enum store_rc write_accepted(struct judging *j, bool is_register)
{
    struct store *st = j->ctx->store;
    enum store_rc rc = STORE_OK;
    if (j->decision == COUNTER_ADOPT)
        log_warn("the counter of '%.64s' is ahead of the store's: %lld, not %lld. The store was "
                 "restored from a backup, or the agent was of another gateway",
                 j->name, (long long)j->r->counter.number,
                 (long long)agent_counter_told(&j->agent->counter));
    if (j->decision == COUNTER_RESTORE) {
        set_addresses(j);
        rc = note(j, "restored", "");
    }
    if (rc == STORE_OK && j->decision == COUNTER_RESET && j->agent->is_frozen)
        rc = store_agent_freeze(st, j->agent->id, false);
    if (rc == STORE_OK && j->decision == COUNTER_RESET && j->r->counter.number == 0) {
        rc = store_agent_forget_counter(st, j->agent->id);
        beats_forget_counter(j->ctx->beats, j->agent->id);
    }
    if (j->decision == COUNTER_RESTORE || j->decision == COUNTER_RESET) {
        agent_copies_settle(&j->copies);
        copies_seen_forget(j->ctx->copies_seen, j->name);
    }
    if (rc == STORE_OK && j->decision == COUNTER_RESTORE && !is_register)
        rc = store_agent_set_copies(st, j->agent->id, &j->copies);
    return rc;
}

static enum store_rc accept(struct judging *j, bool is_register, struct control_answer *a)
{
    struct member *agent = j->agent;
    enum store_rc rc = write_accepted(j, is_register);
    if (rc != STORE_OK)
        return rc;
    agent->counter = agent_counter_next(j->decision, &agent->counter, &j->r->counter);
    agent->heartbeat_ms = j->ctx->now_ms;
    agent->is_frozen = false;
    /* Whoever has read a request can send it again: that hides nobody's address. */
    if (j->verdict != COUNTER_REPEATED || last_address(j)[0] == '\0') {
        (void)strlcpy(agent->last_from, j->address, sizeof(agent->last_from));
        (void)strlcpy(j->copies.last_from, j->address, sizeof(j->copies.last_from));
    }
    a->counter = agent_counter_told(&agent->counter);
    return STORE_OK;
}

enum store_rc copies_judge(const struct request_context *ctx, const struct control_request *r,
                           bool gets_secret, struct agent_copies *copies, struct control_answer *a,
                           struct request_effects *effects)
{
    struct judging j = {.ctx = ctx,
                        .r = r,
                        .name = control_request_get(r, CONTROL_AGENT_ID),
                        .address = request_client(ctx->sessions, r->address, effects->agent.id),
                        .agent = &effects->agent};
    const bool is_register = copies != NULL;
    enum store_rc rc = STORE_OK;
    add_pending(ctx, j.agent);
    j.verdict = agent_counter_judge(&j.agent->counter, &r->counter);
    /* A heartbeat that is accepted reads nothing here. */
    if (is_register || j.agent->is_frozen || j.verdict == COUNTER_OTHER ||
        j.verdict == COUNTER_MISSING)
        rc = facts_read_copies(ctx->store, j.agent->id, &j.copies);
    if (rc != STORE_OK)
        return rc;
    decide(&j, is_register && (gets_secret || agent_copies_may_reset(&j.copies, ctx->now_s,
                                                                     ctx->boot_s, j.address)));
    if (j.decision == COUNTER_REFUSE || j.decision == COUNTER_FREEZE ||
        j.decision == COUNTER_STAYS_FROZEN)
        return refuse_copy(&j, a, effects);
    rc = accept(&j, is_register, a);
    if (rc == STORE_OK && is_register)
        *copies = j.copies;
    return rc;
}
