/* SPDX-License-Identifier: ISC */
#include "leased/passed_socket.h"

#include "leased/socket_address.h"
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
    log_error("others than the group '%s' can connect to the socket 'unix:%s' of systemd: set "
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

const struct conf_listener *passed_socket_match(const struct conf *conf, int fd)
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
    if (l == NULL) {
        socket_address_describe(&have, name, sizeof(name));
        log_error("systemd passed a socket (%s) that no Listen names: make ListenStream in "
                  "leased.socket and Listen in tunlease.conf the same",
                  name);
        return NULL;
    }
    if (l->proxy_group[0] != '\0' && check_proxy_socket(l) != 0)
        return NULL;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return l;
}
