/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/listen_port.h"

#include "lib/store/invites.h"
#include "lib/store/port_choice.h"

#include <stdio.h>
#include <string.h>

static bool is_unused(void *ctx, uint16_t port)
{
    return !listeners_has(ctx, port);
}

enum store_rc listen_port_pick(struct ctl *ctl, const char *login, const char *host,
                               struct listeners *used, struct permit *ret)
{
    const struct ceiling_rules *rules = &ctl->conf.ceiling.listen;
    enum store_rc rc = store_invite_ports(ctl->store, ctl->now_s, listeners_add, used);
    if (rc != STORE_OK)
        return rc;
    for (size_t i = 0; i < rules->count; i++) {
        struct permit p = rules->items[i].permit;
        uint16_t port;
        if (!ceiling_rule_applies(rules, i, login) || (host != NULL && strcmp(p.host, host) != 0) ||
            ceiling_listen_problem(&ctl->conf.ceiling, login, &p) != NULL)
            continue;
        rc = store_port_pick(ctl->store, p.low, p.high, ctl_quarantine_s(ctl), ctl->now_s,
                             is_unused, used, &port);
        if (rc == STORE_NONE)
            continue;
        if (rc != STORE_OK)
            return rc;
        p.low = p.high = port;
        *ret = p;
        return STORE_OK;
    }
    return STORE_NONE;
}

int listen_port_add_agents(struct ctl *ctl, struct lease *l, uint16_t port)
{
    char text[PERMIT_TEXT_BYTES];
    struct permit p;
    const char *host = ctl->conf.agent_bind_host;
    (void)snprintf(text, sizeof(text), strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, port);
    if (permit_parse(text, PERMIT_PORT, &p) != NULL || permit_list_add(&l->listen, &p) != NULL)
        return ctl_error(ctl, EXIT_FAILED, "'%s' is no address to listen on (AgentBindHost)", text);
    return EXIT_DONE;
}
