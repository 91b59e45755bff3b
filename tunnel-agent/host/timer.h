/* SPDX-License-Identifier: ISC */
/* Sets a timer of the event loop, in milliseconds. */
#ifndef TUNLEASE_AGENT_HOST_TIMER_H
#define TUNLEASE_AGENT_HOST_TIMER_H

#include <stdint.h>

struct event;

/* The timer fires once, ms from now, and no more at the time that was set before. */
void timer_set(struct event *timer, int64_t ms);

#endif
