/* SPDX-License-Identifier: ISC */
/* To be preloaded: each flush of the disk takes SLOW_DISK_MS longer. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static long slow_ms;

__attribute__((constructor)) static void read_ms(void)
{
    const char *text = getenv("SLOW_DISK_MS");
    slow_ms = text != NULL ? strtol(text, NULL, 10) : 0;
}

static int flush(long number, int fd)
{
    const struct timespec pause = {.tv_sec = slow_ms / 1000, .tv_nsec = slow_ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
    return (int)syscall(number, fd);
}

int fsync(int fd)
{
    return flush(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return flush(SYS_fdatasync, fd);
}
