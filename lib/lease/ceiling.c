/* SPDX-License-Identifier: ISC */
#include "lib/lease/ceiling.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool is_this_host(const struct ceiling *c, const char *host)
{
    static const char *const names[] = {"localhost", "localhost.localdomain", "ip6-localhost",
                                        "ip6-loopback"};
    struct in_addr v4;
    struct in6_addr v6;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(host, names[i]) == 0)
            return true;
    /* A connection to the unspecified address goes to loopback. */
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127 || v4.s_addr == 0 || strcmp(host, c->page.host) == 0;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6) ||
               IN6_IS_ADDR_V4MAPPED(&v6) || strcmp(host, c->page.host) == 0;
    return c->own_name[0] != '\0' && strcasecmp(host, c->own_name) == 0;
}

bool ceiling_reaches_page(const struct ceiling *c, const struct permit *p)
{
    return c->page.low != 0 && p->low <= c->page.low && p->high >= c->page.low &&
           is_this_host(c, p->host);
}

const struct ceiling_rule *ceiling_page_rule(const struct ceiling *c)
{
    for (size_t i = 0; c->page.low != 0 && i < c->open.count; i++) {
        const struct permit *p = &c->open.items[i].permit;
        if (p->low != p->high && is_this_host(c, p->host))
            return &c->open.items[i];
    }
    return NULL;
}

static const char open_is_uncovered[] = "AllowOpen does not cover it";
static const char listen_is_uncovered[] = "AllowListen does not cover it";

bool ceiling_rule_would_help(const char *problem)
{
    return problem == open_is_uncovered || problem == listen_is_uncovered;
}

const char *ceiling_open_problem(const struct ceiling *c, const char *login, const struct permit *p)
{
    if (strcmp(login, c->agent_login) == 0)
        return c->control.low != 0 && permit_equal(&c->control, p)
                   ? NULL
                   : "on AgentLogin only the control port (Listen) may be opened";
    if (ceiling_reaches_page(c, p))
        return "no lease may open the port of MetricsListen";
    return covered(&c->open, login, p) ? NULL : open_is_uncovered;
}

const char *ceiling_listen_problem(const struct ceiling *c, const char *login,
                                   const struct permit *p)
{
    if (strcmp(login, c->forward_login) == 0)
        return "on ForwardLogin nothing may listen";
    if (c->page.low != 0 && p->low <= c->page.low && p->high >= c->page.low)
        return "no lease may listen on the port of MetricsListen";
    return covered(&c->listen, login, p) ? NULL : listen_is_uncovered;
}
