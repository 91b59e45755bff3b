/* SPDX-License-Identifier: ISC */
#include "leasectl/doctor/usage.h"

#include "leasectl/ctl_store.h"
#include "lib/lease/lease.h"
#include "lib/store/leases.h"

#include <string.h>

struct reading {
    const struct conf *conf;
    struct usage *usage;
    int64_t now_s;
    bool failed;
};

static void add(struct reading *r, struct ceiling_rules *rules, const char *login,
                const struct permit *p)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct permit *have = &rules->items[i].permit;
        if (strcmp(rules->items[i].login, login) != 0 || strcmp(have->host, p->host) != 0 ||
            p->low > have->high + 1 || p->high + 1 < have->low)
            continue;
        have->low = p->low < have->low ? p->low : have->low;
        have->high = p->high > have->high ? p->high : have->high;
        return;
    }
    if (rules->count == USAGE_RULES_MAX)
        r->usage->too_many = true;
    else
        r->failed = ceiling_rules_add(rules, login, p) != 0 || r->failed;
}

/* What agents may get: a lease that opens one of them follows it to another port. */
static void add_agent_ports(struct reading *r, const char *login)
{
    const struct ceiling_rules *rules = &r->conf->ceiling.listen;
    for (size_t i = 0; i < rules->count; i++)
        if (ceiling_rule_applies(rules, i, r->conf->agent_login) &&
            strcmp(rules->items[i].permit.host, r->conf->agent_bind_host) == 0)
            add(r, &r->usage->open, login, &rules->items[i].permit);
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

static int add_lease(void *arg, const struct lease *l)
{
    struct reading *r = arg;
    const bool is_agents = strcmp(l->login, r->conf->agent_login) == 0;
    const enum lease_state state = lease_state_at(l, r->now_s);
    if (state == LEASE_REVOKED)
        return 0;
    for (size_t i = 0; !is_agents && i < l->open.count; i++) {
        const struct permit *p = &l->open.items[i];
        if (state == LEASE_ACTIVE && is_loopback(p->host))
            port_set_add(&r->usage->loopback_open, p->low, p->high);
        if (!p->from_agent)
            add(r, &r->usage->open, l->login, p);
    }
    if (!is_agents && l->open_agent_count > 0)
        add_agent_ports(r, l->login);
    for (size_t i = 0; i < l->listen.count; i++)
        add(r, &r->usage->listen, l->login, &l->listen.items[i]);
    return r->failed ? 1 : 0;
}

bool usage_read(struct ctl *ctl, struct usage *ret)
{
    char why[STORE_ERROR_BYTES];
    struct reading r = {.conf = &ctl->conf, .usage = ret, .now_s = ctl->now_s};
    const struct store_filter all = {.all = true, .now_s = ctl->now_s, .before_s = INT64_MAX};
    *ret = (struct usage){.too_many = false};
    if (ctl_open_read_silently(ctl, why) != EXIT_DONE)
        return false;
    const bool read = store_lease_list(ctl->store, &all, add_lease, &r) == STORE_OK;
    ctl_close(ctl);
    if (ctl->conf.default_open.low != 0)
        add(&r, &ret->open, ctl->conf.forward_login, &ctl->conf.default_open);
    return read && !r.failed;
}

void usage_release(struct usage *u)
{
    ceiling_rules_release(&u->open);
    ceiling_rules_release(&u->listen);
}
