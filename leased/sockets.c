/* SPDX-License-Identifier: ISC */
#include "leased/sockets.h"

#include "leased/engine/notify.h"
#include "leased/join_socket.h"
#include "leased/own_socket.h"
#include "leased/passed_socket.h"
#include "leased/watch/events.h"
#include "lib/base/log.h"

#include <grp.h>

int sockets_check(const struct conf *conf)
{
    for (size_t i = 0; i < conf->listen_count; i++) {
        const struct conf_listener *l = &conf->listen[i];
        if (l->proxy_group[0] == '\0' || getgrnam(l->proxy_group) != NULL)
            continue;
        log_error("Listen unix:%s proxy %s: there is no such group", l->unix_path, l->proxy_group);
        return -1;
    }
    return 0;
}

static void add_listener(struct sockets *s, const struct conf *conf, const struct conf_listener *l,
                         int fd)
{
    s->items[s->count++] = (struct http_listener){
        .fd = fd,
        .on_metrics_listen = l == &conf->metrics_listen,
        .proxy = l->proxy_group[0] != '\0' ? conf->proxy_header : PROXY_HEADER_NONE};
}

static void add_join_socket(struct sockets *s, int fd)
{
    if (fd >= 0)
        s->items[s->count++] = (struct http_listener){.fd = fd, .on_join_socket = true};
}

static int open_own(struct sockets *s, const struct conf *conf, const struct conf_listener *l)
{
    int fd = own_socket_open(l);
    if (fd < 0)
        return -1;
    add_listener(s, conf, l, fd);
    return 0;
}

/* The first that leased-join.socket has named; passed: there is none. */
static size_t find_join_socket(size_t passed)
{
    size_t i = 0;
    while (i < passed && !notify_listen_fd_is(i, "join"))
        i++;
    return i;
}

static int match_passed(struct sockets *s, const struct conf *conf, size_t passed)
{
    const size_t named = conf->listen_count + (conf->has_metrics_listen ? 1 : 0);
    const size_t join = find_join_socket(passed);
    if (join < passed)
        add_join_socket(s, join_socket_take(conf, NOTIFY_FIRST_FD + (int)join));
    else
        join_socket_warn_none_passed(conf);
    for (size_t i = 0; i < passed; i++) {
        const int fd = NOTIFY_FIRST_FD + (int)i;
        if (i == join)
            continue;
        const struct conf_listener *l =
            passed_socket_match(conf, fd, notify_listen_fd_is(i, "metrics"));
        if (l == NULL)
            return -1;
        add_listener(s, conf, l, fd);
    }
    if (passed - (join < passed ? 1 : 0) >= named)
        return 0;
    /* We cannot open the missing ones: with PrivateNetwork= nobody could reach them. */
    log_event(&event_sockets_differ, NULL,
              "systemd passed %zu of the %zu sockets that Listen and MetricsListen name: give "
              "each a ListenStream in leased.socket, and that of a proxy a socket unit of its "
              "own, with Service=leased.service; that of MetricsListen may come from "
              "leased-metrics.socket",
              passed - (join < passed ? 1 : 0), named);
    return -1;
}

static int open_all(const struct conf *conf, struct sockets *ret)
{
    const int passed = notify_listen_fds();
    if (passed < 0) {
        log_error("LISTEN_FDS is not a number of sockets: start leased by its unit, or unset "
                  "LISTEN_FDS and LISTEN_PID");
        return -1;
    }
    if (passed > SOCKETS_MAX) {
        log_error("systemd passed %d sockets, and leased takes at most %d: remove lines of "
                  "ListenStream from leased.socket",
                  passed, SOCKETS_MAX);
        return -1;
    }
    ret->from_systemd = passed > 0;
    if (passed > 0)
        return match_passed(ret, conf, (size_t)passed);
    for (size_t i = 0; i < conf->listen_count; i++)
        if (open_own(ret, conf, &conf->listen[i]) != 0)
            return -1;
    if (conf->has_metrics_listen && open_own(ret, conf, &conf->metrics_listen) != 0)
        return -1;
    if (conf->join_login[0] != '\0')
        add_join_socket(ret, join_socket_open(conf));
    return 0;
}

int sockets_open(const struct conf *conf, struct sockets *ret)
{
    int rc = open_all(conf, ret);
    notify_forget_fds();
    return rc;
}

void sockets_warn_of_join(const struct sockets *s, const struct conf *conf)
{
    size_t i = 0;
    while (i < s->count && !s->items[i].on_join_socket)
        i++;
    if (i == s->count && conf->join_login[0] != '\0')
        log_event(&event_cannot_join, NULL,
                  "nobody can join: JoinLogin is set, and its socket is opened when leased starts: "
                  "restart leased, which ends no tunnel");
}
