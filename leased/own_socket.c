/* SPDX-License-Identifier: ISC */
#include "leased/own_socket.h"

#include "leased/socket_address.h"
#include "lib/base/log.h"
#include "lib/conf/conf.h"

#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BACKLOG = 4096, /* for many agents at once; net.core.somaxconn may lower it */
    BIND_TRIES = 50,
    BIND_RETRY_MS = 20,
};

static void describe(const struct conf_listener *l, char out[static PERMIT_TEXT_BYTES])
{
    if (l->unix_path[0] != '\0')
        (void)snprintf(out, PERMIT_TEXT_BYTES, "unix:%s", l->unix_path);
    else
        permit_format(&l->address, out);
}

/* We have the store's lock, so no other leased runs. But after an engine was killed, its http
 * process may have the address for a moment longer. */
static int bind_with_retry(int fd, const struct sockaddr_storage *address, socklen_t len)
{
    int rc = -1;
    for (int i = 0; i < BIND_TRIES && rc != 0; i++) {
        rc = bind(fd, (const struct sockaddr *)address, len);
        if (rc != 0 && errno != EADDRINUSE)
            break;
        if (rc != 0)
            (void)poll(NULL, 0, BIND_RETRY_MS);
    }
    return rc;
}

/*
 * Removes a socket at path that nobody listens on: a leased that was killed left it. Anything else
 * stays. NULL, or why the path cannot be used. While somebody still listens it tries again, as
 * bind_with_retry does.
 */
static const char *remove_stale_socket(const char *path, const struct sockaddr_storage *address,
                                       socklen_t len)
{
    struct stat st;
    if (lstat(path, &st) != 0)
        return errno == ENOENT ? NULL : strerror(errno);
    if (!S_ISSOCK(st.st_mode))
        return "something is there which is not a socket: move it away, or change Listen";
    for (int i = 0; i < BIND_TRIES; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        bool refused = fd >= 0 && connect(fd, (const struct sockaddr *)address, len) != 0 &&
                       errno == ECONNREFUSED;
        if (fd >= 0)
            (void)close(fd);
        if (refused)
            return unlink(path) == 0 ? NULL : strerror(errno);
        (void)poll(NULL, 0, BIND_RETRY_MS);
    }
    return "another program listens there";
}

/* Lets only the owner and the proxy's group connect. NULL, or why that is not possible. */
static const char *restrict_to_group(const struct conf_listener *l)
{
    const struct group *gr = getgrnam(l->proxy_group);
    if (gr == NULL)
        return "there is no such group";
    return chmod(l->unix_path, 0) == 0 && chown(l->unix_path, (uid_t)-1, gr->gr_gid) == 0 &&
                   chmod(l->unix_path, 0660) == 0
               ? NULL
               : strerror(errno);
}

/* Sets who may connect. Called before listen(2), so nobody connects earlier. NULL, or why not. */
static const char *set_mode(const struct conf_listener *l)
{
    if (l->unix_path[0] == '\0')
        return NULL;
    if (l->proxy_group[0] != '\0')
        return restrict_to_group(l);
    return chmod(l->unix_path, 0666) == 0 ? NULL : strerror(errno);
}

int own_socket_open(const struct conf_listener *l)
{
    char name[PERMIT_TEXT_BYTES];
    struct sockaddr_storage address;
    const int on = 1;
    int fd = -1;
    socklen_t len = socket_address_fill(l, &address);
    const char *problem = NULL;
    describe(l, name);
    if (len == 0)
        problem = "not an IPv4 or IPv6 address, or too long a path";
    else if (address.ss_family == AF_UNIX)
        problem = remove_stale_socket(l->unix_path, &address, len);
    if (problem != NULL)
        goto failed;
    fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        problem = strerror(errno);
        goto failed;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (address.ss_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    if (bind_with_retry(fd, &address, len) != 0) {
        problem = errno == EADDRINUSE ? "another program has that address" : strerror(errno);
        goto failed;
    }
    problem = set_mode(l);
    if (problem == NULL && listen(fd, BACKLOG) != 0)
        problem = strerror(errno);
    if (problem != NULL)
        goto failed;
    return fd;
failed:
    log_error("cannot listen on '%s': %s", name, problem);
    if (fd >= 0)
        (void)close(fd);
    return -1;
}
