/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/terms.h"

#include "leasectl/host/gateway.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/permit_meant.h"
#include "lib/lease/time_text.h"
#include "lib/store/conflict.h"
#include "lib/store/invites.h"
#include "lib/store/leases.h"

#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int terms_parse_for(struct ctl *ctl, const char *text, int64_t *expires_s)
{
    int64_t ttl_s;
    if (*expires_s != 0)
        return ctl_usage(ctl, "--for and --until: give one of them, once");
    if (duration_parse(text, &ttl_s) != 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "--for '%s' is no duration like 90s, 15m, 12h, 7d or 1d12h",
                         text_clip(text).s);
    *expires_s = ctl->now_s + ttl_s;
    return EXIT_DONE;
}

int terms_parse_until(struct ctl *ctl, const char *text, int64_t *expires_s)
{
    int64_t end_s;
    if (*expires_s != 0)
        return ctl_usage(ctl, "--for and --until: give one of them, once");
    if (time_parse(text, &end_s) != 0)
        return ctl_error(ctl, EXIT_USAGE,
                         "--until '%s' is no time like 2026-12-01, '2026-12-01 18:00' or "
                         "2026-12-01T18:00:00Z",
                         text_clip(text).s);
    if (end_s <= ctl->now_s)
        return ctl_error(ctl, EXIT_USAGE, "--until '%s' has passed", text_clip(text).s);
    *expires_s = end_s;
    return EXIT_DONE;
}

/* What is wrong with text, and the form that was meant, where it is known. */
static int refuse_form(struct ctl *ctl, const struct permit_place *place, const char *text,
                       const char *problem)
{
    struct buf meant = {0};
    const char *sign = strchr(place->before, ' ');
    int option_len = (int)(sign - place->before);
    bool known = permit_meant(text, place, &meant);
    int code = EXIT_DONE;
    if (known || problem != NULL)
        code = ctl_error(ctl, EXIT_USAGE, "%.*s '%s%s'%s %s", option_len, place->before, sign + 1,
                         text_clip(text).s, known ? "" : ":",
                         !known ? problem : buf_text_or(&meant, "out of memory"));
    buf_release(&meant);
    return code;
}

int terms_parse_permit(struct ctl *ctl, const char *before, const char *text, enum permit_form form,
                       struct permit *ret)
{
    const struct permit_place place = {
        .form = form, .listens = strncmp(before, "--listen", 8) == 0, .before = before};
    const char *problem = permit_parse(text, form, ret);
    return problem == NULL ? EXIT_DONE : refuse_form(ctl, &place, text, problem);
}

int terms_check_typed(struct ctl *ctl, const char *before, const char *text)
{
    const struct permit_place place = {.form = PERMIT_PORT,
                                       .listens = strncmp(before, "--listen", 8) == 0,
                                       .as_typed = true,
                                       .before = before};
    return refuse_form(ctl, &place, text, NULL);
}

int terms_add_open_agent(struct ctl *ctl, const char *text, struct lease *l)
{
    const char *problem = lease_open_agent_add(l, text + sizeof(LEASE_AGENT_PREFIX) - 1);
    return problem == NULL
               ? EXIT_DONE
               : ctl_error(ctl, EXIT_USAGE, "--open '%s' %s", text_clip(text).s, problem);
}

/* ---- refusals by the ceiling ---- */

/* Adds the rules that hold for login, as in the file. */
static void add_rules(const struct ceiling_rules *rules, const char *login, struct buf *out)
{
    char text[PERMIT_TEXT_BYTES];
    size_t before = out->len;
    for (size_t i = 0; i < rules->count; i++) {
        if (!ceiling_rule_applies(rules, i, login))
            continue;
        permit_format(&rules->items[i].permit, text);
        buf_addf(out, "%s%s%s%s", out->len > before ? ", " : "", rules->items[i].login,
                 rules->items[i].login[0] != '\0' ? " " : "", text);
    }
    if (out->len == before)
        buf_add(out, "nothing");
}

/* What is refused, why, and the ceiling itself. help: the line to add to the file, or NULL. */
static int refuse_permit(const struct ctl *ctl, const char *what, const char *login,
                         const char *problem, bool listen, const char *help)
{
    struct buf rules = {0};
    const char *keyword = listen ? "AllowListen" : "AllowOpen";
    if (ceiling_rule_would_help(problem)) {
        buf_addf(&rules, " (%s is ", keyword);
        add_rules(listen ? &ctl->conf.ceiling.listen : &ctl->conf.ceiling.open, login, &rules);
        buf_addf(&rules, " in %s)", ctl_conf_name(ctl));
    } else {
        buf_addf(&rules, " (%s)", ctl_conf_name(ctl));
    }
    if (help != NULL)
        buf_addf(&rules, ": add '%s' there, then 'leasectl setup'", help);
    int code = ctl_error(ctl, EXIT_CEILING, "%s on login '%s': %s%s", what, login, problem,
                         buf_text_or(&rules, ""));
    buf_release(&rules);
    return code;
}

static int check_permit(const struct ctl *ctl, const char *login, const struct permit *p,
                        bool listen)
{
    char text[PERMIT_TEXT_BYTES], what[PERMIT_TEXT_BYTES + 16];
    const char *problem = listen ? ceiling_listen_problem(&ctl->conf.ceiling, login, p)
                                 : ceiling_open_problem(&ctl->conf.ceiling, login, p);
    if (problem == NULL)
        return EXIT_DONE;
    permit_format(p, text);
    (void)snprintf(what, sizeof(what), "%s %s", listen ? "--listen" : "--open", text);
    return refuse_permit(ctl, what, login, problem, listen, NULL);
}

int terms_check_open(const struct ctl *ctl, const char *login, const struct permit *p)
{
    return check_permit(ctl, login, p, false);
}

int terms_check_listen(const struct ctl *ctl, const char *login, const struct permit *p)
{
    return check_permit(ctl, login, p, true);
}

/* The line of AllowOpen that lets login open the ports of all agents, present and future: the range
 * that they come from. */
static void format_agents_rule(const struct ctl *ctl, const char *login, const struct permit *port,
                               char *out, size_t out_bytes)
{
    const struct ceiling *c = &ctl->conf.ceiling;
    char text[PERMIT_TEXT_BYTES];
    struct permit range = *port;
    bool own = false;
    for (size_t i = 0; i < c->listen.count; i++) {
        const struct permit *p = &c->listen.items[i].permit;
        if (ceiling_rule_applies(&c->listen, i, c->agent_login) && p->low <= port->low &&
            p->high >= port->high) {
            range.low = p->low;
            range.high = p->high;
        }
    }
    for (size_t i = 0; i < c->open.count && !own; i++)
        own = strcmp(c->open.items[i].login, login) == 0;
    permit_format(&range, text);
    (void)snprintf(out, out_bytes, "AllowOpen %s%s%s", own ? login : "", own ? " " : "", text);
}

static int check_agent_port(const struct ctl *ctl, const struct lease *l, const char *agent,
                            const struct permit *port)
{
    char text[PERMIT_TEXT_BYTES], what[PERMIT_TEXT_BYTES + LEASE_NAME_BYTES + 32],
        help[PERMIT_TEXT_BYTES + LOGIN_NAME_BYTES + 16];
    const char *problem = ceiling_open_problem(&ctl->conf.ceiling, l->login, port);
    if (problem == NULL)
        return EXIT_DONE;
    permit_format(port, text);
    (void)snprintf(what, sizeof(what), "--open agent:%s is %s", agent, text);
    format_agents_rule(ctl, l->login, port, help, sizeof(help));
    return refuse_permit(ctl, what, l->login, problem, false,
                         ceiling_rule_would_help(problem) ? help : NULL);
}

void terms_warn_of_jump_user(const struct ctl *ctl, const char *agent)
{
    if (ctl->conf.jump_user[0] == '\0')
        ctl_warn(ctl,
                 "JumpUser is not set: the hint that agent '%s' gets (connect_hint, ssh -J %s ...) "
                 "names no user, and ends in a password prompt for who has no account here: set "
                 "'JumpUser %s' in %s",
                 agent, ctl->conf.public_host, ctl->conf.forward_login, ctl_conf_name(ctl));
}

int terms_check_room(struct ctl *ctl, const struct lease *l)
{
    size_t permits = l->open_agent_count, ports = l->open_agent_count;
    for (size_t i = 0; i < l->open.count; i++) {
        const struct permit *p = &l->open.items[i];
        permits += p->from_agent ? 0 : 1;
        ports += p->from_agent ? 0 : (size_t)(p->high - p->low) + 1;
    }
    if (permits <= PERMIT_LIST_MAX && ports <= PERMIT_LIST_PORTS)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_USAGE,
                     "--open is too much: a lease opens at most %d permits and %d ports, and each "
                     "agent is one of them",
                     PERMIT_LIST_MAX, PERMIT_LIST_PORTS);
}

/* No agent has the name. */
static int refuse_agent(struct ctl *ctl, const char *name)
{
    int64_t invite = 0;
    enum store_rc rc = store_invite_of_name(ctl->store, name, ctl->now_s, &invite);
    if (rc == STORE_OK)
        return ctl_error(ctl, EXIT_NO_SUCH,
                         "there is no agent '%s' yet, only the open invite #%" PRId64
                         ": do this again when it has joined",
                         name, invite);
    if (rc == STORE_NONE)
        return ctl_error(ctl, EXIT_NO_SUCH, "there is no agent '%s': see 'leasectl agents'", name);
    return ctl_store_error(ctl, rc);
}

int terms_check_agents(struct ctl *ctl, const struct lease *l)
{
    int room = terms_check_room(ctl, l);
    if (room != EXIT_DONE)
        return room;
    for (size_t i = 0; i < l->open_agent_count; i++) {
        struct lease agent = {0};
        int code = EXIT_DONE;
        const char *name = l->open_agents[i];
        enum store_rc rc = store_lease_by_name(ctl->store, name, &agent);
        if (rc == STORE_NONE ||
            (rc == STORE_OK && (agent.revoked_s != 0 || agent.listen.count == 0)))
            code = refuse_agent(ctl, name);
        else if (rc != STORE_OK)
            code = ctl_store_error(ctl, rc);
        for (size_t k = 0; code == EXIT_DONE && k < agent.listen.count; k++)
            code = check_agent_port(ctl, l, name, &agent.listen.items[k]);
        lease_release(&agent);
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}

int terms_parse_from(struct ctl *ctl, const char *text, struct source_list *ret)
{
    const char *problem = source_list_parse(text, ret);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "--from '%s': %s", text_clip(text).s, problem);
    return EXIT_DONE;
}

int terms_parse_max_sessions(struct ctl *ctl, const char *arg, unsigned *ret)
{
    int64_t n;
    if (!number_parse(arg, strlen(arg), 1, LEASE_SESSIONS_LIMIT_MAX, &n))
        return ctl_error(ctl, EXIT_USAGE, "--max-sessions '%s' is no number from 1 to %d",
                         text_clip(arg).s, LEASE_SESSIONS_LIMIT_MAX);
    *ret = (unsigned)n;
    return EXIT_DONE;
}

int terms_check_max_sessions(struct ctl *ctl, const struct lease *l)
{
    if (l->listen.count == 0 || l->max_sessions == 0)
        return EXIT_DONE;
    return ctl_error(ctl, EXIT_USAGE,
                     "'%s' listens, so it has one connection, and the newest wins: --max-sessions "
                     "is for leases that only open",
                     l->name);
}

int terms_set_text(struct ctl *ctl, const char *option, const char *text, const char *problem,
                   char *out, size_t out_bytes)
{
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s '%s' %s", option, text_clip(text).s, problem);
    (void)strlcpy(out, text, out_bytes);
    return EXIT_DONE;
}

int terms_read_host_key(struct ctl *ctl, struct pubkey *ret)
{
    struct buf why = {0};
    int code = EXIT_DONE;
    if (gateway_host_key(&ctl->conf, ret, &why) != 0)
        code = ctl_error(
            ctl, EXIT_FAILED,
            "cannot read this host's key, which the holder needs; nothing was changed: %s",
            buf_text_or(&why, "out of memory"));
    buf_release(&why);
    return code;
}

int terms_check_permits(struct ctl *ctl, const struct lease *l)
{
    int code = EXIT_DONE;
    for (size_t i = 0; code == EXIT_DONE && i < l->open.count; i++)
        code = terms_check_open(ctl, l->login, &l->open.items[i]);
    for (size_t i = 0; code == EXIT_DONE && i < l->listen.count; i++)
        code = terms_check_listen(ctl, l->login, &l->listen.items[i]);
    return code;
}

int terms_check_end(struct ctl *ctl, int64_t expires_s)
{
    char text[DURATION_TEXT_BYTES];
    if (ctl->conf.max_ttl_s == 0 || expires_s <= ctl->now_s + ctl->conf.max_ttl_s)
        return EXIT_DONE;
    duration_format(ctl->conf.max_ttl_s, text);
    return ctl_error(ctl, EXIT_CEILING, "the lease would be longer than MaxTTL (%s in %s)", text,
                     ctl_conf_name(ctl));
}

int terms_report_conflict(struct ctl *ctl, const struct lease *l, const struct store_conflict *c)
{
    const char *state = c->expired ? "expired " : "";
    switch (c->what) {
    case CONFLICT_NAME:
        return ctl_error(ctl, EXIT_CONFLICT,
                         "the name is taken by the %slease '%s' (#%" PRId64 "): "
                         "'leasectl revoke %s' frees it",
                         state, c->lease, c->lease_id, c->lease);
    case CONFLICT_INVITE:
        return ctl_error(ctl, EXIT_CONFLICT,
                         "the name is reserved by the open invite #%" PRId64 " for '%s': "
                         "'leasectl invite revoke %" PRId64 "' frees it",
                         c->lease_id, c->lease, c->lease_id);
    case CONFLICT_KEY:
        return ctl_error(ctl, EXIT_CONFLICT,
                         "the key holds the %slease '%s' (#%" PRId64 ") on login '%s' already: one "
                         "key holds one lease per login",
                         state, c->lease, c->lease_id, l->login);
    case CONFLICT_PORT:
        return ctl_error(ctl, EXIT_CONFLICT,
                         c->expired ? "port %u is kept for its former holder '%s' (#%" PRId64
                                      ")%s: choose another, or --listen auto"
                                    : "port %u is held by the lease '%s' (#%" PRId64 ")%s: choose "
                                      "another, or --listen auto",
                         c->port, c->lease, c->lease_id,
                         c->expired ? ctl_quarantine_note(ctl) : "");
    }
    return EXIT_CONFLICT;
}
