/* SPDX-License-Identifier: ISC */
/*
 * stall FILE: how long the machine itself lets a process wait. Until SIGTERM it sleeps 10 ms and
 * then flushes 4 KiB of FILE to the disk, again and again. Then it prints by how many microseconds
 * a sleep took too long at most, and how many the longest flush took.
 */
#include "tests/bench/now.h"

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MS = 10, BLOCK_BYTES = 4096 };

static volatile sig_atomic_t stopped;

static void on_stop(int sig)
{
    stopped = sig;
}

int main(int argc, char **argv)
{
    static char block[BLOCK_BYTES];
    const struct timespec pause_time = {.tv_nsec = PAUSE_MS * 1000000L};
    int64_t overslept_us = 0, flush_us = 0;
    if (argc != 2)
        errx(2, "usage: stall FILE");
    int fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || signal(SIGTERM, on_stop) == SIG_ERR)
        err(1, "%s", argv[1]);
    while (stopped == 0) {
        int64_t before_us = now_us();
        (void)nanosleep(&pause_time, NULL);
        int64_t awake_us = now_us();
        if (pwrite(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block) || fdatasync(fd) != 0)
            err(1, "%s", argv[1]);
        int64_t late_us = awake_us - before_us - PAUSE_MS * 1000, took_us = now_us() - awake_us;
        overslept_us = late_us > overslept_us ? late_us : overslept_us;
        flush_us = took_us > flush_us ? took_us : flush_us;
    }
    return printf("%lld %lld\n", (long long)overslept_us, (long long)flush_us) < 0;
}
