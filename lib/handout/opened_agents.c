/* SPDX-License-Identifier: ISC */
#include "lib/handout/opened_agents.h"

#include "lib/base/buf.h"
#include "lib/lease/agent_fact.h"
#include "lib/store/agents.h"
#include "lib/store/leases.h"

#include <bsd/string.h>
#include <string.h>

enum { TARGET_BYTES = 300 };

/* An agent that names its host keys leads to an sshd; so does one that names port 22, or nothing.
 */
static bool leads_to_sshd(const char *facts)
{
    char key[8], target[TARGET_BYTES];
    const char *rest = facts;
    if (agent_fact_next(&rest, "host_key", key, sizeof(key)))
        return true;
    rest = facts;
    if (!agent_fact_next(&rest, "target", target, sizeof(target)))
        return true;
    const char *port = strrchr(target, ':');
    return port != NULL && strcmp(port, ":22") == 0;
}

/* The port in l->open that is the agent's first listen port; NULL: there is none. */
static const struct permit *port_of(const struct lease *l, const struct lease *agent)
{
    for (size_t i = 0; agent->listen.count > 0 && i < l->open.count; i++)
        if (l->open.items[i].low == agent->listen.items[0].low &&
            l->open.items[i].high == l->open.items[i].low)
            return &l->open.items[i];
    return NULL;
}

static void add_agent(struct store *st, const struct lease *agent, const struct permit *port,
                      struct opened_agents *ret)
{
    char facts[AGENT_FACTS_BYTES];
    const enum store_rc rc = store_agent_facts(st, agent->id, facts);
    if (rc != STORE_OK) {
        ret->rc = rc != STORE_NONE ? rc : ret->rc;
        return;
    }
    struct opened_agent *a = &ret->items[ret->count++];
    const char *rest = facts;
    *a = (struct opened_agent){.id = agent->id, .permit = *port, .is_sshd = leads_to_sshd(facts)};
    (void)strlcpy(a->name, agent->name, sizeof(a->name));
    if (agent_fact_next(&rest, "user", a->user, sizeof(a->user)) &&
        login_name_problem(a->user) != NULL)
        a->user[0] = '\0'; /* others may be able to write the store */
}

void opened_agents_find(struct store *st, const struct lease *l, struct opened_agents *ret)
{
    *ret = (struct opened_agents){.rc = STORE_OK};
    for (size_t i = 0; st != NULL && i < l->open_agent_count; i++) {
        struct lease agent = {0};
        const struct permit *port = NULL;
        const enum store_rc rc = store_lease_by_name(st, l->open_agents[i], &agent);
        if (rc == STORE_OK)
            port = port_of(l, &agent);
        else if (rc != STORE_NONE)
            ret->rc = rc;
        if (port != NULL)
            add_agent(st, &agent, port, ret);
        lease_release(&agent);
    }
}

bool opened_agents_find_self(struct store *st, const struct lease *l, struct opened_agents *ret)
{
    *ret = (struct opened_agents){.rc = STORE_OK};
    if (l->listen.count > 0) {
        struct permit port = l->listen.items[0];
        permit_make_reachable(&port);
        add_agent(st, l, &port, ret);
    }
    return ret->count > 0;
}

enum store_rc opened_agents_host_keys(struct store *st, const struct opened_agent *a,
                                      struct buf *out)
{
    char facts[AGENT_FACTS_BYTES], line[PUBKEY_TYPE_BYTES + PUBKEY_BASE64_BYTES];
    struct pubkey key;
    const char *rest = facts;
    const enum store_rc rc = store_agent_facts(st, a->id, facts);
    if (rc != STORE_OK)
        return rc == STORE_NONE ? STORE_OK : rc;
    while (agent_fact_next(&rest, "host_key", line, sizeof(line)))
        if (pubkey_parse_file(line, strlen(line), &key) == NULL)
            buf_addf(out, "%s %s\n", key.type, key.base64);
    return STORE_OK;
}

const struct opened_agent *opened_agents_sshd_at(const struct opened_agents *agents,
                                                 const struct permit *p)
{
    for (size_t i = 0; i < agents->count; i++)
        if (agents->items[i].is_sshd && permit_equal(&agents->items[i].permit, p))
            return &agents->items[i];
    return NULL;
}
