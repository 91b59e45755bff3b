/* SPDX-License-Identifier: ISC */
#include "leased/status/overview.h"

#include "leased/status/problems.h"
#include "leased/status/rows.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
#include "leased/watch/unregistered.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"
#include "lib/lease/time_text.h"
#include "lib/wire/members.h"

#include <string.h>

enum {
    PART_MS = 1000,
    UNREGISTERED_MS = 10000, /* from one scan of all processes to the next, */
    UNREGISTERED_COST = 100, /* and so many times as long as it took */
    ENDS_DAYS = 30,
    ENDS_NAMES = 20, /* of one day */
    DAY_S = 86400,
};

/* ---- the part that comes from the store ---- */

static bool is_same_query(const struct overview_query *a, const struct overview_query *b)
{
    return strcmp(a->filter, b->filter) == 0 &&
           memcmp(a->offsets, b->offsets, sizeof(a->offsets)) == 0;
}

static bool is_plain(const struct overview_query *query)
{
    static const struct overview_query plain = {.filter = ""};
    return is_same_query(query, &plain);
}

/* The part of this query; else the place for it that nobody has asked for for the longest time. The
 * first place is for the page as it opens: it must be there when the store is not. */
static struct overview_part *find_part(struct overview *o, const struct overview_query *query)
{
    const size_t from = is_plain(query) ? 0 : 1, to = is_plain(query) ? 1 : OVERVIEW_PARTS;
    struct overview_part *oldest = &o->parts[from];
    for (size_t i = from; i < to; i++) {
        struct overview_part *part = &o->parts[i];
        if (part->text.len > 0 && is_same_query(&part->query, query))
            return part;
        if (part->used_ms < oldest->used_ms)
            oldest = part;
    }
    buf_release(&oldest->text);
    buf_release(&oldest->problem);
    oldest->query = *query;
    oldest->used_ms = 0;
    return oldest;
}

static void make_part(struct overview *o, struct overview_part *part)
{
    buf_clear(&part->text);
    buf_clear(&part->problem);
    members_open(&part->text, NULL, '{');
    rows_leases(o, &part->query, &part->text, &part->problem);
    rows_agents(o, &part->query, &part->text, &part->problem);
    rows_audit(o, &part->query, &part->text, &part->problem);
    part->made_ms = clock_monotonic_ms();
    part->made_s = clock_now_s();
    if (part->text.failed)
        buf_release(&part->text);
}

/* NULL: there is none, and the store cannot be read. */
static const struct overview_part *part_of(struct overview *o, const struct overview_query *query)
{
    const int64_t now_ms = clock_monotonic_ms();
    const bool is_readable = open_store_check(o->open_store) && o->index.is_known;
    struct overview_part *part = find_part(o, query);
    if (is_readable && (part->text.len == 0 || now_ms - part->made_ms >= PART_MS))
        make_part(o, part);
    part->used_ms = now_ms;
    return part->text.len > 0 ? part : NULL;
}

/* ---- the other parts ---- */

static void count_tunnels(struct overview *o)
{
    memset(o->tunnels, 0, sizeof(o->tunnels));
    for (size_t i = 0; i < o->index.list.agent_count; i++)
        o->tunnels[rows_agent_tunnel(o, &o->index.list.items[o->index.list.agents[i]])]++;
}

static int64_t live_sessions(const struct overview *o)
{
    int64_t count = 0;
    for (size_t i = 0; i < o->sessions->judged.count; i++)
        count += o->sessions->judged.items[i].open;
    return count;
}

static void add_counts(struct overview *o, struct buf *out)
{
    count_tunnels(o);
    members_open(out, "counts", '{');
    for (int state = 0; state < LEASE_STATE__MAX; state++)
        members_number(out, lease_state_name((enum lease_state)state),
                       (int64_t)o->index.states[state]);
    members_number(out, "agents", (int64_t)o->index.list.agent_count);
    members_number(out, "tunnels_up", o->tunnels[CONTROL_TUNNEL_UP]);
    members_number(out, "tunnels_down", o->tunnels[CONTROL_TUNNEL_DOWN]);
    members_number(out, "tunnels_unknown", o->tunnels[CONTROL_TUNNEL_UNKNOWN]);
    members_number(out, "sessions", live_sessions(o));
    members_number(out, "unseen_sessions", (int64_t)o->sessions->unseen.count);
    if (o->unregistered_count >= 0)
        members_number(out, "unregistered_sessions", o->unregistered_count);
    else
        members_null(out, "unregistered_sessions");
    members_number(out, "audit", o->audit_rows);
    members_close(out, '}');
}

/* Active leases come first, by their ends. */
static void add_ends(const struct overview *o, int64_t now_s, struct buf *out)
{
    const int64_t today_s = now_s - now_s % DAY_S;
    size_t at = 0;
    members_open(out, "ends", '[');
    for (int day = 0; day < ENDS_DAYS; day++) {
        char text[TIME_TEXT_BYTES];
        int64_t count = 0;
        time_format_rfc3339(today_s + (int64_t)day * DAY_S, text);
        text[sizeof("YYYY-MM-DD") - 1] = '\0';
        members_open(out, NULL, '{');
        members_text(out, "day", text);
        members_open(out, "names", '[');
        for (; at < o->index.states[LEASE_ACTIVE] &&
               o->index.list.items[at].expires_s < today_s + (int64_t)(day + 1) * DAY_S;
             at++)
            if (count++ < ENDS_NAMES)
                members_text(out, NULL, lease_index_name(&o->index, &o->index.list.items[at]));
        members_close(out, ']');
        members_number(out, "count", count);
        members_close(out, '}');
    }
    members_close(out, ']');
}

/* Looks through all processes of the host, so not each time. */
static void count_unregistered(struct overview *o)
{
    const int64_t since_ms = clock_monotonic_ms();
    if (since_ms < o->unregistered_next_ms)
        return;
    o->unregistered_count = unregistered_count(o->unregistered);
    const int64_t pause_ms = UNREGISTERED_COST * (clock_monotonic_ms() - since_ms);
    o->unregistered_next_ms = since_ms + (pause_ms > UNREGISTERED_MS ? pause_ms : UNREGISTERED_MS);
}

/* ---- all of it ---- */

bool overview_write(struct overview *o, const struct overview_query *query, struct buf *out)
{
    const int64_t now_s = clock_now_s();
    (void)open_store_check(o->open_store); /* another one may lie there: that is read then */
    lease_index_refresh(&o->index, now_s);
    const struct overview_part *part = part_of(o, query);
    if (part == NULL) {
        problems_of_store(o, out);
        return false;
    }
    count_unregistered(o);
    buf_add_mem(out, part->text.data, part->text.len);
    members_time(out, "now", now_s);
    members_text(out, "version", TUNLEASE_VERSION);
    members_text(out, "host", o->conf->public_host);
    members_time(out, "started_at", o->started_s);
    members_text(out, "filter", query->filter);
    add_counts(o, out);
    rows_sessions(o, query, out);
    add_ends(o, now_s, out);
    history_format(&o->history, clock_boot_ms(), now_s, out);
    problems_format(o, part, out);
    members_close(out, '}');
    return !out->failed && out->len <= CONTROL_WHOLE_BYTES;
}

void overview_sample(struct overview *o)
{
    history_sample(&o->history, o->metrics, (uint64_t)live_sessions(o), clock_boot_ms());
}

void overview_forget(struct overview *o)
{
    lease_index_forget(&o->index);
    for (size_t i = 0; i < OVERVIEW_PARTS; i++) {
        buf_release(&o->parts[i].text);
        buf_release(&o->parts[i].problem);
    }
}

int overview_start(struct overview *o, struct event_base *base)
{
    o->started_s = clock_now_s();
    o->unregistered_count = -1;
    return lease_index_start(&o->index, base, o->open_store);
}
