/* SPDX-License-Identifier: ISC */
#include "leased/status/problems.h"

#include "leased/status/view.h"
#include "leased/watch/clock_jumps.h"
#include "leased/watch/copies_seen.h"
#include "leased/watch/listeners_cache.h"
#include "leased/watch/open_store.h"
#include "leased/watch/sessions.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/lease/time_text.h"
#include "lib/store/freezes.h"
#include "lib/wire/members.h"

#include <inttypes.h>
#include <string.h>

enum { OLD_SWEEP_MS = 3 * SWEEP_MS };

/* Adds what was put together in *line, and empties it. */
static void add_line(struct buf *out, struct buf *line)
{
    while (line->len > 0 && line->data[line->len - 1] == '\n')
        line->data[--line->len] = '\0';
    if (buf_text(line) != NULL && line->len > 0)
        members_text(out, NULL, buf_text(line));
    buf_clear(line);
}

void problems_of_store(const struct overview *o, struct buf *out)
{
    const char *lost = open_store_problem(o->open_store);
    if (lost != NULL)
        buf_addf(out, "the store cannot be used: %s", lost);
    else if (o->index.has_failed)
        buf_addf(out, "the store cannot be read: %s", o->index.why);
    else
        buf_add(out, "the leases are being read: try again in a moment");
}

static void add_store(const struct overview *o, const struct overview_part *part, struct buf *out,
                      struct buf *line)
{
    char since[TIME_TEXT_BYTES];
    const bool is_lost = open_store_problem(o->open_store) != NULL;
    time_format_rfc3339(is_lost ? part->made_s : o->index.list.read_s, since);
    if (is_lost || o->index.has_failed) {
        problems_of_store(o, line);
        buf_addf(line, "; leases, agents and audit are as of %s", since);
        add_line(out, line);
    }
    if (part->problem.len > 0 && buf_text(&part->problem) != NULL) {
        buf_addf(line, "some rows cannot be read: %s", buf_text(&part->problem));
        add_line(out, line);
    }
    if (o->index.list.omitted > 0) {
        buf_addf(line,
                 "there are %" PRId64 " leases more than this page can show: use leasectl list",
                 o->index.list.omitted);
        add_line(out, line);
    }
}

static int add_freeze(void *ctx, const char *login, int64_t since_s)
{
    struct buf *lines = ctx, line = {0};
    char since[TIME_TEXT_BYTES];
    time_format_rfc3339(since_s, since);
    if (strcmp(login, "*") == 0)
        buf_addf(&line, "all logins are frozen since %s: nobody is admitted", since);
    else
        buf_addf(&line, "login %s is frozen since %s: nobody is admitted", login, since);
    add_line(lines, &line);
    buf_release(&line);
    return 0;
}

static void add_sessions(const struct overview *o, struct buf *out, struct buf *line)
{
    const struct sessions *s = o->sessions;
    if (!s->has_registry || s->registry_unreadable)
        buf_add(line, "the session registry cannot be read: sessions are as they were seen last");
    add_line(out, line);
    if (s->unseen.may_be_any)
        unseen_format(&s->unseen, line);
    add_line(out, line);
    if (clock_monotonic_ms() - s->swept_ms > OLD_SWEEP_MS)
        buf_add(line, "sessions were not judged for more than 30 s");
    add_line(out, line);
    if (o->unregistered_count > 0)
        buf_addf(line,
                 "%" PRId64 " connections of tunnel logins are in no registry entry: nothing ends "
                 "them; is pam_tunnel in sshd's stack?",
                 o->unregistered_count);
    add_line(out, line);
    if (o->listeners->is_unreadable)
        buf_add(line, "what listens cannot be read: tunnels are unknown");
    add_line(out, line);
}

static void add_copies(const struct overview *o, struct buf *out, struct buf *line)
{
    for (size_t i = 0; i < COPIES_SEEN_MAX; i++) {
        const struct copy_seen *copy = copies_seen_at(o->copies_seen, i, clock_monotonic_ms());
        if (copy == NULL)
            continue;
        buf_addf(line, "two hosts have the state of the agent %s: at %s, and at %s", copy->name,
                 copy->from[0] != '\0' ? copy->from : "an unknown address",
                 copy->other[0] != '\0' ? copy->other : "an unknown one");
        add_line(out, line);
    }
}

void problems_format(struct overview *o, const struct overview_part *part, struct buf *out)
{
    struct buf line = {0};
    members_open(out, "problems", '[');
    add_store(o, part, out, &line);
    if (open_store_problem(o->open_store) == NULL &&
        store_freeze_list(o->open_store->store, add_freeze, out) != STORE_OK)
        buf_add(&line, "which logins are frozen cannot be read");
    add_line(out, &line);
    add_copies(o, out, &line);
    add_sessions(o, out, &line);
    if (clock_jumps_are_recent(o->clock_jumps))
        buf_add(&line, "the clock has jumped: for an hour nothing is deleted");
    add_line(out, &line);
    members_close(out, ']');
    out->failed = out->failed || line.failed;
    buf_release(&line);
}
