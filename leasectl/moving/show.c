/* SPDX-License-Identifier: ISC */
#include "leasectl/moving/show.h"

#include "leasectl/show/json.h"
#include "leasectl/show/table.h"
#include "lib/base/array.h"
#include "lib/base/text.h"
#include "lib/lease/authorized/allows.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const headings[] = {"LINE",         "RESULT", "LEASE", "SSHD ALLOWS",
                                       "LEASE ALLOWS", "NOTE",   NULL};

void moving_show_init(struct moving_show *s, const struct ctl *ctl, bool all)
{
    *s = (struct moving_show){.ctl = ctl, .all = all};
    table_init(&s->table, headings);
}

void moving_show_release(struct moving_show *s)
{
    table_release(&s->table);
    buf_release(&s->json);
}

/* ---- for people ---- */

/* Adds the clauses of text, which stand one a line, to out. */
static void add_clauses(const struct buf *text, const char *before, struct buf *out)
{
    const char *rest = buf_text(text), *line;
    int len;
    bool first = true;
    while ((line = text_next_line(&rest, &len)) != NULL) {
        buf_add(out, out->len > 0 ? "; " : "");
        buf_addf(out, "%s%.*s", first ? before : "", len, line);
        first = false;
    }
}

static void add_cell(struct table *t, const struct buf *text)
{
    if (buf_text(text) != NULL)
        table_add(t, buf_text(text));
    else
        t->failed = true;
}

static void add_row(struct moving_show *s, const struct move *m)
{
    struct buf today = {0}, lease = {0}, note = {0};
    char number[24];
    (void)snprintf(number, sizeof(number), "%zu", m->line);
    move_add_today(m, &today);
    move_add_lease(m, &lease);
    if (m->why.len > 0)
        buf_add(&note, buf_text(&m->why));
    if (m->result == MOVE_LEASE) {
        add_clauses(&m->lost, "no more: ", &note);
        if (s->all || m->renamed || m->is_second_key)
            add_clauses(&m->notes, "", &note);
    }
    table_add(&s->table, number);
    table_add(&s->table, move_result_name(m->result));
    table_add(&s->table, m->lease.name);
    add_cell(&s->table, &today);
    add_cell(&s->table, &lease);
    add_cell(&s->table, &note);
    buf_release(&today);
    buf_release(&lease);
    buf_release(&note);
}

/* ---- for programs ---- */

/* The lines of text as an array, which points into it: text is cut. NULL: out of memory. */
static const char **split(char *text)
{
    const char **items = NULL;
    size_t count = 0, cap = 0;
    for (char *line = text; line != NULL; count++) {
        const char **grown = array_grow(items, count, &cap, sizeof(*items), SIZE_MAX);
        if (grown == NULL) {
            free(items);
            return NULL;
        }
        items = grown;
        char *next = strchr(line, '\n');
        items[count] = next != NULL ? line : NULL;
        if (next != NULL)
            *next++ = '\0';
        line = next;
    }
    return items;
}

/* Adds the permits of sshd's, one a line. */
static void add_permits(const struct authorized_permits *permits, bool any, bool listen,
                        struct buf *out)
{
    if (any)
        buf_add(out, "any\n");
    for (size_t i = 0; i < permits->count; i++) {
        const struct authorized_permit *p = &permits->items[i];
        const bool v6 = strchr(p->host, ':') != NULL;
        if (authorized_permit_is_sentinel(p, listen) || authorized_permit_is_void(p, listen))
            continue;
        buf_addf(out, "%s%s%s:", v6 ? "[" : "", p->host, v6 ? "]" : "");
        if (p->port == 0)
            buf_add(out, "*\n");
        else
            buf_addf(out, "%u\n", p->port);
    }
}

static void add_lease_permits(const struct permit_list *list, struct buf *out)
{
    char text[PERMIT_TEXT_BYTES];
    for (size_t i = 0; i < list->count; i++) {
        permit_format(&list->items[i], text);
        buf_addf(out, "%s\n", text);
    }
}

/* Adds an object of two lists of permits, a source and an end. */
static int add_terms(struct buf *open, struct buf *listen, const char *from, int64_t end_s,
                     struct buf *out)
{
    char end[TIME_TEXT_BYTES] = "";
    int rc = -1;
    buf_add(open, "");
    buf_add(listen, "");
    if (end_s != 0)
        time_format_rfc3339(end_s, end);
    const char **opens = buf_text(open) != NULL ? split(open->data) : NULL;
    const char **listens = buf_text(listen) != NULL ? split(listen->data) : NULL;
    if (opens != NULL && listens != NULL) {
        const struct json_field fields[] = {
            {.name = "open", .texts = opens},
            {.name = "listen", .texts = listens},
            {.name = "from", .text = from},
            {.name = "until", .text = end_s != 0 ? end : NULL},
        };
        rc = json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out);
    }
    free(opens);
    free(listens);
    return rc;
}

static int add_today(const struct move *m, struct buf *out)
{
    const struct authorized_line *l = &m->today;
    struct buf open = {0}, listen = {0};
    if (l->port_forwarding) {
        add_permits(&l->open, authorized_opens_any(l), false, &open);
        add_permits(&l->listen, authorized_listens_any(l), true, &listen);
    }
    int rc = add_terms(&open, &listen, l->from, l->expires_s, out);
    buf_release(&open);
    buf_release(&listen);
    return rc;
}

static int add_lease(const struct move *m, struct buf *out)
{
    struct buf open = {0}, listen = {0}, from = {0};
    add_lease_permits(&m->lease.open, &open);
    add_lease_permits(&m->lease.listen, &listen);
    source_list_format(&m->lease.from, &from);
    int rc =
        add_terms(&open, &listen, from.len > 0 ? buf_text(&from) : NULL, m->lease.expires_s, out);
    buf_release(&open);
    buf_release(&listen);
    buf_release(&from);
    return rc;
}

static int add_object(const struct move *m, struct buf *out)
{
    const bool is_key = m->today.kind == AUTHORIZED_KEY;
    const bool is_lease = m->result == MOVE_LEASE || m->result == MOVE_THERE;
    struct buf today = {0}, lease = {0}, lost = {0}, notes = {0};
    int rc = -1;
    buf_add(&lost, m->result == MOVE_LEASE ? buf_text(&m->lost) : "");
    buf_add(&notes, m->result == MOVE_LEASE ? buf_text(&m->notes) : "");
    const char **losses = buf_text(&lost) != NULL ? split(lost.data) : NULL;
    const char **others = buf_text(&notes) != NULL ? split(notes.data) : NULL;
    if (losses != NULL && others != NULL && (!is_key || add_today(m, &today) == 0) &&
        (!is_lease || add_lease(m, &lease) == 0)) {
        const struct json_field fields[] = {
            {.name = "line", .is_number = true, .number = (int64_t)m->line},
            {.name = "result", .text = move_result_name(m->result)},
            {.name = "fingerprint", .text = is_key ? m->today.key.fingerprint : NULL},
            {.name = "name", .text = is_lease ? m->lease.name : NULL},
            {.name = "id", .is_number = m->lease.id != 0, .number = m->lease.id},
            {.name = "today", .object = is_key ? buf_text(&today) : NULL},
            {.name = "lease", .object = is_lease ? buf_text(&lease) : NULL},
            {.name = "why", .text = m->why.len > 0 ? buf_text(&m->why) : NULL},
            {.name = "lost", .texts = losses},
            {.name = "notes", .texts = others},
        };
        rc = json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out);
    }
    free(losses);
    free(others);
    buf_release(&today);
    buf_release(&lease);
    buf_release(&lost);
    buf_release(&notes);
    return rc;
}

void moving_show_line(void *ctx, const struct move *m)
{
    struct moving_show *s = ctx;
    const bool is_kept =
        m->result == MOVE_LEASE && m->lost.len == 0 && !m->renamed && !m->is_second_key;
    if (m->result == MOVE_NOTHING)
        return;
    if (s->ctl->json) {
        buf_add(&s->json, s->json.len > 0 ? ",\n" : "");
        if (add_object(m, &s->json) != 0)
            s->json.failed = true;
    } else if (s->all || !is_kept) {
        add_row(s, m);
    }
}

/* ---- the end ---- */

/* Adds "2 dead, 1 over". */
static void add_counts(const struct moving *m, struct buf *out)
{
    static const enum move_result skipped[] = {MOVE_DEAD, MOVE_OVER, MOVE_REPEATED, MOVE_CLOSED};
    const size_t start = out->len;
    for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
        if (m->counts[skipped[i]] > 0)
            buf_addf(out, "%s%zu %s", out->len > start ? ", " : "", m->counts[skipped[i]],
                     skipped[i] == MOVE_CLOSED ? "without a port" : move_result_name(skipped[i]));
}

static void add_summary(const struct moving *m, struct buf *out)
{
    const size_t leases = m->counts[MOVE_LEASE] - m->second_keys, there = m->counts[MOVE_THERE];
    const size_t left_out = m->counts[MOVE_REFUSED] + m->counts[MOVE_CONFLICT];
    struct buf skipped = {0};
    buf_addf(out, "%s %zu lease%s on login '%s'", m->dry_run ? "would import" : "imported", leases,
             leases == 1 ? "" : "s", m->terms.login);
    if (m->second_keys > 0)
        buf_addf(out, " and %zu more key%s of them", m->second_keys,
                 m->second_keys == 1 ? "" : "s");
    if (there > 0)
        buf_addf(out, ", %zu %s there already", there, there == 1 ? "is" : "are");
    add_counts(m, &skipped);
    if (skipped.len > 0)
        buf_addf(out, ", skipped %s", buf_text(&skipped));
    buf_addf(out, ", left out %zu that let%s somebody in", left_out, left_out == 1 ? "s" : "");
    buf_release(&skipped);
}

static int show_json(struct moving_show *s, const struct moving *m)
{
    struct json_field fields[5 + MOVE_RESULT__MAX] = {
        {.name = "file", .text = m->file},
        {.name = "login", .text = m->terms.login},
        {.name = "dry_run", .is_bool = true, .number = m->dry_run},
        {.name = "lines", .objects = buf_text(&s->json)},
        {.name = "count", .is_number = true, .number = (int64_t)m->lines},
    };
    for (int i = 0; i < MOVE_RESULT__MAX; i++)
        fields[5 + i] = (struct json_field){.name = move_result_name((enum move_result)i),
                                            .is_number = true,
                                            .number = (int64_t)m->counts[i]};
    return buf_text(&s->json) != NULL
               ? show_json_object(s->ctl, fields, sizeof(fields) / sizeof(fields[0]))
               : ctl_error(s->ctl, EXIT_FAILED, "out of memory");
}

int moving_show_end(struct moving_show *s, const struct moving *m, bool complete)
{
    struct buf summary = {0};
    int code = EXIT_DONE;
    if (s->ctl->json)
        return complete ? show_json(s, m) : EXIT_DONE;
    if (s->table.cell_count > 0 || s->table.failed)
        code = table_show(s->ctl, &s->table);
    if (complete) {
        add_summary(m, &summary);
        text_print(stdout, "%s", buf_text_or(&summary, "out of memory"));
    }
    buf_release(&summary);
    return code;
}
