/* SPDX-License-Identifier: ISC */
/*
 * To be preloaded: the wall clock and the boot clock are off by what CLOCK_SHIFT_FILE says, two
 * numbers of seconds in text. The file is mapped, so that it can be read behind a seccomp filter,
 * and is at least 64 bytes long. CLOCK_STATUS, if set, is what adjtimex(2) says of the clock:
 * `right`, `unsynchronised` or `refused`. What is never set (CLOCK_MONOTONIC) is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

enum { FILE_BYTES = 64 };

static const char *shift;

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("CLOCK_SHIFT_FILE");
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mem = fd >= 0 ? mmap(NULL, FILE_BYTES, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        (void)close(fd);
    shift = mem != MAP_FAILED ? mem : NULL;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
    int rc = (int)syscall(SYS_clock_gettime, id, ts);
    char *rest;
    if (rc != 0 || shift == NULL || (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME))
        return rc;
    long wall = strtol(shift, &rest, 10);
    ts->tv_sec += id == CLOCK_REALTIME ? wall : strtol(rest, NULL, 10);
    return 0;
}

time_t time(time_t *ret)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    if (ret != NULL)
        *ret = ts.tv_sec;
    return ts.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec ts;
    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}

int adjtimex(struct timex *t)
{
    const char *status = getenv("CLOCK_STATUS");
    int rc = (int)syscall(SYS_adjtimex, t);
    if (status == NULL)
        return rc;
    if (strcmp(status, "refused") == 0) {
        errno = EPERM;
        return -1;
    }
    t->status = strcmp(status, "right") == 0 ? 0 : STA_UNSYNC;
    return t->status == 0 ? TIME_OK : TIME_ERROR;
}
