/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/timer.h"

#include <event2/event.h>
#include <sys/time.h>

void timer_set(struct event *timer, int64_t ms)
{
    const struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    (void)event_add(timer, &tv);
}
