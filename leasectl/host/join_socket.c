/* SPDX-License-Identifier: ISC */
#include "leasectl/host/join_socket.h"

#include "lib/base/buf.h"
#include "lib/conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int join_socket_try(const struct conf *conf, struct buf *out)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    const int n = snprintf(at.sun_path, sizeof(at.sun_path), "%s-join/socket", conf->paths.run_dir);
    if (n < 0 || (size_t)n >= sizeof(at.sun_path)) {
        buf_addf(out, "'%s-join/socket' is too long for a socket", conf->paths.run_dir);
        return -1;
    }
    /* Does not wait: where leased has no room for one more, it has no room for a friend either. */
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int rc = fd >= 0 ? connect(fd, (const struct sockaddr *)&at, (socklen_t)sizeof(at)) : -1;
    if (rc != 0)
        buf_addf(out, "'%s': %s", at.sun_path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return rc;
}
