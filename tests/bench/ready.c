/* SPDX-License-Identifier: ISC */
/*
 * ready PORT OUTPUT COMMAND...: starts a daemon with its output in the file OUTPUT. Prints its pid,
 * the microseconds until it has sent READY=1 (sd_notify(3)), and those until it has answered GET
 * /healthz on loopback's PORT with 200. Then it exits, and the daemon runs on.
 */
#include "tests/bench/now.h"

#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 60 };

/* Opens a socket with an abstract address, and puts its name into NOTIFY_SOCKET. */
static int open_notify(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    char name[32];
    int n = snprintf(name, sizeof(name), "@tunlease-ready-%d", (int)getpid());
    memcpy(a.sun_path + 1, name + 1, (size_t)n - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&a,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0 ||
        setenv("NOTIFY_SOCKET", name, 1) != 0)
        err(1, "cannot open the notification socket");
    return fd;
}

static void wait_ready(int fd)
{
    char text[1024];
    ssize_t n;
    do {
        n = recv(fd, text, sizeof(text) - 1, 0);
        if (n < 0)
            errx(1, "no READY=1 within %d s", PATIENCE_S);
        text[n] = '\0';
    } while (strncmp(text, "READY=1", 7) != 0 && strstr(text, "\nREADY=1") == NULL);
}

static bool is_healthy(uint16_t port)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char answer[64] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
                write(fd, request, sizeof(request) - 1) == (ssize_t)sizeof(request) - 1 &&
                read(fd, answer, sizeof(answer) - 1) > 12 &&
                strncmp(answer, "HTTP/1.1 200", 12) == 0;
    if (fd >= 0)
        (void)close(fd);
    return good;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        errx(2, "usage: ready PORT OUTPUT COMMAND...");
    int fd = open_notify();
    int64_t start_us = now_us();
    pid_t pid = fork();
    if (pid == 0) {
        int out = open(argv[2], O_WRONLY | O_CREAT | O_APPEND, 0644);
        int in = open("/dev/null", O_RDONLY);
        if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0)
            _exit(127);
        (void)execvp(argv[3], argv + 3);
        _exit(127);
    }
    if (pid < 0)
        err(1, "fork");
    wait_ready(fd);
    int64_t ready_us = now_us() - start_us;
    while (!is_healthy((uint16_t)strtoul(argv[1], NULL, 10))) {
        if (now_us() - start_us > PATIENCE_S * INT64_C(1000000))
            errx(1, "no answer within %d s", PATIENCE_S);
        (void)usleep(500);
    }
    return printf("%d %lld %lld\n", (int)pid, (long long)ready_us,
                  (long long)(now_us() - start_us)) < 0;
}
