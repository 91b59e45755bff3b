/* SPDX-License-Identifier: ISC */
/* leasectl agents: the hosts behind the gateway, and which of their tunnels are up. */
#include "leasectl/ctl_store.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/show/listing.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/lease/agent_copies.h"
#include "lib/lease/time_text.h"
#include "lib/session/listeners.h"
#include "lib/store/agents.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdio.h>

static const char *const headings[] = {"AGENT",     "PORT",    "STATE",  "TUNNEL",
                                       "HEARTBEAT", "EXPIRES", "COPIED", NULL};

struct agents_view {
    struct ctl *ctl;
    struct listing list;
    struct listeners used;
    bool knows_listeners;
    enum store_rc rc; /* of what is read beside the agents */
};

static const char *tunnel_state(struct agents_view *v, const struct agent *a)
{
    int64_t sessions = sessions_count(v->ctl, a->id);
    if (sessions < 0 || !v->knows_listeners)
        return "unknown";
    return sessions > 0 && listeners_has(&v->used, a->port) ? "up" : "down";
}

static void format_time(const struct ctl *ctl, int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    if (time_s == 0)
        (void)strlcpy(out, ctl->terminal ? "never" : "", TIME_TEXT_BYTES);
    else if (ctl->terminal)
        time_format_local(time_s, out);
    else
        time_format_rfc3339(time_s, out);
}

/* True if two hosts have been seen to have the agent's state, lately or with what came of it still
 * in force. */
static bool is_copied(struct agents_view *v, const struct agent *a, struct agent_copies *ret)
{
    char facts[AGENT_FACTS_BYTES];
    if (v->rc == STORE_OK)
        v->rc = store_agent_facts(v->ctl->store, a->id, facts);
    if (v->rc != STORE_OK)
        return false;
    agent_copies_parse(facts, ret);
    return agent_copies_are_recent(ret, v->ctl->now_s) || a->is_frozen;
}

/* Adds an object with both addresses; nothing when memory runs out. */
static void format_copied(const struct agent_copies *c, struct buf *out)
{
    char at[TIME_TEXT_BYTES];
    time_format_rfc3339(c->seen_s, at);
    const struct json_field fields[] = {
        {.name = "at", .text = at},
        {.name = "from", .text = c->copy_from[0] != '\0' ? c->copy_from : NULL},
        {.name = "other", .text = c->other_from[0] != '\0' ? c->other_from : NULL}};
    if (json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out) != 0)
        buf_clear(out);
}

static int add_json_row(struct agents_view *v, const struct agent *a, const char *state,
                        const struct agent_copies *copies)
{
    char heartbeat[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    struct buf copied = {0};
    time_format_rfc3339(a->heartbeat_ms / 1000, heartbeat);
    time_format_rfc3339(a->expires_s, until);
    if (copies != NULL)
        format_copied(copies, &copied);
    const struct json_field fields[] = {
        {.name = "id", .is_number = true, .number = a->id},
        {.name = "name", .text = a->name},
        {.name = "port_b", .is_number = true, .number = a->port},
        {.name = "state", .text = state},
        {.name = "tunnel", .text = tunnel_state(v, a)},
        {.name = "heartbeat_at", .text = a->heartbeat_ms != 0 ? heartbeat : NULL},
        {.name = "expires_at", .text = until},
        {.name = "fixed_end", .is_bool = true, .number = a->fixed_end},
        {.name = "copied", .object = copied.len > 0 ? buf_text(&copied) : NULL}};
    int rc = listing_add_object(&v->list, fields, sizeof(fields) / sizeof(fields[0]));
    buf_release(&copied);
    return rc;
}

static int add_row(void *arg, const struct agent *a)
{
    struct agents_view *v = arg;
    struct agent_copies copies;
    char both[2 * COPIES_ADDRESS_BYTES + 2] = "";
    const bool copied = is_copied(v, a, &copies);
    char port[8], heartbeat[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    const char *state = a->revoked                             ? "revoked"
                        : a->expires_s <= v->ctl->now_s        ? "expired"
                        : a->is_frozen                         ? "frozen"
                        : a->has_secret || a->last_login_s > 0 ? "active"
                                                               : "added";
    if (v->ctl->json)
        return add_json_row(v, a, state, copied ? &copies : NULL);
    (void)snprintf(port, sizeof(port), "%u", a->port);
    format_time(v->ctl, a->heartbeat_ms / 1000, heartbeat);
    format_time(v->ctl, a->expires_s, until);
    table_add(&v->list.table, a->name);
    table_add(&v->list.table, port);
    table_add(&v->list.table, state);
    table_add(&v->list.table, tunnel_state(v, a));
    table_add(&v->list.table, heartbeat);
    table_add(&v->list.table, until);
    if (copied)
        (void)snprintf(both, sizeof(both), "%s %s", copies.copy_from, copies.other_from);
    table_add(&v->list.table, both);
    return 0;
}

int cmd_agents(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
    struct agents_view v = {.ctl = ctl, .rc = STORE_OK};
    bool all = false;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'a')
            return EXIT_USAGE;
        all = true;
    }
    if (optind != argc)
        return ctl_usage(ctl, "agents takes no names");
    int code = ctl_open_read(ctl);
    if (code != EXIT_DONE)
        return code;
    v.knows_listeners = listeners_read(&v.used) == 0;
    listing_begin(&v.list, ctl, headings);
    enum store_rc rc = store_agent_list(ctl->store, all, add_row, &v);
    rc = rc == STORE_OK ? v.rc : rc;
    return listing_end(&v.list, rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc));
}
