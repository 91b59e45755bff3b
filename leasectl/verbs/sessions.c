/* SPDX-License-Identifier: ISC */
/* leasectl sessions: who is connected, with which lease, and what goes through. */
#include "leasectl/show/json.h"
#include "leasectl/ctl.h"
#include "leasectl/sessions/choose.h"
#include "leasectl/show/bytes.h"
#include "leasectl/show/session.h"
#include "leasectl/show/table.h"
#include "leasectl/traffic/traffic.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/lease/time_text.h"
#include "lib/wire/json.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const headings[] = {"LEASE",     "LOGIN",    "FROM", "SINCE", "PID",
                                       "LISTENERS", "FORWARDS", "DOWN", "UP",    NULL};
static const char *const forward_headings[] = {"LEASE", "LOGIN", "FROM", "PID",  "FORWARD",
                                               "PEER",  "DOWN",  "UP",   "IDLE", NULL};

struct request {
    struct session_choice choice;
    uint16_t port;   /* 0: any */
    bool by_forward; /* a row for each connection */
};

struct view {
    struct ctl *ctl;
    const struct request *req;
    const struct traffic *traffic;
    struct table table;
    struct buf json;
    unsigned count;
};

/* One session, with what --port leaves of its forwards. */
struct shown {
    const struct session *session;
    bool seen; /* all its sockets are */
    const struct session_socket *listeners;
    size_t listener_count;
    const struct forward *all; /* its forwards */
    size_t all_count;
    struct forward *forwards; /* those that are counted; owned */
    size_t count;
    struct traffic_sum sum;
};

/* The addresses of a session as JSON has them, for JSON and for a cell. The caller frees it; it
 * ends with NULL. NULL: out of memory. */
static const char **addresses_of(const struct shown *s, bool listening)
{
    const size_t count = listening ? s->listener_count : s->all_count;
    const char **texts = calloc(count + 1, sizeof(*texts));
    for (size_t i = 0; texts != NULL && i < count; i++)
        texts[i] = listening ? s->listeners[i].local : s->all[i].peer;
    return texts;
}

/* "?" where there may be some that cannot be seen. */
static void add_addresses(struct table *t, const struct shown *s, const char *const *texts)
{
    struct buf text = {0};
    for (size_t i = 0; texts[i] != NULL; i++)
        buf_addf(&text, "%s%s", i > 0 ? " " : "", texts[i]);
    const char *cell = s->seen ? buf_text(&text) : "?";
    table_add(t, cell != NULL ? cell : "?");
    buf_release(&text);
}

static void add_bytes(const struct view *v, struct table *t, bool is_known, uint64_t bytes)
{
    char text[BYTES_TEXT_BYTES] = "?";
    if (is_known && v->ctl->terminal)
        bytes_format(bytes, text);
    else if (is_known)
        (void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
    table_add(t, text);
}

static void add_row(struct view *v, const struct shown *s, const char *const *listeners,
                    const char *const *forwards)
{
    char since[TIME_TEXT_BYTES], pid[16];
    struct table *t = &v->table;
    if (v->ctl->terminal)
        time_format_local(s->session->since_s, since);
    else
        time_format_rfc3339(s->session->since_s, since);
    (void)snprintf(pid, sizeof(pid), "%d", (int)s->session->pid);
    table_add(t, s->session->lease);
    table_add(t, s->session->login);
    table_add(t, s->session->source);
    table_add(t, since);
    table_add(t, pid);
    add_addresses(t, s, listeners);
    add_addresses(t, s, forwards);
    add_bytes(v, t, s->sum.is_known, s->sum.down);
    add_bytes(v, t, s->sum.is_known, s->sum.up);
}

/* A row for each connection. */
static void add_forward_rows(struct view *v, const struct shown *s)
{
    struct table *t = &v->table;
    for (size_t i = 0; i < s->count; i++) {
        const struct forward *f = &s->forwards[i];
        char pid[16], what[SOCKET_TEXT_BYTES + 4], idle[DURATION_TEXT_BYTES] = "?";
        (void)snprintf(pid, sizeof(pid), "%d", (int)s->session->pid);
        (void)snprintf(what, sizeof(what), "%s %s", f->accepted ? "-R" : "-L",
                       f->accepted ? f->local : f->peer);
        if (f->has_bytes && v->ctl->terminal)
            duration_format(f->idle_ms / 1000, idle);
        else if (f->has_bytes)
            (void)snprintf(idle, sizeof(idle), "%" PRId64, f->idle_ms / 1000);
        table_add(t, s->session->lease);
        table_add(t, s->session->login);
        table_add(t, s->session->source);
        table_add(t, pid);
        table_add(t, what);
        table_add(t, f->accepted ? f->peer : "");
        add_bytes(v, t, f->has_bytes, f->down);
        add_bytes(v, t, f->has_bytes, f->up);
        table_add(t, idle);
    }
}

static struct json_field bytes_field(const char *name, bool is_known, uint64_t bytes)
{
    return (struct json_field){.name = name, .is_number = is_known, .number = (int64_t)bytes};
}

static void add_connections(const struct shown *s, struct buf *out)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct forward *f = &s->forwards[i];
        const struct json_field fields[] = {
            {.name = "kind", .text = f->accepted ? "listen" : "open"},
            {.name = "listener", .text = f->accepted ? f->local : NULL},
            {.name = "peer", .text = f->peer},
            bytes_field("bytes_down", f->has_bytes, f->down),
            bytes_field("bytes_up", f->has_bytes, f->up),
            {.name = "idle_s", .is_number = f->has_bytes, .number = f->idle_ms / 1000}};
        buf_add(out, i > 0 ? "," : "");
        (void)json_object_line(fields, sizeof(fields) / sizeof(fields[0]), out);
    }
}

static void add_json(struct view *v, const struct shown *s, const char *const *listeners,
                     const char *const *forwards)
{
    char since[TIME_TEXT_BYTES];
    struct buf connections = {0};
    add_connections(s, &connections);
    struct json_field fields[] = {
        [SESSION_JSON_FIELDS] = {.name = "listeners", .texts = listeners},
        {.name = "forwards", .texts = forwards},
        {.name = "connections", .objects = s->seen ? buf_text(&connections) : NULL},
        bytes_field("bytes_down", s->sum.is_known, s->sum.down),
        bytes_field("bytes_up", s->sum.is_known, s->sum.up)};
    session_json_fields(s->session, since, fields);
    if (v->count++ > 0)
        buf_add(&v->json, ",\n");
    (void)json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &v->json);
    v->json.failed = v->json.failed || connections.failed;
    buf_release(&connections);
}

static bool listens_on(const struct shown *s, uint16_t port)
{
    for (size_t i = 0; i < s->listener_count; i++)
        if (s->listeners[i].port == port)
            return true;
    return false;
}

/* Fills in what --port leaves. False: this session is not shown, or there is no memory. */
static bool choose_forwards(const struct request *req, struct shown *s)
{
    s->forwards = calloc(s->all_count + 1, sizeof(*s->forwards));
    for (size_t i = 0; s->forwards != NULL && i < s->all_count; i++)
        if (req->port == 0 || s->all[i].port == req->port)
            s->forwards[s->count++] = s->all[i];
    s->sum = traffic_sum_of(s->forwards, s->forwards != NULL ? s->count : 0, s->seen);
    return s->forwards != NULL && (req->port == 0 || s->count > 0 || listens_on(s, req->port));
}

static void add_session(struct view *v, const struct session *session, bool seen)
{
    struct shown s = {.session = session, .seen = seen};
    s.listeners = traffic_listeners_of(v->traffic, session->pid, &s.listener_count);
    s.all = traffic_of(v->traffic, session->pid, &s.all_count);
    const bool wanted = choose_forwards(v->req, &s);
    const char **listeners = addresses_of(&s, true), **forwards = addresses_of(&s, false);
    if (s.forwards == NULL || listeners == NULL || forwards == NULL)
        v->table.failed = v->json.failed = true;
    else if (wanted && v->ctl->json)
        add_json(v, &s, listeners, forwards);
    else if (wanted && v->req->by_forward)
        add_forward_rows(v, &s);
    else if (wanted)
        add_row(v, &s, listeners, forwards);
    free(listeners);
    free(forwards);
    free(s.forwards);
}

static void warn_unseen(const struct ctl *ctl, const struct session_list *list,
                        const struct traffic *t)
{
    const size_t unseen = t->sockets.unseen;
    if (geteuid() != 0)
        ctl_warn(ctl, "only root sees listeners, forwards and their bytes: sudo leasectl sessions");
    else if (unseen > 0)
        ctl_warn(ctl, "the listeners and forwards of %zu session%s cannot be seen: %s", unseen,
                 unseen == 1 ? "" : "s",
                 list->unseen > 0 ? session_unseen_reason(list->unseen_why)
                                  : "their processes in /proc cannot be read");
    if (geteuid() == 0 && t->why_no_bytes != 0)
        ctl_warn(ctl,
                 "the bytes of the forwards are unknown: the kernel does not tell its "
                 "counters (sock_diag): %s",
                 strerror(t->why_no_bytes));
}

static int show(struct ctl *ctl, const struct request *req, const struct session_list *list,
                const struct traffic *t)
{
    struct view v = {.ctl = ctl, .req = req, .traffic = t};
    table_init(&v.table, req->by_forward ? forward_headings : headings);
    for (size_t i = 0; i < list->count; i++)
        add_session(&v, &list->items[i], t->sockets.seen[i]);
    int code = ctl->json ? show_json_array(ctl, &v.json) : table_show(ctl, &v.table);
    table_release(&v.table);
    buf_release(&v.json);
    return code;
}

static int take_options(struct ctl *ctl, int argc, char **argv, struct request *ret)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {"forwards", no_argument, NULL, 'f'},
                                            {NULL, 0, NULL, 0}};
    int64_t port = 0;
    int opt;
    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'f')
            ret->by_forward = true;
        else if (opt != 'p')
            return EXIT_USAGE;
        else if (!number_parse(optarg, strlen(optarg), 1, UINT16_MAX, &port))
            return ctl_error(ctl, EXIT_USAGE, "--port '%s' is no port from 1 to 65535",
                             text_clip(optarg).s);
    ret->port = (uint16_t)port;
    if (argc - optind > 1)
        return ctl_usage(ctl, "sessions takes one NAME, or none for all");
    return EXIT_DONE;
}

int cmd_sessions(struct ctl *ctl, int argc, char **argv)
{
    struct request req = {.port = 0};
    struct session_list list = {0};
    struct traffic traffic = {.forward_count = 0};
    int code = take_options(ctl, argc, argv, &req);
    if (code == EXIT_DONE && optind < argc)
        code = sessions_choose_lease(ctl, argv[optind], &req.choice.lease_id);
    if (code == EXIT_DONE)
        code = sessions_read_chosen(ctl, &req.choice, &list);
    if (code == EXIT_DONE && traffic_read(&list, &traffic) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "cannot read the sockets of the sessions: %s",
                         strerror(errno));
    if (code == EXIT_DONE) {
        warn_unseen(ctl, &list, &traffic);
        code = show(ctl, &req, &list, &traffic);
    }
    traffic_release(&traffic);
    session_list_release(&list);
    return code;
}
