/* SPDX-License-Identifier: ISC */
/* Linked or preloaded into a program: each of SQLite's reads of its files takes SLOW_READ_US
 * microseconds longer, as on a busy machine, so that writers do more between two reads. */
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
