/* SPDX-License-Identifier: ISC */
#include "leased/passed_socket.h"

#include "leased/socket_address.h"
#include "leased/watch/events.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* A socket for a proxy is for its group alone. Its unit set owner and mode, so check them. */
static int check_proxy_socket(const struct conf_listener *l)
{
    struct stat st;
    const struct group *gr = getgrnam(l->proxy_group);
    if (gr != NULL && stat(l->unix_path, &st) == 0 && (st.st_mode & S_IRWXO) == 0 &&
        st.st_gid == gr->gr_gid)
        return 0;
    log_event(&event_sockets_differ, NULL,
              "others than the group '%s' can connect to the socket 'unix:%s' of systemd: set "
              "SocketMode=0660 and SocketGroup=%s in a socket unit of its own, with "
              "Service=leased.service",
              l->proxy_group, l->unix_path, l->proxy_group);
    return -1;
}

static const struct conf_listener *find_listener(const struct conf *conf,
                                                 const struct sockaddr_storage *have)
{
    struct sockaddr_storage want;
    for (size_t i = 0; i <= conf->listen_count; i++) {
        bool metrics = i == conf->listen_count;
        const struct conf_listener *l = metrics ? &conf->metrics_listen : &conf->listen[i];
        if (metrics && !conf->has_metrics_listen)
            break;
        socklen_t want_len = socket_address_fill(l, &want);
        if (socket_address_same(have, &want, want_len))
            return l;
    }
    return NULL;
}

static void log_unmatched(const struct conf *conf, const char *name, bool is_metrics)
{
    if (!is_metrics)
        log_event(&event_sockets_differ, NULL,
                  "systemd passed a socket (%s) that no Listen names: make ListenStream in "
                  "leased.socket and Listen in tunlease.conf the same",
                  name);
    else if (conf->has_metrics_listen)
        log_event(&event_sockets_differ, NULL,
                  "the socket of leased-metrics.socket (%s) is not that of MetricsListen: make "
                  "ListenStream in the one and MetricsListen in tunlease.conf the same",
                  name);
    else
        log_event(
            &event_sockets_differ, NULL,
            "leased-metrics.socket has a socket (%s), and MetricsListen is not set: set it in "
            "tunlease.conf, or 'systemctl disable --now leased-metrics.socket'",
            name);
}

const struct conf_listener *passed_socket_match(const struct conf *conf, int fd, bool is_metrics)
{
    struct sockaddr_storage have;
    char name[SOCKET_ADDRESS_TEXT_BYTES];
    socklen_t len = sizeof(have);
    memset(&have, 0, sizeof(have));
    if (getsockname(fd, (struct sockaddr *)&have, &len) != 0) {
        log_error("cannot use descriptor %d of LISTEN_FDS: %s", fd, strerror(errno));
        return NULL;
    }
    const struct conf_listener *l = find_listener(conf, &have);
    if (l == NULL || (is_metrics && l != &conf->metrics_listen)) {
        socket_address_describe(&have, name, sizeof(name));
        log_unmatched(conf, name, is_metrics);
        return NULL;
    }
    if (l->proxy_group[0] != '\0' && check_proxy_socket(l) != 0)
        return NULL;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return l;
}
