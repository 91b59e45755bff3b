/* SPDX-License-Identifier: ISC */
/* Libevent's timers, in milliseconds. */
#ifndef TUNLEASE_LEASED_WATCH_TIMER_H
#define TUNLEASE_LEASED_WATCH_TIMER_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOG_AGAIN_MS = 60000 /* how often a condition that lasts is logged again */ };

/* Sets or resets the timer: it fires once, after_ms from now. */
static inline void timer_arm(struct event *timer, int64_t after_ms)
{
    const struct timeval after = {.tv_sec = after_ms / 1000, .tv_usec = after_ms % 1000 * 1000};
    (void)event_add(timer, &after);
}

static inline bool timer_is_armed(const struct event *timer)
{
    return event_pending(timer, EV_TIMEOUT, NULL) != 0;
}

#endif
