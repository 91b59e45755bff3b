/* SPDX-License-Identifier: ISC */
/* leasectl sessions: who is connected, and with which lease. */
#include "leasectl/show/json.h"
#include "leasectl/ctl.h"
#include "leasectl/sessions/choose.h"
#include "leasectl/show/session.h"
#include "leasectl/show/table.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/lease/time_text.h"
#include "lib/session/sockets.h"
#include "lib/wire/json.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const headings[] = {"LEASE", "LOGIN",     "FROM",     "SINCE",
                                       "PID",   "LISTENERS", "FORWARDS", NULL};

struct view {
    struct ctl *ctl;
    struct table table;
    struct buf json;
    const struct socket_list *sockets;
    unsigned count;
};

/* The addresses of one session: those that it listens on, or the far ends of its forwards. *ret
 * ends with NULL, and the caller frees it; NULL: out of memory. */
static void collect_addresses(const struct socket_list *sockets, pid_t pid, bool listening,
                              const char ***ret, size_t *ret_count)
{
    const char **texts = calloc(sockets->count + 1, sizeof(*texts));
    size_t n = 0;
    for (size_t i = 0; texts != NULL && i < sockets->count; i++)
        if (sockets->items[i].pid == pid && sockets->items[i].listening == listening)
            texts[n++] = listening ? sockets->items[i].local : sockets->items[i].remote;
    *ret = texts;
    *ret_count = n;
}

static void join_addresses(const char *const *texts, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++)
        buf_addf(out, "%s%s", i > 0 ? " " : "", texts[i]);
}

/* "?" for a session that cannot be seen: it may have some. */
static const char *cell_text(const struct session *s, const struct buf *text)
{
    return s->sight == SESSION_LIVE && buf_text(text) != NULL ? buf_text(text) : "?";
}

static void add_session(struct view *v, const struct session *s)
{
    char since[TIME_TEXT_BYTES], pid[16];
    const char **listeners = NULL, **forwards = NULL;
    size_t listener_count, forward_count;
    struct buf text = {0};

    collect_addresses(v->sockets, s->pid, true, &listeners, &listener_count);
    collect_addresses(v->sockets, s->pid, false, &forwards, &forward_count);
    if (listeners == NULL || forwards == NULL)
        goto out;
    (void)snprintf(pid, sizeof(pid), "%d", (int)s->pid);
    if (v->ctl->json) {
        struct json_field fields[] = {
            [SESSION_JSON_FIELDS] = {.name = "listeners", .texts = listeners},
            {.name = "forwards", .texts = forwards}};
        session_json_fields(s, since, fields);
        if (v->count++ > 0)
            buf_add(&v->json, ",\n");
        (void)json_object_line(fields, sizeof(fields) / sizeof(fields[0]), &v->json);
        goto out;
    }
    if (v->ctl->terminal)
        time_format_local(s->since_s, since);
    else
        time_format_rfc3339(s->since_s, since);
    table_add(&v->table, s->lease);
    table_add(&v->table, s->login);
    table_add(&v->table, s->source);
    table_add(&v->table, since);
    table_add(&v->table, pid);
    if (s->sight == SESSION_LIVE)
        join_addresses(listeners, listener_count, &text);
    table_add(&v->table, cell_text(s, &text));
    buf_clear(&text);
    if (s->sight == SESSION_LIVE)
        join_addresses(forwards, forward_count, &text);
    table_add(&v->table, cell_text(s, &text));
out:
    buf_release(&text);
    free(listeners);
    free(forwards);
}

static bool listens_on(const struct socket_list *sockets, pid_t pid, uint16_t port)
{
    for (size_t i = 0; i < sockets->count; i++)
        if (sockets->items[i].pid == pid && sockets->items[i].listening &&
            sockets->items[i].port == port)
            return true;
    return false;
}

int cmd_sessions(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"port", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    struct session_choice choice = {.lease_id = 0};
    struct session_list list = {0};
    struct socket_list sockets = {0};
    struct view v = {.ctl = ctl, .sockets = &sockets};
    int64_t port = 0;
    int opt, code = EXIT_DONE;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt != 'p')
            return EXIT_USAGE;
        else if (!number_parse(optarg, strlen(optarg), 1, UINT16_MAX, &port))
            return ctl_error(ctl, EXIT_USAGE, "--port '%s' is no port from 1 to 65535",
                             text_clip(optarg).s);
    if (argc - optind > 1)
        return ctl_usage(ctl, "sessions takes one NAME, or none for all");
    if (optind < argc)
        code = sessions_choose_lease(ctl, argv[optind], &choice.lease_id);
    if (code == EXIT_DONE)
        code = sessions_read_chosen(ctl, &choice, &list);
    if (code == EXIT_DONE && sockets_read(&list, &sockets) != 0)
        code = ctl_error(ctl, EXIT_FAILED, "cannot read the sockets of the sessions: %s",
                         strerror(errno));
    if (code == EXIT_DONE && geteuid() != 0)
        ctl_warn(ctl, "only root sees listeners and forwards: sudo leasectl sessions");
    else if (code == EXIT_DONE && sockets.unseen > 0)
        ctl_warn(ctl, "the listeners and forwards of %zu session%s cannot be seen: %s",
                 sockets.unseen, sockets.unseen == 1 ? "" : "s",
                 list.unseen > 0 ? session_unseen_reason(list.unseen_why)
                                 : "their processes in /proc cannot be read");
    table_init(&v.table, headings);
    for (size_t i = 0; code == EXIT_DONE && i < list.count; i++)
        if (port == 0 || listens_on(&sockets, list.items[i].pid, (uint16_t)port))
            add_session(&v, &list.items[i]);
    if (code == EXIT_DONE && ctl->json)
        code = show_json_array(ctl, &v.json);
    else if (code == EXIT_DONE)
        code = table_show(ctl, &v.table);
    table_release(&v.table);
    buf_release(&v.json);
    socket_list_release(&sockets);
    session_list_release(&list);
    return code;
}
