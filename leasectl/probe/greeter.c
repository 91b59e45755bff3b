/* SPDX-License-Identifier: ISC */
#include "leasectl/probe/greeter.h"

#include "leasectl/child.h"
#include "leasectl/probe/loopback.h"

#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static const char greeting[] = "tunlease-greeting\n";

static int unix_listener(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >= sizeof(sun.sun_path))
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)unlink(path);
    if (bind(fd, (struct sockaddr *)&sun, sizeof(sun)) != 0 || listen(fd, 16) != 0 ||
        chmod(path, 0666) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static void greeter_loop(int tcp, int local)
{
    struct pollfd fds[2] = {{.fd = tcp, .events = POLLIN}, {.fd = local, .events = POLLIN}};
    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            _exit(1);
        for (int i = 0; i < 2; i++) {
            if ((fds[i].revents & POLLIN) == 0)
                continue;
            int client = accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC);
            if (client < 0)
                continue;
            (void)send(client, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL);
            (void)close(client);
        }
    }
}

int greeter_start(struct greeter *g, uint16_t port, const char *path)
{
    uint16_t bound = 0;
    int rc = -1;
    int local = path != NULL ? unix_listener(path) : -1;
    int tcp = loopback_socket(port, true, &bound);

    *g = (struct greeter){.pid = -1};
    if (tcp < 0 || (path != NULL && local < 0))
        goto out;
    pid_t pid = fork();
    if (pid < 0)
        goto out;
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)signal(SIGTERM, SIG_DFL); /* verify has a handler, which would wait for its loop */
        greeter_loop(tcp, local);
    }
    *g = (struct greeter){.pid = pid, .port = bound};
    rc = 0;
out:
    if (tcp >= 0)
        (void)close(tcp);
    if (local >= 0)
        (void)close(local);
    return rc;
}

void greeter_stop(struct greeter *g)
{
    struct child c = {.pid = g->pid, .in = -1, .out = -1, .err = -1};
    if (g->pid > 0)
        child_release(&c);
    g->pid = -1;
}
