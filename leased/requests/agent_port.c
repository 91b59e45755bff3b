/* SPDX-License-Identifier: ISC */
#include "leased/requests/agent_port.h"

#include "leased/requests/facts.h"
#include "leased/requests/refuse.h"
#include "leased/requests/request_context.h"
#include "leased/watch/clock_jumps.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/sessions.h"
#include "lib/conf/conf.h"
#include "lib/lease/lease.h"
#include "lib/session/listeners.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/invites.h"
#include "lib/store/leases.h"
#include "lib/store/port_choice.h"
#include "lib/store/transaction.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

const char agent_port_none_text[] = "every port of AllowListen is taken or in quarantine";

void agent_port_quarantine_changed(struct port_memory *memory)
{
    memory->none_quarantined = false;
}

struct taken {
    struct listeners_cache *listeners;
    struct listeners invited; /* for who joins by an open invite */
};

static bool is_usable(void *ctx, uint16_t port)
{
    const struct taken *taken = ctx;
    return !listeners_has(&taken->invited, port) &&
           !listeners_cache_has(taken->listeners, port, LISTENERS_MAX_AGE_MS);
}

/* False: the port and AgentBindHost make no valid permit. */
static bool listen_permit(const struct conf *conf, uint16_t port, struct permit *ret)
{
    char text[PERMIT_TEXT_BYTES];
    (void)snprintf(text, sizeof(text),
                   strchr(conf->agent_bind_host, ':') != NULL ? "[%s]:%u" : "%s:%u",
                   conf->agent_bind_host, port);
    return permit_parse(text, PERMIT_PORT, ret) == NULL;
}

static bool in_ceiling(const struct conf *conf, uint16_t port)
{
    struct permit p;
    return listen_permit(conf, port, &p) &&
           ceiling_listen_problem(&conf->ceiling, conf->agent_login, &p) == NULL;
}

int agent_port_set_listen(const struct conf *conf, struct lease *l, uint16_t port)
{
    struct permit p;
    permit_list_release(&l->listen);
    return listen_permit(conf, port, &p) && permit_list_add(&l->listen, &p) == NULL ? 0 : -1;
}

int64_t agent_port_quarantine_s(const struct request_context *ctx)
{
    return clock_jumps_are_recent(ctx->clock_jumps) ? INT64_MAX / 4 : ctx->conf->quarantine_ttl_s;
}

/*
 * The port in quarantine that belonged to an agent of that name. STORE_NONE: there is none. That
 * takes a search through all ports, so it is remembered when no port at all is in quarantine.
 */
static enum store_rc former_port(const struct request_context *ctx, const char *name, uint16_t *ret)
{
    struct port_memory *memory = ctx->ports;
    int64_t version = 0;
    bool any = false;
    enum store_rc rc = store_data_version(ctx->store, &version);
    if (rc != STORE_OK || (memory->none_quarantined && memory->none_quarantined_version == version))
        return rc != STORE_OK ? rc : STORE_NONE;
    rc = store_port_former(ctx->store, name, ret, &any);
    memory->none_quarantined = rc == STORE_NONE && !any;
    memory->none_quarantined_version = version;
    return rc;
}

enum store_rc agent_port_wanted(const struct request_context *ctx, const char *name,
                                uint16_t wanted, uint16_t *ret)
{
    /* Something may listen on its former port: its own listener, which may be closing. Scan again.
     */
    const int64_t max_age_ms = wanted == 0 ? 0 : LISTENERS_RECENT_MS;
    enum store_rc rc = wanted == 0 ? former_port(ctx, name, &wanted) : STORE_OK;
    if (rc != STORE_OK && rc != STORE_NONE)
        return rc;
    bool is_free = wanted != 0 && in_ceiling(ctx->conf, wanted) &&
                   !(listeners_cache_has(ctx->listeners, wanted, LISTENERS_MAX_AGE_MS) &&
                     listeners_cache_has(ctx->listeners, wanted, max_age_ms));
    *ret = is_free ? wanted : 0;
    return STORE_OK;
}

/*
 * First pass: a port that nobody ever had, starting behind the last one found, so that not every
 * agent searches a full range from its start. Second pass: the one that was freed longest ago.
 */
enum store_rc agent_port_pick(const struct request_context *ctx, uint16_t *ret)
{
    struct port_memory *memory = ctx->ports;
    const struct conf *conf = ctx->conf;
    const struct ceiling_rules *rules = &conf->ceiling.listen;
    const int64_t never = INT64_MAX / 4, after_s = agent_port_quarantine_s(ctx);
    struct taken taken = {.listeners = ctx->listeners};
    enum store_rc rc = store_invite_ports(ctx->store, ctx->now_s, listeners_add, &taken.invited);
    if (rc != STORE_OK)
        return rc;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < rules->count; i++) {
            const struct permit *p = &rules->items[i].permit;
            bool continues =
                pass == 0 && memory->next_port > p->low && memory->next_port <= p->high;
            if (!ceiling_rule_applies(rules, i, conf->agent_login) ||
                strcmp(p->host, conf->agent_bind_host) != 0)
                continue;
            rc = store_port_pick(ctx->store, continues ? memory->next_port : p->low, p->high,
                                 pass == 0 ? never : after_s, ctx->now_s, is_usable, &taken, ret);
            if (rc == STORE_NONE)
                continue;
            if (rc == STORE_OK && pass == 0)
                memory->next_port = (uint16_t)(*ret == UINT16_MAX ? 0 : *ret + 1);
            return rc;
        }
    return STORE_NONE;
}

/* Gives the lease the port next instead of the one it has. *port changes unless another lease has
 * next by now. */
static enum store_rc move_port(const struct request_context *ctx, struct lease *l, uint16_t next,
                               uint16_t *port)
{
    struct store_conflict conflict;
    enum store_rc rc = store_savepoint(ctx->store);
    if (rc == STORE_OK)
        rc = agent_port_set_listen(ctx->conf, l, next) == 0
                 ? store_lease_set(ctx->store, l, agent_port_quarantine_s(ctx), &ctx->by, &conflict)
                 : STORE_FAIL;
    if (rc != STORE_OK && rc != STORE_CONFLICT)
        return rc;
    agent_port_quarantine_changed(ctx->ports);
    if (rc == STORE_OK)
        *port = next;
    return store_savepoint_end(ctx->store, rc == STORE_OK);
}

enum store_rc agent_port_reacquire(const struct request_context *ctx, int64_t lease_id,
                                   uint16_t *port, uint16_t *home)
{
    struct store_conflict conflict;
    struct lease l = {0};
    uint16_t next = 0;
    enum store_rc rc = store_lease_by_id(ctx->store, lease_id, &l);
    if (rc == STORE_OK)
        rc = store_ports_reacquire(ctx->store, &l, agent_port_quarantine_s(ctx), ctx->now_s,
                                   &conflict);
    if (rc == STORE_CONFLICT) {
        *home = 0;
        rc = listeners_cache_is_readable(ctx->listeners) ? agent_port_pick(ctx, &next) : STORE_NONE;
        if (rc == STORE_OK)
            rc = move_port(ctx, &l, next, port);
    }
    lease_release(&l);
    return rc;
}

enum store_rc agent_port_choose(const struct request_context *ctx, int64_t lease_id, uint16_t *port,
                                uint16_t *home)
{
    struct listeners_cache *listeners = ctx->listeners;
    struct lease l = {0};
    uint16_t wanted = *home != 0 ? *home : *port, next = wanted;

    bool foreign = listeners_cache_has(listeners, wanted, LISTENERS_MAX_AGE_MS);
    if ((!foreign && wanted == *port) || listeners->is_unreadable)
        return STORE_OK;
    if (sessions_may_be_open(ctx->sessions, lease_id))
        return STORE_OK;
    /* The listener may have been its own, and have closed since: scan again. */
    foreign = listeners_cache_has(listeners, wanted, 0);
    if (!foreign && wanted == *port)
        return STORE_OK;
    if (foreign && wanted != *port && !listeners_cache_has(listeners, *port, LISTENERS_MAX_AGE_MS))
        return STORE_OK; /* home is still occupied: the agent keeps its present port */
    enum store_rc rc = foreign ? agent_port_pick(ctx, &next) : STORE_OK;
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc; /* none is free: keep the port and hope */
    rc = store_lease_by_id(ctx->store, lease_id, &l);
    if (rc == STORE_OK)
        rc = move_port(ctx, &l, next, port);
    lease_release(&l);
    /* If another lease acquired home after its quarantine, the agent stays where it is. */
    if (rc == STORE_OK)
        *home = foreign ? wanted : 0;
    return rc;
}

bool agent_port_bind_host_fits(const struct conf *conf, const char *host)
{
    const char *ours = conf->agent_bind_host;
    return *host == '\0' || strcasecmp(host, ours) == 0 ||
           (strcasecmp(host, "localhost") == 0 && strcmp(ours, "127.0.0.1") == 0);
}

enum store_rc agent_port_refuse_bind_host(const struct conf *conf, const char *host,
                                          struct control_answer *a)
{
    char text[CONTROL_ERROR_BYTES];
    (void)snprintf(text, sizeof(text),
                   facts_is_plain(host, 64)
                       ? "agents listen on %s here, not on %s: see AgentBindHost and "
                         "AllowListen of the gateway"
                       : "agents listen on %s here: see AgentBindHost and AllowListen of "
                         "the gateway",
                   conf->agent_bind_host, host);
    return refuse(a, CONTROL_FORBIDDEN, text);
}
