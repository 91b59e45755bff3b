/* SPDX-License-Identifier: ISC */
#include "lib/base/clock.h"

#include <assert.h>
#include <time.h>

/* Leases may end after 2038. All programs read the clock here, so one check serves all. */
static_assert(sizeof(time_t) >= 8, "build with a time_t of 64 bits: -D_TIME_BITS=64");

static int64_t read_ms(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

int64_t clock_now_ms(void)
{
    return read_ms(CLOCK_REALTIME);
}

int64_t clock_monotonic_ms(void)
{
    return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_cpu_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

#ifdef CLOCK_BOOTTIME
int64_t clock_boot_ms(void)
{
    return read_ms(CLOCK_BOOTTIME);
}
#endif
