/* SPDX-License-Identifier: ISC */
#include "leased/requests/registering.h"

#include "leased/requests/register_burst.h"

#include <bsd/string.h>

void registering_accept(struct registering *reg, int64_t expires_s, uint16_t port,
                        const char *secret)
{
    struct control_answer *a = reg->answer;
    a->code = CONTROL_OK;
    (void)strlcpy(a->agent_id, control_request_get(reg->r, CONTROL_AGENT_ID), sizeof(a->agent_id));
    (void)strlcpy(a->user, control_request_get(reg->r, CONTROL_USER), sizeof(a->user));
    (void)strlcpy(a->secret, secret, sizeof(a->secret));
    a->port_b = port;
    a->lease_expires_s = expires_s;
    a->lease_ttl_s = expires_s - reg->ctx->now_s;
    a->reconnect_after_ms = register_burst_delay_ms(reg->ctx->burst, reg->ctx->now_ms);
}
