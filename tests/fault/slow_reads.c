/* SPDX-License-Identifier: ISC */
/* To be linked into a program: SQLite's reads of its files take SLOW_READ_US longer, as on a
 * machine that is busy, so that more is written between any two of them. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

ssize_t pread64(int fd, void *to, size_t bytes, off_t at)
{
    static long us = -1;
    if (us < 0) {
        const char *text = getenv("SLOW_READ_US");
        us = text != NULL ? strtol(text, NULL, 10) : 0;
    }
    const struct timespec pause = {.tv_nsec = us * 1000};
    (void)nanosleep(&pause, NULL);
    return syscall(SYS_pread64, fd, to, bytes, at);
}
