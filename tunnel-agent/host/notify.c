/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/notify.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_send(const char *message)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path == NULL || (path[0] != '/' && path[0] != '@') ||
        strlcpy(to.sun_path, path, sizeof(to.sun_path)) >= sizeof(to.sun_path))
        return;
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* an abstract address: NUL, then the name up to len */
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0)
        return;
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)sendto(fd, message, strlen(message), MSG_DONTWAIT, (struct sockaddr *)&to, len);
    (void)close(fd);
}

int64_t notify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID"), *problem = NULL;
    if (usec == NULL || (pid != NULL && strtonum(pid, 1, INT32_MAX, &problem) != getpid()))
        return 0;
    long long value = strtonum(usec, 1000, INT64_MAX, &problem);
    return problem == NULL ? value / 2000 : 0;
}
