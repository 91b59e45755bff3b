/* SPDX-License-Identifier: ISC */
#include "leasectl/rehearsal/forecast.h"

#include "leasectl/show/json.h"
#include "leasectl/show/session.h"
#include "leasectl/show/table.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DETAIL_BYTES = 512, UNREGISTERED_PIDS_MAX = 24, UNKNOWN_MAX = 32 };

static const char *const headings[] = {"WOULD", "LEASE", "LOGIN", "FROM",
                                       "SINCE", "PID",   "WHY",   NULL};

/* ---- who uses a session ---- */

static bool listens_on(const struct forecast *f, const struct session_socket *s)
{
    for (size_t i = 0; i < f->sockets.count; i++)
        if (f->sockets.items[i].pid == s->pid && f->sockets.items[i].listening &&
            f->sockets.items[i].port == s->port)
            return true;
    return false;
}

/* The session that has the other end, or NULL: it comes through no session of this host. */
static const struct session *session_at_other_end(const struct forecast *f,
                                                  const struct session_socket *s)
{
    pid_t pid = 0;
    for (size_t i = 0; i < f->sockets.count && pid == 0; i++)
        if (sockets_are_one_connection(s, &f->sockets.items[i]))
            pid = f->sockets.items[i].pid;
    for (size_t i = 0; pid != 0 && i < f->live.count; i++)
        if (f->live.items[i].pid == pid)
            return &f->live.items[i];
    return NULL;
}

/* ---- a table ---- */

static void add_row(struct table *t, const char *const cells[7])
{
    for (size_t i = 0; i < 7; i++)
        table_add(t, cells[i]);
}

static void add_change_rows(struct table *t, const struct found_change *c)
{
    const char *rest = buf_text(&c->details), *line;
    int len;
    bool any = false;
    while ((line = text_next_line(&rest, &len)) != NULL) {
        char detail[DETAIL_BYTES];
        (void)snprintf(detail, sizeof(detail), "%.*s", len, line);
        add_row(t, (const char *const[]){c->what, c->lease, c->login, "", "", "", detail});
        any = true;
    }
    if (!any)
        add_row(t, (const char *const[]){c->what, c->lease, c->login, "", "", "", ""});
}

static void add_user_rows(struct table *t, const struct forecast *f, const struct session *s)
{
    char detail[DETAIL_BYTES];
    for (size_t i = 0; i < f->sockets.count; i++) {
        const struct session_socket *socket = &f->sockets.items[i];
        if (socket->pid != s->pid || socket->listening)
            continue;
        if (!listens_on(f, socket)) {
            (void)snprintf(detail, sizeof(detail), "an open forward to %s", socket->remote);
            add_row(t, (const char *const[]){"cut", s->lease, s->login, "", "", "", detail});
            continue;
        }
        const struct session *by = session_at_other_end(f, socket);
        if (by != NULL)
            (void)snprintf(detail, sizeof(detail), "a connection to %s, by '%s' (pid %d)",
                           socket->local, by->lease, (int)by->pid);
        else
            (void)snprintf(detail, sizeof(detail), "a connection to %s", socket->local);
        add_row(t,
                (const char *const[]){"cut", s->lease, s->login, socket->remote, "", "", detail});
    }
}

static void add_session_rows(struct table *t, const struct forecast *f, size_t i, bool terminal)
{
    const struct session *s = &f->ending.items[i];
    const bool seen = s->sight == SESSION_LIVE;
    char since[TIME_TEXT_BYTES], pid[16], why[DETAIL_BYTES];
    if (terminal)
        time_format_local(s->since_s, since);
    else
        time_format_rfc3339(s->since_s, since);
    (void)snprintf(pid, sizeof(pid), "%d", (int)s->pid);
    (void)snprintf(why, sizeof(why), "%s%s%s%s", f->reasons[i],
                   f->own != NULL && f->own[i] ? "; your own connection runs through it" : "",
                   seen ? "" : "; it may be up, and cannot be ended: ",
                   seen ? "" : session_unseen_reason(s->unseen_why));
    add_row(t, (const char *const[]){seen ? "end" : "keep", s->lease, s->login, s->source, since,
                                     pid, why});
    add_user_rows(t, f, s);
}

static void add_unregistered_rows(struct table *t, const struct forecast *f)
{
    const char *rest = buf_text(&f->unregistered), *line;
    int len;
    while ((line = text_next_line(&rest, &len)) != NULL) {
        char login[SESSION_LOGIN_BYTES], pids[DETAIL_BYTES];
        int login_len = (int)strcspn(line, "\t");
        (void)snprintf(login, sizeof(login), "%.*s", login_len, line);
        (void)snprintf(pids, sizeof(pids), "%.*s", len - login_len - 1, line + login_len + 1);
        add_row(t,
                (const char *const[]){"keep", "?", login, "", "", pids,
                                      "not made through pam_tunnel: nobody can tell whose it is"});
    }
}

static int print_table(const struct ctl *ctl, const struct forecast *f)
{
    struct table t;
    table_init(&t, headings);
    for (size_t i = 0; i < f->change_count; i++)
        add_change_rows(&t, &f->changes[i]);
    for (size_t i = 0; i < f->ending.count; i++)
        add_session_rows(&t, f, i, ctl->terminal);
    add_unregistered_rows(&t, f);
    int code = table_show(ctl, &t);
    table_release(&t);
    if (ctl->terminal)
        (void)printf("%snothing was changed: a dry run\n", f->sessions_known && f->ending.count == 0
                                                               ? "no live session would end; "
                                                               : "");
    return code;
}

/* ---- JSON ---- */

static void add_item(struct buf *array, const struct json_field *fields, size_t count)
{
    if (array->len > 0)
        buf_add(array, ",");
    if (json_object_line(fields, count, array) != 0)
        array->failed = true;
}

static const char *json_or_null(const struct buf *json)
{
    return json->len > 0 ? buf_text(json) : NULL;
}

static void add_change_item(struct buf *array, const struct found_change *c)
{
    const struct json_field fields[] = {{.name = "what", .text = c->what},
                                        {.name = "lease", .text = c->lease[0] ? c->lease : NULL},
                                        {.name = "login", .text = c->login},
                                        {.name = "before", .object = json_or_null(&c->before)},
                                        {.name = "after", .object = json_or_null(&c->after)}};
    add_item(array, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_client_item(struct buf *array, const struct forecast *f,
                            const struct session_socket *s)
{
    const struct session *by = session_at_other_end(f, s);
    const struct json_field fields[] = {
        {.name = "listener", .text = s->local},
        {.name = "from", .text = s->remote},
        {.name = "lease", .text = by != NULL ? by->lease : NULL},
        {.name = "pid", .is_number = by != NULL, .number = by != NULL ? by->pid : 0}};
    add_item(array, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_session_item(struct buf *array, const struct forecast *f, size_t i)
{
    const struct session *s = &f->ending.items[i];
    const char **listeners = calloc(f->sockets.count + 1, sizeof(*listeners));
    const char **forwards = calloc(f->sockets.count + 1, sizeof(*forwards));
    struct buf clients = {0};
    char since[TIME_TEXT_BYTES];
    size_t listener_count = 0, forward_count = 0;
    for (size_t k = 0; listeners != NULL && forwards != NULL && k < f->sockets.count; k++) {
        const struct session_socket *socket = &f->sockets.items[k];
        if (socket->pid != s->pid)
            continue;
        if (socket->listening)
            listeners[listener_count++] = socket->local;
        else if (listens_on(f, socket))
            add_client_item(&clients, f, socket);
        else
            forwards[forward_count++] = socket->remote;
    }
    struct json_field fields[] = {
        [SESSION_JSON_FIELDS] = {.name = "reason", .text = f->reasons[i]},
        {.name = "own", .is_bool = f->own != NULL, .number = f->own != NULL && f->own[i]},
        {.name = "listeners", .texts = listeners},
        {.name = "clients", .objects = buf_text(&clients)},
        {.name = "forwards", .texts = forwards}};
    session_json_fields(s, since, fields);
    if (listeners == NULL || forwards == NULL)
        array->failed = true;
    add_item(array, fields, sizeof(fields) / sizeof(fields[0]));
    buf_release(&clients);
    free(listeners);
    free(forwards);
}

/* Splits text at each separator, in place, into at most max pieces and a NULL. */
static void split(char *text, const char *separator, const char *pieces[], size_t max)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *piece = strtok_r(text, separator, &rest); piece != NULL && n < max;
         piece = strtok_r(NULL, separator, &rest))
        pieces[n++] = piece;
    pieces[n] = NULL;
}

static void add_unregistered_items(struct buf *array, const struct forecast *f)
{
    const char *rest = buf_text(&f->unregistered), *line;
    int len;
    while ((line = text_next_line(&rest, &len)) != NULL) {
        char text[DETAIL_BYTES];
        const char *words[UNREGISTERED_PIDS_MAX + 2];
        (void)snprintf(text, sizeof(text), "%.*s", len, line);
        split(text, "\t ", words, UNREGISTERED_PIDS_MAX + 1);
        const struct json_field fields[] = {{.name = "login", .text = words[0]},
                                            {.name = "pids", .texts = words + 1}};
        add_item(array, fields, 2);
    }
}

static int print_json(const struct ctl *ctl, const struct forecast *f)
{
    struct buf changes = {0}, sessions = {0}, unregistered = {0};
    const char *unknown[UNKNOWN_MAX + 1] = {NULL};
    char *lines = buf_text(&f->unknown) != NULL ? strdup(buf_text(&f->unknown)) : NULL;
    for (size_t i = 0; i < f->change_count; i++)
        add_change_item(&changes, &f->changes[i]);
    for (size_t i = 0; i < f->ending.count; i++)
        add_session_item(&sessions, f, i);
    add_unregistered_items(&unregistered, f);
    if (lines != NULL)
        split(lines, "\n", unknown, UNKNOWN_MAX);
    const struct json_field fields[] = {
        {.name = "command", .text = ctl->verb},
        {.name = "changes", .objects = buf_text(&changes)},
        {.name = "sessions", .objects = f->sessions_known ? buf_text(&sessions) : NULL},
        {.name = "own_connection",
         .is_bool = f->own_sight != SIGHT_CANNOT_TELL,
         .number = f->own_sight == SIGHT_IS},
        {.name = "unregistered", .objects = buf_text(&unregistered)},
        {.name = "unknown", .texts = unknown}};
    const bool failed = lines == NULL || changes.failed || sessions.failed || unregistered.failed;
    int code = failed ? ctl_error(ctl, EXIT_FAILED, "out of memory")
                      : show_json_object(ctl, fields, sizeof(fields) / sizeof(fields[0]));
    buf_release(&changes);
    buf_release(&sessions);
    buf_release(&unregistered);
    free(lines);
    return code;
}

int forecast_print(struct ctl *ctl, const struct forecast *f)
{
    const char *rest = buf_text(&f->unknown), *line;
    int len, code = EXIT_DONE;
    if (ctl->json)
        code = print_json(ctl, f);
    else
        code = print_table(ctl, f);
    while ((line = text_next_line(&rest, &len)) != NULL)
        code = ctl_error(ctl, EXIT_FAILED, "cannot tell %.*s", len, line);
    return code;
}

void forecast_release(struct forecast *f)
{
    for (size_t i = 0; i < f->change_count; i++) {
        buf_release(&f->changes[i].details);
        buf_release(&f->changes[i].before);
        buf_release(&f->changes[i].after);
    }
    free(f->changes);
    free((void *)(uintptr_t)f->reasons);
    free(f->own);
    session_list_release(&f->live);
    session_list_release(&f->ending);
    socket_list_release(&f->sockets);
    buf_release(&f->unregistered);
    buf_release(&f->unknown);
}
