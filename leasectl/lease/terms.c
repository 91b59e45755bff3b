/* SPDX-License-Identifier: ISC */
#include "leasectl/lease/terms.h"

#include "leasectl/host/gateway.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/store/conflict.h"
#include "lib/store/leases.h"

#include <bsd/string.h>
#include <inttypes.h>
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

int terms_parse_permit(struct ctl *ctl, const char *option, const char *text, enum permit_form form,
                       struct permit *ret)
{
    const char *problem = permit_parse(text, form, ret);
    if (problem != NULL)
        return ctl_error(ctl, EXIT_USAGE, "%s '%s': %s", option, text_clip(text).s, problem);
    return EXIT_DONE;
}

int terms_add_open_agent(struct ctl *ctl, const char *text, struct lease *l)
{
    const char *problem = lease_open_agent_add(l, text + sizeof(LEASE_AGENT_PREFIX) - 1);
    return problem == NULL
               ? EXIT_DONE
               : ctl_error(ctl, EXIT_USAGE, "--open '%s' %s", text_clip(text).s, problem);
}

int terms_check_agents(struct ctl *ctl, const struct lease *l)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < l->open_agent_count; i++) {
        struct lease agent = {0};
        int code = EXIT_DONE;
        const char *name = l->open_agents[i];
        enum store_rc rc = store_lease_by_name(ctl->store, name, &agent);
        if (rc == STORE_NONE ||
            (rc == STORE_OK && (agent.revoked_s != 0 || agent.listen.count == 0)))
            code =
                ctl_error(ctl, EXIT_NO_SUCH, "there is no agent '%s': see 'leasectl agents'", name);
        else if (rc != STORE_OK)
            code = ctl_store_error(ctl, rc);
        for (size_t k = 0; code == EXIT_DONE && k < agent.listen.count; k++) {
            const char *problem =
                ceiling_open_problem(&ctl->conf.ceiling, l->login, &agent.listen.items[k]);
            permit_format(&agent.listen.items[k], text);
            if (problem != NULL)
                code = ctl_error(ctl, EXIT_CEILING, "--open agent:%s is %s on login '%s': %s", name,
                                 text, l->login, problem);
        }
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
            buf_text(&why) != NULL ? buf_text(&why) : "out of memory");
    buf_release(&why);
    return code;
}

int terms_check_permits(struct ctl *ctl, const struct lease *l)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < l->open.count; i++) {
        const char *problem = ceiling_open_problem(&ctl->conf.ceiling, l->login, &l->open.items[i]);
        permit_format(&l->open.items[i], text);
        if (problem != NULL)
            return ctl_error(ctl, EXIT_CEILING, "--open %s on login '%s': %s", text, l->login,
                             problem);
    }
    for (size_t i = 0; i < l->listen.count; i++) {
        const char *problem =
            ceiling_listen_problem(&ctl->conf.ceiling, l->login, &l->listen.items[i]);
        permit_format(&l->listen.items[i], text);
        if (problem != NULL)
            return ctl_error(ctl, EXIT_CEILING, "--listen %s on login '%s': %s", text, l->login,
                             problem);
    }
    return EXIT_DONE;
}

int terms_check_end(struct ctl *ctl, int64_t expires_s)
{
    char text[DURATION_TEXT_BYTES];
    if (ctl->conf.max_ttl_s == 0 || expires_s <= ctl->now_s + ctl->conf.max_ttl_s)
        return EXIT_DONE;
    duration_format(ctl->conf.max_ttl_s, text);
    return ctl_error(ctl, EXIT_CEILING, "the lease would be longer than MaxTTL (%s)", text);
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
