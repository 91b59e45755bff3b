/* SPDX-License-Identifier: ISC */
/* leasectl agents: the hosts behind the gateway, and which of their tunnels are up. */
#include "leasectl/show/json.h"
#include "leasectl/ctl_store.h"
#include "leasectl/sessions/registry.h"
#include "leasectl/show/table.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/lease/time_text.h"
#include "lib/session/listeners.h"
#include "lib/store/agents.h"
#include "lib/wire/json.h"

#include <bsd/string.h>
#include <getopt.h>
#include <stdio.h>

static const char *const headings[] = {"AGENT",     "PORT",    "STATE", "TUNNEL",
                                       "HEARTBEAT", "EXPIRES", NULL};

struct listing {
    struct ctl *ctl;
    struct table table;
    struct buf json;
    struct listeners used;
    bool knows_listeners;
    unsigned count;
};

static const char *tunnel_state(struct listing *list, const struct agent *a)
{
    int64_t sessions = sessions_count(list->ctl, a->id);
    if (sessions < 0 || !list->knows_listeners)
        return "unknown";
    return sessions > 0 && listeners_has(&list->used, a->port) ? "up" : "down";
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

static int add_row(void *arg, const struct agent *a)
{
    struct listing *list = arg;
    char port[8], heartbeat[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    const char *state = a->revoked                             ? "revoked"
                        : a->expires_s <= list->ctl->now_s     ? "expired"
                        : a->has_secret || a->last_login_s > 0 ? "active"
                                                               : "added";
    if (list->ctl->json) {
        time_format_rfc3339(a->heartbeat_ms / 1000, heartbeat);
        time_format_rfc3339(a->expires_s, until);
        const struct json_field fields[] = {
            {.name = "id", .is_number = true, .number = a->id},
            {.name = "name", .text = a->name},
            {.name = "port_b", .is_number = true, .number = a->port},
            {.name = "state", .text = state},
            {.name = "tunnel", .text = tunnel_state(list, a)},
            {.name = "heartbeat_at", .text = a->heartbeat_ms != 0 ? heartbeat : NULL},
            {.name = "expires_at", .text = until},
            {.name = "fixed_end", .is_bool = true, .number = a->fixed_end}};
        if (list->count++ > 0)
            buf_add(&list->json, ",\n");
        return json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &list->json);
    }
    (void)snprintf(port, sizeof(port), "%u", a->port);
    format_time(list->ctl, a->heartbeat_ms / 1000, heartbeat);
    format_time(list->ctl, a->expires_s, until);
    table_add(&list->table, a->name);
    table_add(&list->table, port);
    table_add(&list->table, state);
    table_add(&list->table, tunnel_state(list, a));
    table_add(&list->table, heartbeat);
    table_add(&list->table, until);
    return 0;
}

int cmd_agents(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"all", no_argument, NULL, 'a'}, {NULL, 0, NULL, 0}};
    struct listing list = {.ctl = ctl};
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
    list.knows_listeners = listeners_read(&list.used) == 0;
    table_init(&list.table, headings);
    enum store_rc rc = store_agent_list(ctl->store, all, add_row, &list);
    if (rc != STORE_OK)
        code = ctl_store_error(ctl, rc);
    else if (ctl->json)
        code = show_json_array(ctl, &list.json);
    else
        code = table_show(ctl, &list.table);
    table_release(&list.table);
    buf_release(&list.json);
    return code;
}
