/* SPDX-License-Identifier: ISC */
/*
 * refused PORT OUTPUT COMMAND...: starts a command with its output in the file OUTPUT. Prints the
 * microseconds until a connection to loopback's PORT is refused, which it tries every 2 ms, and
 * those until the command has ended. Exit 1 when the command failed, or when PORT was not refused
 * within 10 s.
 */
#include "tests/bench/now.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_US = 10000000, PAUSE_US = 2000 };

static bool is_refused(uint16_t port)
{
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        err(1, "socket");
    bool refused =
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        errx(2, "usage: refused PORT OUTPUT COMMAND...");
    const uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    int64_t refused_us = 0, back_us = 0;
    int status = 0;
    if (is_refused(port))
        errx(1, "nothing listens on port %u", port);
    const int64_t start_us = now_us();
    pid_t pid = fork();
    if (pid == 0) {
        int out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
        if (out >= 0 && dup2(out, 1) >= 0 && dup2(out, 2) >= 0)
            (void)execvp(argv[3], argv + 3);
        _exit(127);
    }
    if (pid < 0)
        err(1, "fork");
    while (refused_us == 0 || back_us == 0) {
        if (refused_us == 0 && is_refused(port))
            refused_us = now_us() - start_us;
        if (back_us == 0 && waitpid(pid, &status, WNOHANG) == pid)
            back_us = now_us() - start_us;
        if (now_us() - start_us > PATIENCE_US)
            errx(1, "port %u is not refused", port);
        (void)usleep(PAUSE_US);
    }
    (void)printf("%lld %lld\n", (long long)refused_us, (long long)back_us);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
