/* SPDX-License-Identifier: ISC */
#include "leasectl/top/draw.h"

#include "leasectl/show/bytes.h"
#include "leasectl/top/columns.h"
#include "lib/base/text.h"
#include "lib/base/wrap.h"
#include "lib/lease/time_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    ROWS_MIN = 3,
    COLUMNS_MIN = 20,
    HEADER_ROWS = 4,
    HEADER_FROM_ROWS = 14, /* a smaller terminal has no room for the whole header, */
    DETAIL_FROM_ROWS = 8,  /* and a small one none for what is marked */
    BOTH_FROM_ROWS = 6,    /* of both tables: else the one that has the focus alone */
    MESSAGE_ROWS = 3,
    SOON_S = 86400,
};

/* Escapes text, and sets it as a line. */
static void put(struct frame *f, size_t row, enum frame_look look, const char *text)
{
    struct buf escaped = {0};
    text_add_escaped(&escaped, text);
    frame_set(f, row, look, buf_text_or(&escaped, "out of memory"));
    buf_release(&escaped);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static void format_clock(int64_t time_s, char out[static TIME_TEXT_BYTES])
{
    struct tm tm;
    const time_t t = (time_t)time_s;
    if (localtime_r(&t, &tm) == NULL || strftime(out, TIME_TEXT_BYTES, "%H:%M:%S", &tm) == 0)
        (void)snprintf(out, TIME_TEXT_BYTES, "?");
}

/* ---- the header ---- */

static void add_title(const struct model *m, const struct view *v, struct buf *out)
{
    char host[65] = "?", day[TIME_TEXT_BYTES], clock[TIME_TEXT_BYTES];
    (void)gethostname(host, sizeof(host) - 1);
    time_format_local(m->now_s, day);
    format_clock(m->now_s, clock);
    buf_addf(out, "tunlease on %s  %.10s %s%s", host, day, clock,
             m->leased_runs ? "" : "  leased is down");
    if (!v->batch && v->delay_ms % 1000 != 0)
        buf_addf(out, "  every %d.%d s", v->delay_ms / 1000, v->delay_ms % 1000 / 100);
    else if (!v->batch)
        buf_addf(out, "  every %d s", v->delay_ms / 1000);
}

static void add_leases(const struct model *m, struct buf *out)
{
    size_t active = m->store.active, agents = m->store.agents, soon = 0;
    buf_add(out, "Leases    ");
    if (!m->store.is_read) {
        buf_addf(out, "unknown: %s", m->store.why);
        return;
    }
    for (size_t i = 0; i < m->store.count; i++) {
        const struct lease_brief *l = &m->store.leases[i];
        const bool has_ended = l->expires_s <= m->now_s; /* since the store was read */
        active -= has_ended;
        agents -= has_ended && l->is_agent;
        soon += !has_ended && l->expires_s - m->now_s <= SOON_S;
    }
    buf_addf(out, "%zu active, %zu of agents; %s%zu end%s within a day", active, agents,
             soon == STORE_LOOK_LEASES_MAX ? "at least " : "", soon, soon == 1 ? "s" : "");
    for (size_t i = 0; i < m->store.frozen_count && i < STORE_LOOK_FROZEN_MAX; i++)
        buf_addf(out, "%s%s", i == 0 ? "; frozen: " : ", ",
                 strcmp(m->store.frozen[i], "*") == 0 ? "all logins" : m->store.frozen[i]);
    if (m->store.frozen_count > STORE_LOOK_FROZEN_MAX)
        buf_add(out, ", ...");
}

static void add_sessions(const struct model *m, struct buf *out)
{
    const size_t listeners = m->traffic.sockets.count - m->traffic.forward_count;
    buf_add(out, "Sessions  ");
    if (!m->sessions_known)
        buf_addf(out, "unknown: %s", m->sessions_why);
    else if (geteuid() != 0)
        buf_addf(out, "%zu", m->sessions.count);
    else
        buf_addf(out, "%zu; %zu connection%s, %zu listener%s", m->sessions.count,
                 m->traffic.forward_count, plural(m->traffic.forward_count), listeners,
                 plural(listeners));
}

static void add_traffic(const struct model *m, struct buf *out)
{
    char down[BYTES_TEXT_BYTES], up[BYTES_TEXT_BYTES], down_rate[BYTES_TEXT_BYTES],
        up_rate[BYTES_TEXT_BYTES], since[TIME_TEXT_BYTES];
    const struct tally_bytes total = tally_total(&m->tally);
    buf_add(out, "Traffic   ");
    if (geteuid() != 0 || m->traffic.why_no_bytes != 0 || !m->sessions_known) {
        buf_addf(out, "unknown%s%s", m->sessions_known ? ": " : "",
                 m->sessions_known ? m->unseen_why : "");
        return;
    }
    bytes_format(total.down, down);
    bytes_format(total.up, up);
    bytes_format(m->tally.rate.down, down_rate);
    bytes_format(m->tally.rate.up, up_rate);
    format_clock(m->started_s, since);
    buf_addf(out, "down at least %s (%s/s), up at least %s (%s/s), seen since %s", down, down_rate,
             up, up_rate, since);
    if (m->unseen_why[0] != '\0')
        buf_addf(out, "; %s", m->unseen_why);
}

static size_t draw_header(const struct model *m, const struct view *v, struct frame *f)
{
    static void (*const lines[HEADER_ROWS - 1])(const struct model *m, struct buf *out) = {
        add_leases, add_sessions, add_traffic};
    const size_t rows = v->batch || f->rows >= HEADER_FROM_ROWS ? HEADER_ROWS : 1;
    struct buf text = {0};
    add_title(m, v, &text);
    put(f, 0, FRAME_BOLD, buf_text_or(&text, ""));
    for (size_t i = 1; i < rows; i++) {
        buf_clear(&text);
        lines[i - 1](m, &text);
        put(f, i, FRAME_PLAIN, buf_text_or(&text, "out of memory"));
    }
    buf_release(&text);
    return rows;
}

/* ---- what is marked, said or asked ---- */

static void add_detail(const struct model *m, const struct view *v, struct buf *out)
{
    char when[TIME_TEXT_BYTES];
    const struct session *s = view_session(v, m);
    const struct lease_brief *l = s != NULL ? model_lease(m, s->lease_id) : view_lease(v, m);
    if (s != NULL) {
        time_format_local(s->since_s, when);
        buf_addf(out, "pid %d of #%" PRId64 " since %s: ", (int)s->pid, s->lease_id, when);
        columns_add_forwards(m, (size_t)(s - m->sessions.items), out);
    } else if (l != NULL) {
        time_format_local(l->expires_s, when);
        buf_addf(out, "#%" PRId64 " until %s", l->id, when);
    }
    if (l != NULL && l->note[0] != '\0')
        buf_addf(out, "  note: %s", l->note);
}

/* Below the header. Returns how many rows it takes. */
static size_t draw_message(const struct model *m, const struct view *v, struct frame *f, size_t row)
{
    struct buf text = {0}, escaped = {0};
    size_t rows = 0, bytes;
    const char *line;
    if (v->batch || (f->rows < DETAIL_FROM_ROWS && v->message == NULL))
        return 0;
    if (v->message == NULL) {
        add_detail(m, v, &text);
        put(f, row, FRAME_PLAIN, buf_text_or(&text, ""));
        buf_release(&text);
        return 1;
    }
    text_add_escaped(&escaped, v->message);
    const char *rest = buf_text_or(&escaped, "out of memory");
    while (rows < MESSAGE_ROWS && (line = wrap_next_line(&rest, f->columns, &bytes)) != NULL) {
        buf_clear(&text);
        buf_add_mem(&text, line, bytes);
        frame_set(f, row + rows, v->asks ? FRAME_MARKED : FRAME_BOLD, buf_text_or(&text, ""));
        rows++;
    }
    buf_release(&escaped);
    buf_release(&text);
    return rows;
}

/* ---- the tables ---- */

static bool is_known(const struct model *m, enum view_table table)
{
    return table == VIEW_SESSIONS ? m->sessions_known : m->store.is_read;
}

/* In place of lines. */
static size_t draw_why(const struct model *m, enum view_table table, struct frame *f, size_t row,
                       size_t rows)
{
    const char *empty = table == VIEW_SESSIONS ? "no session is up" : "no lease is active";
    struct buf text = {0}, escaped = {0};
    size_t used = 0, bytes;
    const char *line;
    if (is_known(m, table))
        buf_add(&text, empty);
    else
        buf_addf(&text, "unknown: %s", table == VIEW_SESSIONS ? m->sessions_why : m->store.why);
    text_add_escaped(&escaped, buf_text_or(&text, "out of memory"));
    const char *rest = buf_text_or(&escaped, "out of memory");
    while (used < rows && (line = wrap_next_line(&rest, f->columns, &bytes)) != NULL) {
        buf_clear(&text);
        buf_add_mem(&text, line, bytes);
        frame_set(f, row + used++, FRAME_PLAIN, buf_text_or(&text, ""));
    }
    buf_release(&text);
    buf_release(&escaped);
    return used;
}

/* A heading, and rows - 1 lines. */
static void draw_table(const struct model *m, struct view *v, enum view_table table,
                       struct frame *f, size_t row, size_t rows)
{
    struct view_lines *lines = &v->lines[table];
    struct buf text = {0};
    if (rows == 0)
        return;
    (table == VIEW_SESSIONS ? columns_session_heading : columns_lease_heading)(f->columns, &text);
    frame_set(f, row++, FRAME_BOLD, buf_text_or(&text, ""));
    rows--;
    view_scroll(lines, rows);
    if (lines->count == 0)
        (void)draw_why(m, table, f, row, rows);
    for (size_t i = 0; i < rows && lines->first + i < lines->count; i++) {
        const size_t at = lines->first + i;
        const bool marked = !v->batch && table == v->focus && at == lines->marked;
        buf_clear(&text);
        (table == VIEW_SESSIONS ? columns_session : columns_lease)(m, &lines->items[at], f->columns,
                                                                   &text);
        frame_set(f, row + i, marked ? FRAME_MARKED : FRAME_PLAIN,
                  buf_text_or(&text, "out of memory"));
    }
    buf_release(&text);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The lines that a table wants; one for the sentence that it is empty, or why it is not known. */
static size_t wanted_rows(const struct model *m, const struct view *v, enum view_table table)
{
    const size_t count = v->lines[table].count;
    return count > 0 ? count : is_known(m, table) ? 1 : 3;
}

static void draw_tables(const struct model *m, struct view *v, struct frame *f, size_t row,
                        size_t rows)
{
    if (rows < BOTH_FROM_ROWS) {
        draw_table(m, v, v->focus, f, row, rows);
        return;
    }
    const size_t body = rows - 2;
    const size_t leases = smaller(wanted_rows(m, v, VIEW_LEASES), body / 2);
    const size_t sessions = smaller(wanted_rows(m, v, VIEW_SESSIONS), body - leases);
    draw_table(m, v, VIEW_SESSIONS, f, row, sessions + 1);
    draw_table(m, v, VIEW_LEASES, f, row + sessions + 1, rows - sessions - 1);
}

static void draw_help(struct frame *f, size_t row, size_t rows)
{
    static const char *const lines[] = {
        "q, ^C       quit",
        "Tab         the other table",
        "arrows      mark another line; also j and i, PgUp, PgDn, Home, End",
        "k           kill: end the marked session, or all sessions of the marked lease",
        "r           revoke the lease: its sessions end, and nobody gets in with it again",
        "            both ask first; y is yes, any other key is no",
        "s           sort by the next column; or at once by",
        "            b bytes  t rate  n name  a age, last login  e end  c sessions",
        "o           turn the order round",
        "f           a line for each connection of the sessions, or not",
        "blank       look now",
        "h, ?        this help; any key leaves it",
        "",
        "DOWN is to the holder, UP from there; FORWARDS are the ports that are",
        "used now, R is a listener, x3 are three connections. A connection that",
        "closed between two looks is not counted whole: hence at least (>=).",
    };
    for (size_t i = 0; i < rows && i < sizeof(lines) / sizeof(lines[0]); i++)
        frame_set(f, row + i, FRAME_PLAIN, lines[i]);
}

static void draw_footer(const struct view *v, struct frame *f)
{
    char text[160];
    (void)snprintf(text, sizeof(text),
                   "q quit  ? help  Tab %s  s by %s%s  o turn  f forwards  k kill  r revoke",
                   v->focus == VIEW_SESSIONS ? "leases" : "sessions",
                   view_order_name(v->orders[v->focus]), v->reversed[v->focus] ? " -" : "");
    frame_set(f, f->rows - 1, FRAME_MARKED, text);
}

void draw(const struct model *m, struct view *v, struct frame *f)
{
    frame_clear(f);
    if (!v->batch && (f->rows < ROWS_MIN || f->columns < COLUMNS_MIN)) {
        put(f, 0, FRAME_PLAIN, v->message != NULL ? v->message : "too small");
        return;
    }
    size_t row = draw_header(m, v, f);
    row += draw_message(m, v, f, row);
    const size_t footer = v->batch || f->rows < DETAIL_FROM_ROWS ? 0 : 1;
    const size_t rows = f->rows > row + footer ? f->rows - row - footer : 0;
    if (v->help)
        draw_help(f, row, rows);
    else
        draw_tables(m, v, f, row, rows);
    if (footer > 0)
        draw_footer(v, f);
}

size_t draw_batch_rows(const struct view *v)
{
    /* Each table has half of the rows, and the heading and a sentence at least. */
    const size_t sessions = v->lines[VIEW_SESSIONS].count, leases = v->lines[VIEW_LEASES].count;
    const size_t more = sessions > leases ? sessions : leases;
    return HEADER_ROWS + 2 + 2 * (more > 3 ? more : 3);
}
