/* SPDX-License-Identifier: ISC */
#include "leased/requests/other_session.h"

#include "leased/requests/limiter.h"
#include "leased/requests/request_context.h"
#include "leased/watch/local_peers.h"
#include "lib/base/clock.h"
#include "lib/session/registry_read.h"
#include "lib/store/agents.h"
#include "lib/wire/control.h"

#include <string.h>
#include <unistd.h>

/* Whether a session began after that moment. since_s has whole seconds; within one of them, what
 * counts is when its process began, and that is not yet known to be after the moment if it began
 * before. */
static bool began_after(const struct session *s, int64_t moment_ms)
{
    const int64_t since_ms = s->since_s * 1000;
    const int64_t ticks_a_second = sysconf(_SC_CLK_TCK);
    if (since_ms > moment_ms || since_ms + 999 < moment_ms || ticks_a_second <= 0)
        return since_ms > moment_ms;
    const int64_t age_ms = clock_boot_ms() - (int64_t)s->start_ticks * 1000 / ticks_a_second;
    return clock_now_ms() - age_ms > moment_ms;
}

/* The tables are read after the registry. So a tunnel that is there now was a session there. */
static enum peer_verdict who_asks(const struct request_context *ctx,
                                  const struct control_request *r)
{
    struct peer peer = {
        .address = r->address, .port = r->peer_port, .our_port = ctx->site->control_port};
    if (r->peer_port == 0)
        return PEER_ADMITTED; /* a proxy */
    local_peers_judge(ctx->peers, &peer, 1);
    return peer.verdict;
}

/* Whether the agent's only session is known to be the sender's own. */
static bool is_own(const struct session *s, const struct request_context *ctx,
                   const struct control_request *r, const struct member *agent,
                   const char *last_from)
{
    if (s->sight != SESSION_LIVE)
        return false;
    /* By the endpoint: from the address of the session, and the other one had another address. */
    if (!address_is_loopback(r->address))
        return strcmp(s->source, r->address) == 0 && last_from[0] != '\0' &&
               strcmp(last_from, r->address) != 0;
    switch (who_asks(ctx, r)) {
    case PEER_TUNNEL_LOGIN:
        return true;
    case PEER_ADMITTED: /* a proxy on this host, or the agent itself: it may have no tunnel */
        return false;
    case PEER_UNKNOWN:
        break;
    }
    /* Most that ask from loopback come through a tunnel; and it is not the session of one that has
     * sent nothing since. */
    return began_after(s, agent->heartbeat_ms);
}

bool other_session_may_be_up(const struct request_context *ctx, const struct control_request *r,
                             const struct member *agent, const char *last_from)
{
    struct session_list list;
    if (ctx->registry == NULL || registry_read(ctx->registry, agent->id, &list) != 0)
        return true;
    session_list_filter(&list, session_is_open, NULL);
    /* Of two, one is about to be ended. */
    const bool other =
        list.count > 1 || (list.count == 1 && !is_own(&list.items[0], ctx, r, agent, last_from));
    session_list_release(&list);
    return other;
}
