/* SPDX-License-Identifier: ISC */
#include "leased/requests/join_answer.h"

#include "leased/requests/request_context.h"
#include "lib/base/buf.h"
#include "lib/conf/conf.h"
#include "lib/handout/handout.h"
#include "lib/handout/lease_json.h"
#include "lib/handout/opened_agents.h"
#include "lib/store/leases.h"
#include "lib/wire/control.h"
#include "lib/wire/join_exit.h"

#include <bsd/string.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MAX = 12288 /* bytes of a line to connect in JSON, which must fit in a packet */ };

/* Takes the text; b is empty then. */
static enum store_rc answer(struct join_result *ret, int exit, const char *why, struct buf *b)
{
    if (buf_text(b) == NULL || b->len > JOIN_TEXT_BYTES_MAX || b->data == NULL) {
        buf_release(b);
        return STORE_FAIL;
    }
    ret->exit = exit;
    ret->why = why;
    ret->text = b->data;
    *b = (struct buf){0};
    return STORE_OK;
}

enum store_rc join_refuse(struct join_result *ret, int exit, const char *why, const char *text, ...)
{
    struct buf b = {0};
    va_list ap;
    va_start(ap, text);
    buf_vaddf(&b, text, ap);
    va_end(ap);
    return answer(ret, exit, why, &b);
}

enum store_rc join_refuse_code(struct join_result *ret, const char *why)
{
    return join_refuse(ret, JOIN_NO_INVITE, why,
                       "There is no such invite: the code was mistyped, was used already, or its "
                       "time is over.\nAsk whoever sent it for a new one.\n");
}

enum store_rc join_refuse_key(struct joining *j, const char *why, const char *text)
{
    const struct conf *conf = j->ctx->conf;
    char port[16] = "";
    if (conf->public_port != 22)
        (void)snprintf(port, sizeof(port), " -p %u", conf->public_port);
    return join_refuse(j->ret, JOIN_TAKEN, why,
                       "The key %s %s %s.\nThe invite was not spent: join with another key of "
                       "yours,\n  ssh -i FILE -o IdentitiesOnly=yes%s %s@%s CODE\n",
                       j->key.type, j->key.fingerprint, text, port, conf->join_login,
                       conf->public_host);
}

/* What register answers to an agent, for the JSON. */
static void fill_register(const struct joining *j, const struct lease *l,
                          struct control_answer *ret)
{
    memset(ret, 0, offsetof(struct control_answer, report));
    ret->action = CONTROL_REGISTER;
    ret->code = CONTROL_OK;
    (void)strlcpy(ret->agent_id, l->name, sizeof(ret->agent_id));
    (void)strlcpy(ret->secret, j->secret, sizeof(ret->secret));
    ret->port_b = l->listen.count > 0 ? l->listen.items[0].low : 0;
    ret->lease_expires_s = l->expires_s;
    ret->lease_ttl_s = l->expires_s > j->ctx->now_s ? l->expires_s - j->ctx->now_s : 0;
}

static int add_json(const struct joining *j, const struct lease *l,
                    const struct opened_agents *agents, struct buf *out)
{
    struct control_answer *agent = NULL;
    int rc = -1;
    if (j->invite.is_agent) {
        agent = malloc(sizeof(*agent));
        if (agent == NULL)
            return -1;
        fill_register(j, l, agent);
    }
    rc = lease_json_add(&(struct lease_json){.conf = j->ctx->conf,
                                             .lease = l,
                                             .agents = agents,
                                             .site = j->ctx->site,
                                             .agent = agent,
                                             .connect_max = CONNECT_MAX},
                        j->ctx->now_s, out);
    buf_add(out, "\n");
    if (agent != NULL)
        explicit_bzero(agent->secret, sizeof(agent->secret));
    free(agent);
    return rc;
}

enum store_rc join_accept(struct joining *j, int64_t lease_id)
{
    struct opened_agents agents;
    struct lease l = {0};
    struct buf text = {0};
    enum store_rc rc = store_lease_by_id(j->ctx->store, lease_id, &l);
    if (rc != STORE_OK)
        return rc;
    opened_agents_find(j->ctx->store, &l, &agents);
    if (agents.rc != STORE_OK) { /* the answer would lack what the code is spent for */
        lease_release(&l);
        return agents.rc;
    }
    if (!j->wants_json) {
        if (j->invite.is_agent) /* the control port is for tunnel-agent, which asks for JSON */
            permit_list_release(&l.open);
        handout_add_joined(j->ctx->conf, &l, &agents, &j->key, &text);
    } else if (add_json(j, &l, &agents, &text) != 0) {
        text.failed = true;
    }
    (void)strlcpy(j->ret->lease, l.name, sizeof(j->ret->lease));
    j->ret->lease_id = l.id;
    j->ret->invite_id = j->invite.id;
    rc = answer(j->ret, JOIN_JOINED, NULL, &text);
    lease_release(&l);
    return rc;
}
