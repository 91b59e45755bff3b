/* SPDX-License-Identifier: ISC */
#include "leased/engine/notify.h"

#include <bsd/stdlib.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

void notify_send(const char *lines)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    size_t len = path != NULL ? strlen(path) : 0;
    if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(to.sun_path, path, len);
    if (to.sun_path[0] == '@')
        to.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&to,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    (void)close(fd);
}

void notify_reloading(void)
{
    struct timespec now;
    char text[80];
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                   (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    notify_send(text);
}

static int64_t env_number(const char *name, int64_t max)
{
    const char *text = getenv(name), *problem = NULL;
    int64_t n = text != NULL ? strtonum(text, 1, max, &problem) : 0;
    return problem == NULL ? n : 0;
}

/* LISTEN_PID and WATCHDOG_PID say which process is meant, since children inherit the variables. */
static int names_this_process(const char *name)
{
    const char *text = getenv(name);
    return text == NULL || env_number(name, 1 << 22) == getpid();
}

int notify_listen_fds(void)
{
    int count = 0;
    if (getenv("LISTEN_PID") != NULL && names_this_process("LISTEN_PID")) {
        count = (int)env_number("LISTEN_FDS", INT_MAX - NOTIFY_FIRST_FD);
        if (count == 0 && getenv("LISTEN_FDS") != NULL && strcmp(getenv("LISTEN_FDS"), "0") != 0)
            count = -1;
    }
    int fd = NOTIFY_FIRST_FD;
    while (fd - NOTIFY_FIRST_FD < count && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
        fd++;
    return count;
}

bool notify_listen_fd_is(size_t at, const char *name)
{
    const char *names = getenv("LISTEN_FDNAMES");
    for (; names != NULL && at > 0; at--) {
        names = strchr(names, ':');
        names = names != NULL ? names + 1 : NULL;
    }
    const size_t len = names != NULL ? strcspn(names, ":") : 0;
    return names != NULL && len == strlen(name) && strncmp(names, name, len) == 0;
}

void notify_forget_fds(void)
{
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
}

int64_t notify_watchdog_ms(void)
{
    return names_this_process("WATCHDOG_PID") ? env_number("WATCHDOG_USEC", INT64_MAX) / 1000 : 0;
}
