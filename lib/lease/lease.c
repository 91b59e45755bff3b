/* SPDX-License-Identifier: ISC */
#include "lib/lease/lease.h"

#include "lib/base/buf.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

enum lease_state lease_state_at(const struct lease *l, int64_t now_s)
{
    if (l->revoked_s != 0)
        return LEASE_REVOKED;
    return now_s < l->expires_s ? LEASE_ACTIVE : LEASE_EXPIRED;
}

const char *lease_state_name(enum lease_state state)
{
    static const char *const names[LEASE_STATE__MAX] = {
        [LEASE_ACTIVE] = "active", [LEASE_EXPIRED] = "expired", [LEASE_REVOKED] = "revoked"};
    return names[state];
}

const char *lease_open_agent_add(struct lease *l, const char *name)
{
    const char *problem = lease_name_problem(name);
    if (problem != NULL)
        return problem;
    for (size_t i = 0; i < l->open_agent_count; i++)
        if (strcmp(l->open_agents[i], name) == 0)
            return "is named twice";
    if (l->open_agent_count == LEASE_OPEN_AGENTS_MAX)
        return "is one too many: a lease opens at most 8 agents";
    (void)strlcpy(l->open_agents[l->open_agent_count++], name, sizeof(l->open_agents[0]));
    return NULL;
}

/* Adds the agents of text to l, and copies its permits to permits, for permit_list_parse. */
static int split_agents(const char *text, struct lease *l, struct buf *permits)
{
    char name[LEASE_NAME_BYTES];
    const size_t prefix = sizeof(LEASE_AGENT_PREFIX) - 1;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (strncmp(text, LEASE_AGENT_PREFIX, prefix) != 0) {
            buf_addf(permits, "%s%.*s", permits->len > 0 ? " " : "", (int)len, text);
        } else {
            if (len - prefix >= sizeof(name))
                return -1;
            memcpy(name, text + prefix, len - prefix);
            name[len - prefix] = '\0';
            if (lease_open_agent_add(l, name) != NULL)
                return -1;
        }
        text += len;
        if (*text == ' ' && *++text == '\0')
            return -1;
    }
    return 0;
}

int lease_open_parse(const char *text, struct lease *l)
{
    struct lease agents = {.open_agent_count = 0};
    struct buf permits = {0};
    int rc = -1;
    if (strstr(text, LEASE_AGENT_PREFIX) == NULL) { /* nearly all leases */
        l->open_agent_count = 0;
        return permit_list_parse(text, &l->open);
    }
    if (split_agents(text, &agents, &permits) == 0 && buf_text(&permits) != NULL)
        rc = permit_list_parse(buf_text(&permits), &l->open);
    if (rc == 0) {
        memcpy(l->open_agents, agents.open_agents, sizeof(l->open_agents));
        l->open_agent_count = agents.open_agent_count;
    }
    buf_release(&permits);
    return rc;
}

void lease_open_format(const struct lease *l, struct buf *out)
{
    char item[PERMIT_TEXT_BYTES];
    const char *between = "";
    for (size_t i = 0; i < l->open.count; i++) {
        if (l->open.items[i].from_agent)
            continue;
        permit_format(&l->open.items[i], item);
        buf_addf(out, "%s%s", between, item);
        between = " ";
    }
    for (size_t i = 0; i < l->open_agent_count; i++) {
        buf_addf(out, "%s" LEASE_AGENT_PREFIX "%s", between, l->open_agents[i]);
        between = " ";
    }
}

int lease_add_key(struct lease *l, const struct lease_key *key)
{
    struct lease_key *keys = reallocarray(l->keys, l->key_count + 1, sizeof(*keys));
    if (keys == NULL)
        return -1;
    l->keys = keys;
    l->keys[l->key_count++] = *key;
    return 0;
}

bool lease_has_key(const struct lease *l, const char *fingerprint)
{
    for (size_t i = 0; i < l->key_count; i++)
        if (strcmp(l->keys[i].pub.fingerprint, fingerprint) == 0)
            return true;
    return false;
}

void lease_release(struct lease *l)
{
    permit_list_release(&l->open);
    permit_list_release(&l->listen);
    free(l->keys);
    *l = (struct lease){0};
}
