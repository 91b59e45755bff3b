/* SPDX-License-Identifier: ISC */
#include "lib/lease/ceiling.h"

#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>

int ceiling_rules_add(struct ceiling_rules *rules, const char *login, const struct permit *p)
{
    struct ceiling_rule *items = reallocarray(rules->items, rules->count + 1, sizeof(*items));
    if (items == NULL)
        return -1;
    rules->items = items;
    struct ceiling_rule *rule = &items[rules->count++];
    (void)strlcpy(rule->login, login, sizeof(rule->login));
    rule->permit = *p;
    return 0;
}

void ceiling_rules_release(struct ceiling_rules *rules)
{
    free(rules->items);
    *rules = (struct ceiling_rules){0};
}

bool ceiling_rule_applies(const struct ceiling_rules *rules, size_t i, const char *login)
{
    bool named = false;
    for (size_t k = 0; k < rules->count && !named; k++)
        named = strcmp(rules->items[k].login, login) == 0;
    return strcmp(rules->items[i].login, named ? login : "") == 0;
}

static bool covered(const struct ceiling_rules *rules, const char *login, const struct permit *p)
{
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_applies(rules, i, login) && permit_contains(&rules->items[i].permit, p))
            return true;
    return false;
}

const char *ceiling_open_problem(const struct ceiling *c, const char *login, const struct permit *p)
{
    if (strcmp(login, c->agent_login) == 0)
        return c->control.low != 0 && permit_equal(&c->control, p)
                   ? NULL
                   : "on AgentLogin only the control port (Listen) may be opened";
    return covered(&c->open, login, p) ? NULL : "AllowOpen does not cover it";
}

const char *ceiling_listen_problem(const struct ceiling *c, const char *login,
                                   const struct permit *p)
{
    if (strcmp(login, c->forward_login) == 0)
        return "on ForwardLogin nothing may listen";
    return covered(&c->listen, login, p) ? NULL : "AllowListen does not cover it";
}
