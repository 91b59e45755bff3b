/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/lease.h"

#include "leasectl/ctl_store.h"
#include "leasectl/host/account.h"
#include "leasectl/lease/listen_port.h"
#include "leasectl/probe/loopback.h"
#include "leasectl/sessions/registry.h"
#include "lib/base/clock.h"
#include "lib/session/listeners.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"
#include "lib/store/probes.h"
#include "lib/store/transaction.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <string.h>
#include <unistd.h>

enum {
    PORTS_TRIED = 64,
    PROBE_KEEP_S = 30, /* an attempt takes at most 10 s */
};

/* Picks a free port within the ceiling for the probe: the holder's own is left alone. */
static bool pick_listen_port(struct probe *probe, struct permit *ret)
{
    struct listeners used;
    return listeners_read(&used) == 0 &&
           listen_port_pick(probe->ctl, probe->lease.login, NULL, &used, ret) == STORE_OK;
}

/* Notes which of the agents that the probe may open have no port now. */
static int find_agents_without_port(struct probe *probe)
{
    for (size_t i = 0; i < probe->lease.open_agent_count; i++) {
        struct lease agent = {0};
        enum store_rc rc =
            store_lease_by_name(probe->ctl->store, probe->lease.open_agents[i], &agent);
        if (rc != STORE_OK && rc != STORE_NONE)
            return ctl_store_error(probe->ctl, rc);
        probe->has_no_port[i] = rc == STORE_NONE || agent.revoked_s != 0 || agent.listen.count == 0;
        lease_release(&agent);
    }
    return EXIT_DONE;
}

int probe_copy_lease(struct probe *probe, const char *ref)
{
    struct lease l = {0};
    int code = ctl_find_lease(probe->ctl, ref, &l);
    if (code == EXIT_DONE && lease_state_at(&l, probe->ctl->now_s) != LEASE_ACTIVE)
        code =
            ctl_error(probe->ctl, EXIT_NO_SUCH, "the lease '%s' is %s: there is nothing to prove",
                      ref, lease_state_name(lease_state_at(&l, probe->ctl->now_s)));
    if (code == EXIT_DONE) {
        (void)strlcpy(probe->lease.login, l.login, sizeof(probe->lease.login));
        probe->lease.open = l.open;
        probe->lease.listen = l.listen;
        l.open = l.listen = (struct permit_list){0};
        /* By name, as the lease has them: akc then finds the ports for the probe as it does for the
         * lease. */
        memcpy(probe->lease.open_agents, l.open_agents, sizeof(l.open_agents));
        probe->lease.open_agent_count = l.open_agent_count;
        code = find_agents_without_port(probe);
    }
    lease_release(&l);
    return code;
}

static int add_permit(struct probe *probe, struct permit_list *list, const struct permit *p)
{
    const char *problem = permit_list_add(list, p);
    return problem == NULL ? EXIT_DONE
                           : ctl_error(probe->ctl, EXIT_FAILED, "the probe's permit %s", problem);
}

/*
 * A port of rule that something answers on: a greeter of ours on a free one, an ephemeral port
 * where the rule has any. Where all that are tried are in use, the service on the first will do. 0:
 * none.
 */
static uint16_t serve_port(struct probe *probe, const struct permit *rule)
{
    uint16_t any = rule->low == rule->high ? rule->low : loopback_free_port();
    if (any >= rule->low && any <= rule->high && greeter_start(&probe->permitted, any, NULL) == 0)
        return any;
    for (unsigned port = rule->low; port <= rule->high && port - rule->low < PORTS_TRIED; port++)
        if (greeter_start(&probe->permitted, (uint16_t)port, NULL) == 0)
            return (uint16_t)port;
    int fd = loopback_connect(rule->low);
    if (fd < 0)
        return 0;
    (void)close(fd);
    return rule->low;
}

int probe_for_login(struct probe *probe, const char *login)
{
    const struct ceiling *ceiling = &probe->ctl->conf.ceiling;
    struct permit p = {.host = "127.0.0.1"};
    const char *problem = account_lease_problem(login, probe->ctl->conf.tunnel_group);
    if (problem != NULL)
        return ctl_error(probe->ctl, EXIT_USAGE, "login '%s' %s", login, problem);
    (void)strlcpy(probe->lease.login, login, sizeof(probe->lease.login));
    if (strcmp(login, ceiling->agent_login) == 0) {
        /* A placeholder: probe_add picks the port. */
        (void)permit_parse("127.0.0.1:1", PERMIT_PORT, &p);
        return add_permit(probe, &probe->lease.listen, &p);
    }
    for (size_t i = 0; i < ceiling->open.count; i++) {
        const struct permit *rule = &ceiling->open.items[i].permit;
        if (!ceiling_rule_applies(&ceiling->open, i, login) || !permit_is_loopback4(rule))
            continue;
        const uint16_t port = serve_port(probe, rule);
        if (port == 0)
            continue;
        p.low = p.high = port;
        return add_permit(probe, &probe->lease.open, &p);
    }
    return ctl_error(probe->ctl, EXIT_CEILING,
                     "AllowOpen leaves login '%s' no loopback port to try: name "
                     "a lease",
                     login);
}

/* A number that no probe had. The one below it is left for the probe that has expired. */
static int64_t new_number(void)
{
    return -(clock_now_ms() * 1000 + 2 * (int64_t)arc4random_uniform(500));
}

int probe_add(struct probe *probe)
{
    const struct store_actor by = ctl_actor(probe->ctl);
    struct store_conflict conflict;
    struct permit listen;
    struct lease l = probe->lease;

    probe->wants_listen = probe->lease.listen.count > 0;
    enum store_rc rc = store_begin(probe->ctl->store);
    permit_list_release(&probe->lease.listen);
    if (rc == STORE_OK && probe->wants_listen && pick_listen_port(probe, &listen))
        (void)permit_list_add(&probe->lease.listen, &listen);
    l.listen = probe->lease.listen;
    l.id = new_number();
    if (rc == STORE_OK)
        rc = store_probe_add(probe->ctl->store, &l, ctl_quarantine_s(probe->ctl), &by, &conflict);
    if (rc == STORE_OK)
        rc = store_commit(probe->ctl->store);
    store_rollback(probe->ctl->store);
    if (rc == STORE_CONFLICT)
        return ctl_error(probe->ctl, EXIT_CONFLICT, "another probe is under way: try again");
    if (rc != STORE_OK)
        return ctl_store_error(probe->ctl, rc);
    probe->lease.id = l.id;
    return EXIT_DONE;
}

int probe_keep(struct probe *probe)
{
    struct store_actor by = ctl_actor(probe->ctl);
    struct store_conflict conflict;
    by.now_s = clock_now_s();
    if (probe->lease.expires_s - by.now_s > PROBE_KEEP_S)
        return EXIT_DONE;
    int code = ctl_open_write(probe->ctl);
    if (code != EXIT_DONE)
        return code;
    enum store_rc rc = store_begin(probe->ctl->store);
    if (rc == STORE_OK)
        rc = store_lease_renew(probe->ctl->store, &probe->lease, by.now_s + PROBE_TTL_S, false,
                               ctl_quarantine_s(probe->ctl), &by, &conflict);
    if (rc == STORE_OK)
        rc = store_commit(probe->ctl->store);
    store_rollback(probe->ctl->store);
    if (rc == STORE_OK)
        probe->lease.expires_s = by.now_s + PROBE_TTL_S;
    else
        code = ctl_store_error(probe->ctl, rc);
    ctl_close(probe->ctl);
    return code;
}

int probe_end(struct probe *probe, bool expired_anew)
{
    struct store_actor by = ctl_actor(probe->ctl);
    struct store_conflict conflict;
    struct lease again = probe->lease;
    int code = ctl_open_write(probe->ctl);
    if (code != EXIT_DONE)
        return code;
    by.now_s = clock_now_s();
    enum store_rc rc = store_begin(probe->ctl->store);
    if (rc == STORE_OK && !expired_anew)
        rc = store_lease_revoke(probe->ctl->store, &probe->lease, false, &by);
    if (rc == STORE_OK && expired_anew) {
        again.id = probe->lease.id - 1;
        again.expires_s = by.now_s - 1;
        rc = store_lease_delete(probe->ctl->store, &probe->lease, false, &by);
        if (rc == STORE_OK)
            rc = store_probe_add(probe->ctl->store, &again, ctl_quarantine_s(probe->ctl), &by,
                                 &conflict);
    }
    if (rc == STORE_OK)
        rc = store_commit(probe->ctl->store);
    store_rollback(probe->ctl->store);
    if (rc != STORE_OK)
        code = ctl_store_error(probe->ctl, rc);
    ctl_close(probe->ctl);
    if (code == EXIT_DONE && expired_anew) {
        sessions_forget_lease(probe->ctl, probe->lease.id);
        probe->lease.id = again.id;
    }
    return code;
}

void probe_remove(struct probe *probe)
{
    const struct store_actor by = ctl_actor(probe->ctl);
    if (probe->lease.id == 0 || ctl_open_write(probe->ctl) != EXIT_DONE)
        return;
    enum store_rc rc = store_begin(probe->ctl->store);
    if (rc == STORE_OK) {
        rc = store_lease_revoke(probe->ctl->store, &probe->lease, false, &by);
        rc = rc == STORE_NONE ? STORE_OK : rc; /* check D revoked it */
    }
    if (rc == STORE_OK)
        rc = store_lease_delete(probe->ctl->store, &probe->lease, false, &by);
    if (rc == STORE_OK)
        rc = store_commit(probe->ctl->store);
    store_rollback(probe->ctl->store);
    if (rc != STORE_OK)
        (void)ctl_store_error(probe->ctl, rc);
    ctl_close(probe->ctl);
    sessions_forget_lease(probe->ctl, probe->lease.id);
}

void probe_release(struct probe *probe)
{
    greeter_stop(&probe->permitted);
    lease_release(&probe->lease);
}
