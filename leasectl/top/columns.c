/* SPDX-License-Identifier: ISC */
#include "leasectl/top/columns.h"

#include "leasectl/show/bytes.h"
#include "leasectl/top/frame.h"
#include "lib/lease/duration.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { CELL_BYTES = 64, TARGETS_MAX = 16 };

/* 0: there is no room for the column. */
struct session_widths {
    size_t lease, login, from, age, down, up, rate, forwards;
};
struct lease_widths {
    size_t name, login, ends, sessions, last, permits;
};

/* Takes width and the blank behind it off what is left; 0 if it does not fit. */
static size_t take(size_t *left, size_t width)
{
    if (*left < width + 1)
        return 0;
    *left -= width + 1;
    return width;
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

/* What matters most comes first. */
static struct session_widths session_widths(size_t width)
{
    struct session_widths w;
    size_t left = width;
    w.lease = take(&left, 12);
    w.down = take(&left, 6);
    w.up = take(&left, 6);
    w.rate = take(&left, 7);
    w.age = take(&left, 4);
    w.from = take(&left, 15);
    w.login = take(&left, 9);
    if (left > 15 && w.login > 0) {
        const size_t more = at_most((left - 15) / 2, 20);
        w.lease += more;
        left -= more;
    }
    w.forwards = left;
    return w;
}

static struct lease_widths lease_widths(size_t width)
{
    struct lease_widths w;
    size_t left = width;
    w.name = take(&left, 12);
    w.ends = take(&left, 8);
    w.sessions = take(&left, 4);
    w.last = take(&left, 10);
    w.login = take(&left, 9);
    if (left > 24 && w.login > 0) {
        const size_t more = at_most((left - 24) / 2, 24);
        w.name += more;
        left -= more;
    }
    w.permits = left;
    return w;
}

static void cell(struct buf *out, const char *text, size_t width, enum frame_align align)
{
    if (width > 0)
        frame_add_cell(out, text, width, align);
}

void columns_session_heading(size_t width, struct buf *out)
{
    const struct session_widths w = session_widths(width);
    cell(out, "LEASE", w.lease, FRAME_LEFT);
    cell(out, "LOGIN", w.login, FRAME_LEFT);
    cell(out, "FROM", w.from, FRAME_LEFT);
    cell(out, "AGE", w.age, FRAME_RIGHT);
    cell(out, ">=DOWN", w.down, FRAME_RIGHT);
    cell(out, ">=UP", w.up, FRAME_RIGHT);
    cell(out, "RATE", w.rate, FRAME_RIGHT);
    cell(out, "FORWARDS", w.forwards, FRAME_LEFT);
}

void columns_lease_heading(size_t width, struct buf *out)
{
    const struct lease_widths w = lease_widths(width);
    cell(out, "NAME", w.name, FRAME_LEFT);
    cell(out, "LOGIN", w.login, FRAME_LEFT);
    cell(out, "ENDS IN", w.ends, FRAME_RIGHT);
    cell(out, "SESS", w.sessions, FRAME_RIGHT);
    cell(out, "LAST LOGIN", w.last, FRAME_RIGHT);
    cell(out, "OPEN AND LISTEN (R)", w.permits, FRAME_LEFT);
}

/* The largest unit alone: 6d. */
static void format_age(int64_t s, char out[static DURATION_TEXT_BYTES])
{
    duration_format(s > 0 ? s : 0, out);
    out[strcspn(out, " ")] = '\0';
}

static void bytes_cell(struct buf *out, bool is_known, uint64_t bytes, size_t width)
{
    char text[BYTES_TEXT_BYTES] = "?";
    if (is_known)
        bytes_format(bytes, text);
    cell(out, text, width, FRAME_RIGHT);
}

static void rate_cell(struct buf *out, bool is_known, uint64_t rate, size_t width)
{
    char text[BYTES_TEXT_BYTES], with_unit[BYTES_TEXT_BYTES + 2] = "-";
    bytes_format(rate, text);
    if (is_known)
        (void)snprintf(with_unit, sizeof(with_unit), "%s/s", text);
    cell(out, with_unit, width, FRAME_RIGHT);
}

/* ---- where the forwards go ---- */

/* Loopback is what almost all of them go to: the port says it all. */
static const char *short_address(const char *address)
{
    static const char *const loopback[] = {"127.0.0.1:", "[::1]:"};
    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
        if (strncmp(address, loopback[i], strlen(loopback[i])) == 0)
            return address + strlen(loopback[i]);
    return address;
}

static void add_target(struct buf *out, const char *mark, const char *address, size_t connections)
{
    buf_addf(out, "%s%s%s", out->len > 0 ? " " : "", mark, short_address(address));
    if (connections > 1)
        buf_addf(out, "x%zu", connections);
}

static void add_opened(const struct forward *forwards, size_t count, struct buf *out)
{
    struct {
        const char *address;
        size_t connections;
    } targets[TARGETS_MAX];
    size_t target_count = 0, at;
    for (size_t i = 0; i < count; i++) {
        if (forwards[i].accepted)
            continue;
        for (at = 0; at < target_count; at++)
            if (strcmp(targets[at].address, forwards[i].peer) == 0)
                break;
        if (at == TARGETS_MAX)
            continue;
        if (at == target_count) {
            targets[target_count].address = forwards[i].peer;
            targets[target_count++].connections = 0;
        }
        targets[at].connections++;
    }
    for (at = 0; at < target_count; at++)
        add_target(out, "", targets[at].address, targets[at].connections);
}

void columns_add_forwards(const struct model *m, size_t session, struct buf *out)
{
    const pid_t pid = m->sessions.items[session].pid;
    struct buf text = {0};
    size_t count, listener_count;
    const struct forward *forwards = traffic_of(&m->traffic, pid, &count);
    const struct session_socket *listeners =
        traffic_listeners_of(&m->traffic, pid, &listener_count);
    add_opened(forwards, count, &text);
    for (size_t i = 0; i < listener_count; i++) {
        size_t connections = 0;
        if (i > 0 && listeners[i].port == listeners[i - 1].port)
            continue; /* of IPv4 and of IPv6 */
        for (size_t k = 0; k < count; k++)
            connections += forwards[k].accepted && forwards[k].port == listeners[i].port;
        add_target(&text, "R", listeners[i].local, connections);
        if (connections == 1) /* one listener without "x1" has none */
            buf_add(&text, "x1");
    }
    if (!m->traffic.sockets.seen[session])
        buf_add(&text, text.len > 0 ? " ?" : "?");
    buf_add(out, buf_text_or(&text, "?"));
    buf_release(&text);
}

/* ---- the lines ---- */

static void add_connection(const struct model *m, const struct forward *f, size_t width,
                           struct buf *out)
{
    const struct session_widths w = session_widths(width);
    const struct tally_connection *c = tally_connection_of(&m->tally, f->cookie);
    char what[2 * CELL_BYTES + 16], age[DURATION_TEXT_BYTES] = "?";
    const size_t first = w.lease + (w.login > 0 ? w.login + 1 : 0) + (w.from > 0 ? w.from + 1 : 0);
    (void)snprintf(what, sizeof(what), f->accepted ? "  -R %s from %s" : "  -L %s",
                   f->accepted ? f->local : f->peer, f->peer);
    if (f->has_bytes)
        format_age(f->idle_ms / 1000, age);
    cell(out, what, first, FRAME_LEFT);
    cell(out, "", w.age, FRAME_LEFT);
    bytes_cell(out, f->has_bytes, f->down, w.down);
    bytes_cell(out, f->has_bytes, f->up, w.up);
    rate_cell(out, c != NULL && c->has_rate, c != NULL ? c->rate : 0, w.rate);
    if (w.forwards >= 9) {
        (void)snprintf(what, sizeof(what), "idle %s", age);
        cell(out, what, w.forwards, FRAME_LEFT);
    }
}

void columns_session(const struct model *m, const struct view_line *line, size_t width,
                     struct buf *out)
{
    const struct session_widths w = session_widths(width);
    const struct session *s = &m->sessions.items[line->item];
    const struct tally_session *t = &m->tally.sessions[line->item];
    struct buf forwards = {0};
    char age[DURATION_TEXT_BYTES];
    if (line->forward != NULL) {
        add_connection(m, line->forward, width, out);
        return;
    }
    format_age(m->now_s - s->since_s, age);
    columns_add_forwards(m, line->item, &forwards);
    cell(out, s->lease, w.lease, FRAME_LEFT);
    cell(out, s->login, w.login, FRAME_LEFT);
    cell(out, s->source, w.from, FRAME_LEFT);
    cell(out, age, w.age, FRAME_RIGHT);
    bytes_cell(out, t->is_known, t->total.down, w.down);
    bytes_cell(out, t->is_known, t->total.up, w.up);
    rate_cell(out, t->has_rate, t->rate.down + t->rate.up, w.rate);
    cell(out, buf_text_or(&forwards, "?"), w.forwards, FRAME_LEFT);
    buf_release(&forwards);
}

/* As in the store: separated by blanks. */
static void add_permits(const char *list, const char *mark, struct buf *out)
{
    while (*list != '\0') {
        char permit[LEASE_BRIEF_TEXT_BYTES];
        const size_t len = strcspn(list, " ");
        (void)snprintf(permit, sizeof(permit), "%.*s", (int)len, list);
        if (len > 0)
            buf_addf(out, "%s%s%s", out->len > 0 ? " " : "", mark, short_address(permit));
        list += len + (list[len] != '\0');
    }
}

void columns_lease(const struct model *m, const struct view_line *line, size_t width,
                   struct buf *out)
{
    const struct lease_widths w = lease_widths(width);
    const struct lease_brief *l = &m->store.leases[line->item];
    char ends[DURATION_TEXT_BYTES], sessions[24] = "?", last[DURATION_TEXT_BYTES + 8] = "never";
    char age[DURATION_TEXT_BYTES];
    struct buf permits = {0};
    duration_format(l->expires_s - m->now_s, ends);
    if (m->sessions_known)
        (void)snprintf(sessions, sizeof(sessions), "%zu", model_sessions_of(m, l->id));
    if (l->last_login_s != 0) {
        format_age(m->now_s - l->last_login_s, age);
        (void)snprintf(last, sizeof(last), "%s ago", age);
    }
    add_permits(l->open, "", &permits);
    add_permits(l->listen, "R", &permits);
    cell(out, l->name, w.name, FRAME_LEFT);
    cell(out, l->login, w.login, FRAME_LEFT);
    cell(out, ends, w.ends, FRAME_RIGHT);
    cell(out, sessions, w.sessions, FRAME_RIGHT);
    cell(out, last, w.last, FRAME_RIGHT);
    cell(out, buf_text_or(&permits, "?"), w.permits, FRAME_LEFT);
    buf_release(&permits);
}
