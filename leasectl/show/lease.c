/* SPDX-License-Identifier: ISC */
#include "leasectl/show/lease.h"

#include "leasectl/sessions/registry.h"
#include "leasectl/show/json.h"
#include "lib/handout/connect_line.h"
#include "lib/handout/opened_agents.h"
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/lease.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <stdio.h>

static void add_connect_line(const struct ctl *ctl, const struct lease *l, struct buf *out)
{
    struct opened_agents agents;
    opened_agents_find(ctl->store, l, &agents);
    connect_add_line(&ctl->conf, l, &agents, out);
}

int lease_to_json(struct ctl *ctl, const struct lease *l, struct buf *out)
{
    struct buf connect = {0};
    add_connect_line(ctl, l, &connect);
    const char *line = buf_text(&connect);
    int rc = line != NULL ? json_lease(l, ctl->now_s, sessions_count(ctl, l->id), line, out) : -1;
    buf_release(&connect);
    return rc;
}

static void print_field(const struct ctl *ctl, const char *name, const char *value)
{
    struct buf escaped = {0};
    text_add_escaped(&escaped, value); /* others may be able to write the store */
    (void)printf(ctl->terminal ? "%-14s %s\n" : "%s\t%s\n", name, buf_text_or(&escaped, "?"));
    buf_release(&escaped);
}

static void print_time_field(const struct ctl *ctl, const char *name, int64_t time_s)
{
    char text[TIME_TEXT_BYTES], distance[DURATION_TEXT_BYTES],
        both[TIME_TEXT_BYTES + DURATION_TEXT_BYTES + 16];
    if (time_s == 0) {
        print_field(ctl, name, ctl->terminal ? "never" : "");
        return;
    }
    if (!ctl->terminal) {
        time_format_rfc3339(time_s, text);
        print_field(ctl, name, text);
        return;
    }
    time_format_local(time_s, text);
    duration_format(time_s - ctl->now_s, distance);
    (void)snprintf(both, sizeof(both), time_s > ctl->now_s ? "%s (in %s)" : "%s (%s ago)", text,
                   distance);
    print_field(ctl, name, both);
}

static void print_key_field(const struct ctl *ctl, const struct lease_key *key)
{
    struct buf text = {0};
    buf_addf(&text, "%s %s %s", key->pub.fingerprint, key->pub.type, key->pub.comment);
    print_field(ctl, "key", buf_text_or(&text, "?"));
    buf_release(&text);
}

static void print_fields(struct ctl *ctl, const struct lease *l)
{
    struct buf open = {0}, listen = {0}, from = {0}, connect = {0};
    char number[24], limit[16] = "";

    permit_list_format(&l->open, &open);
    permit_list_format(&l->listen, &listen);
    source_list_format(&l->from, &from);
    add_connect_line(ctl, l, &connect);
    (void)snprintf(number, sizeof(number), "%lld", (long long)l->id);
    if (l->max_sessions != 0)
        (void)snprintf(limit, sizeof(limit), "%u", l->max_sessions);
    print_field(ctl, "id", number);
    print_field(ctl, "name", l->name);
    print_field(ctl, "login", l->login);
    print_field(ctl, "state", lease_state_name(lease_state_at(l, ctl->now_s)));
    for (size_t i = 0; i < l->key_count; i++)
        print_key_field(ctl, &l->keys[i]);
    print_field(ctl, "open", buf_text(&open));
    print_field(ctl, "listen", buf_text(&listen));
    print_field(ctl, "from", from.len > 0 || !ctl->terminal ? buf_text(&from) : "anywhere");
    print_field(ctl, "max_sessions", limit);
    print_field(ctl, "note", l->note);
    print_time_field(ctl, "created_at", l->created_s);
    print_time_field(ctl, "renewed_at", l->renewed_s);
    print_time_field(ctl, "expires_at", l->expires_s);
    print_field(ctl, "fixed_end", l->fixed_end ? "yes" : "no");
    print_time_field(ctl, "revoked_at", l->revoked_s);
    print_time_field(ctl, "last_login_at", l->last_login_s);
    int64_t sessions = sessions_count(ctl, l->id);
    (void)snprintf(number, sizeof(number), "%lld", (long long)sessions);
    print_field(ctl, "sessions", sessions >= 0 ? number : "");
    print_field(ctl, "connect", buf_text_or(&connect, "?"));
    buf_release(&open);
    buf_release(&listen);
    buf_release(&from);
    buf_release(&connect);
}

int lease_print_item(struct ctl *ctl, const struct lease *l, size_t *count)
{
    struct buf out = {0};
    int code = EXIT_DONE;
    if (l == NULL)
        buf_add(&out, "null");
    else if (lease_to_json(ctl, l, &out) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "out of memory");
    if (code == EXIT_DONE && buf_text(&out) != NULL)
        (void)printf("%s%s", (*count)++ > 0 ? ",\n" : "[", buf_text(&out));
    buf_release(&out);
    return code;
}

void lease_print_items_end(const size_t *count)
{
    (void)puts(*count > 0 ? "]" : "[]");
}

int lease_print(struct ctl *ctl, const struct lease *l)
{
    struct buf line = {0};
    if (!ctl->json) {
        print_fields(ctl, l);
        return EXIT_DONE;
    }
    int rc = lease_to_json(ctl, l, &line);
    return show_json_line(ctl, rc, &line);
}
