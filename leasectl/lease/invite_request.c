/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/invite_request.h"

#include "leasectl/host/account.h"
#include "leasectl/lease/listen_port.h"
#include "leasectl/lease/terms.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/conf/join_login.h"
#include "lib/lease/duration.h"
#include "lib/store/agents.h"
#include "lib/store/invites.h"
#include "lib/store/taken.h"
#include "lib/store/transaction.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* An open invite keeps its name, and lets strangers come as far as the program that joins. Who does
 * not come within a month is invited again. */
enum { DAY_S = 86400, VALID_S = DAY_S, VALID_MAX_DAYS = 30 };

void invite_request_release(struct invite_request *req)
{
    lease_release(&req->grant.lease);
    invite_release(&req->invite);
    explicit_bzero(req->code, sizeof(req->code));
}

/* ---- arguments ---- */

int invite_request_parse_option(struct ctl *ctl, struct invite_request *req, int opt,
                                const char *arg)
{
    int64_t port;
    switch (opt) {
    case 'a':
        req->invite.is_agent = true;
        return EXIT_DONE;
    case 'e':
        req->invite.replaces = true;
        return EXIT_DONE;
    case 'p':
        if (!number_parse(arg, strlen(arg), 1, UINT16_MAX, &port))
            return ctl_error(ctl, EXIT_USAGE, "--port '%s' is no port from 1 to 65535",
                             text_clip(arg).s);
        req->port = (uint16_t)port;
        return EXIT_DONE;
    case 'v':
        if (duration_parse(arg, &req->valid_s) != 0)
            return ctl_error(ctl, EXIT_USAGE,
                             "--valid '%s' is no duration like 90s, 15m, 12h, 7d or 1d12h",
                             text_clip(arg).s);
        if (req->valid_s > (int64_t)VALID_MAX_DAYS * DAY_S)
            return ctl_error(ctl, EXIT_USAGE,
                             "--valid '%s' is too long: an invite is good for %d days at most, and "
                             "the lease lasts as long as --for says, from joining on",
                             text_clip(arg).s, VALID_MAX_DAYS);
        return EXIT_DONE;
    case 'k': /* who joins brings the key */
        return EXIT_USAGE;
    default:
        req->for_given = req->for_given || opt == 'f';
        return grant_request_parse_option(ctl, &req->grant, opt, arg);
    }
}

/* ---- what may be invited to ---- */

bool invite_can_be_redeemed(const struct ctl *ctl, struct buf *out)
{
    struct conf_logins logins;
    const char *login = ctl->conf.join_login;
    conf_logins_of(&ctl->conf, &logins);
    const char *problem = login[0] != '\0' ? join_login_problem(&logins, login) : NULL;
    if (login[0] == '\0')
        buf_addf(out,
                 "nobody can join this gateway: JoinLogin is not set in %s: 'leasectl setup "
                 "--join' writes 'JoinLogin join' there, and makes what it needs",
                 ctl_conf_name(ctl));
    else if (problem != NULL)
        buf_addf(out, "nobody can join this gateway: JoinLogin '%s' %s", login, problem);
    return login[0] != '\0' && problem == NULL;
}

static int check_can_join(struct ctl *ctl)
{
    struct buf why = {0};
    int code = EXIT_DONE;
    if (!invite_can_be_redeemed(ctl, &why))
        code = ctl_error(ctl, EXIT_FAILED, "%s", buf_text_or(&why, "out of memory"));
    buf_release(&why);
    return code;
}

/* An agent's invite has what `agent add` has. */
static int check_agent_options(struct ctl *ctl, const struct invite_request *req)
{
    const struct grant_request *g = &req->grant;
    const struct lease *l = &g->lease;
    if (l->open.count != 0 || l->open_agent_count != 0 || l->listen.count != 0 || g->listen_auto ||
        g->login_named || l->from.count != 0 || l->max_sessions != 0 || l->note[0] != '\0')
        return ctl_usage(ctl, "an --agent takes --port, --for or --until, and no other terms");
    if (req->invite.replaces && req->port != 0)
        return ctl_usage(ctl, "--replace keeps the agent's port: give no --port with it");
    return EXIT_DONE;
}

static int complete_agent(struct ctl *ctl, struct invite_request *req)
{
    struct lease *l = &req->grant.lease;
    (void)strlcpy(l->login, ctl->conf.agent_login, sizeof(l->login));
    const char *problem = account_lease_problem(l->login, ctl->conf.tunnel_group);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "login '%s' %s", l->login, problem);
    if (l->expires_s == 0)
        l->expires_s = ctl->now_s + ctl->conf.default_ttl_s;
    return req->port != 0 ? listen_port_add_agents(ctl, l, req->port) : EXIT_DONE;
}

/* The end of the lease counts from joining, unless it is a time. */
static void set_ends(const struct ctl *ctl, struct invite_request *req)
{
    struct invite *i = &req->invite;
    struct lease *l = &i->terms;
    i->expires_s = ctl->now_s + (req->valid_s != 0 ? req->valid_s : VALID_S);
    if (l->fixed_end) { /* --until */
        i->expires_s = i->expires_s < l->expires_s ? i->expires_s : l->expires_s;
        return;
    }
    i->ttl_s = l->expires_s - ctl->now_s;
    l->expires_s = 0;
    l->fixed_end = i->is_agent && req->for_given; /* heartbeats do not move it, as in agent add */
}

int invite_request_complete(struct ctl *ctl, struct invite_request *req)
{
    struct invite *i = &req->invite;
    int code = EXIT_DONE;
    if (i->replaces && !i->is_agent)
        return ctl_usage(ctl, "--replace is for an --agent");
    if (req->port != 0 && !i->is_agent)
        return ctl_usage(ctl, "--port is for an --agent: --listen HOST:PORT is for a friend");
    if (i->is_agent)
        code = check_agent_options(ctl, req);
    if (code == EXIT_DONE)
        code = check_can_join(ctl);
    if (code == EXIT_DONE)
        code = i->is_agent ? complete_agent(ctl, req) : grant_request_complete(ctl, &req->grant);
    if (code == EXIT_DONE)
        code = terms_check_permits(ctl, &req->grant.lease);
    if (code == EXIT_DONE)
        code = terms_check_end(ctl, req->grant.lease.expires_s);
    if (code != EXIT_DONE)
        return code;
    i->terms = req->grant.lease;
    req->grant.lease = (struct lease){.id = 0};
    set_ends(ctl, req);
    return EXIT_DONE;
}

/* ---- what the store has ---- */

static int refuse_revoked(struct ctl *ctl, const struct agent *a)
{
    return ctl_error(ctl, EXIT_CONFLICT,
                     "the agent '%s' (#%" PRId64 ") is revoked, so its name and its keys stay "
                     "refused: 'leasectl delete %s' first",
                     a->name, a->id, a->name);
}

/* The agent that has the name, which must be there with --replace, and may not without. */
static int check_agent(struct ctl *ctl, const struct invite *i)
{
    struct agent a;
    const char *name = i->terms.name;
    enum store_rc rc = store_agent_find(ctl->store, name, &a);
    if (rc != STORE_OK && rc != STORE_NONE)
        return ctl_store_error(ctl, rc);
    if (rc == STORE_OK && a.is_agent && a.revoked)
        return refuse_revoked(ctl, &a);
    if (rc == STORE_OK && a.is_agent && !i->replaces)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "the name is taken by the agent '%s' (#%" PRId64
                         "): with --replace a host "
                         "takes its place, and gets its port",
                         a.name, a.id);
    if (i->replaces && rc == STORE_OK && !a.is_agent && !a.revoked)
        return ctl_error(ctl, EXIT_CONFLICT,
                         "'%s' (#%" PRId64 ") is no agent, so no host takes its place: see "
                         "'leasectl agents'",
                         a.name, a.id);
    if (i->replaces && (rc == STORE_NONE || !a.is_agent))
        return ctl_error(ctl, EXIT_NO_SUCH,
                         "there is no agent '%s' to --replace: see 'leasectl agents'", name);
    return EXIT_DONE;
}

/* The ports that the terms name, which are not taken before somebody joins. */
static int check_ports(struct ctl *ctl, const struct lease *l)
{
    struct listeners invited = {{0}};
    struct store_conflict conflict;
    enum store_rc rc = store_invite_ports(ctl->store, ctl->now_s, listeners_add, &invited);
    for (size_t i = 0; rc == STORE_OK && i < l->listen.count; i++)
        if (listeners_has(&invited, l->listen.items[i].low))
            return ctl_error(ctl, EXIT_CONFLICT,
                             "port %u is for whoever joins by another open invite: see 'leasectl "
                             "invite list'",
                             l->listen.items[i].low);
    if (rc == STORE_OK)
        rc = store_ports_holder(ctl->store, l->name, &l->listen, ctl_quarantine_s(ctl), ctl->now_s,
                                &conflict);
    if (rc == STORE_OK)
        return terms_report_conflict(ctl, l, &conflict);
    return rc == STORE_NONE ? EXIT_DONE : ctl_store_error(ctl, rc);
}

static int add(struct ctl *ctl, struct invite_request *req)
{
    const struct store_actor by = ctl_actor(ctl);
    struct store_conflict conflict;
    uint8_t hash[SECRET_HASH_BYTES];
    invite_code_make(req->code);
    secret_hash(req->code, hash);
    enum store_rc rc =
        store_invite_add(ctl->store, &req->invite, hash, &by, &req->invite.id, &conflict);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    if (rc == STORE_CONFLICT)
        return terms_report_conflict(ctl, &req->invite.terms, &conflict);
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

int invite_request_store(struct ctl *ctl, struct invite_request *req)
{
    struct lease *l = &req->invite.terms;
    enum store_rc rc = store_begin(ctl->store);
    int code = rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
    if (code == EXIT_DONE && req->invite.is_agent)
        code = check_agent(ctl, &req->invite);
    if (code == EXIT_DONE)
        code = check_ports(ctl, l);
    if (code == EXIT_DONE && req->grant.listen_auto)
        code = grant_request_add_listen_port(ctl, l);
    if (code == EXIT_DONE)
        code = add(ctl, req);
    store_rollback(ctl->store);
    return code;
}
