/* SPDX-License-Identifier: ISC */
/* A timer of the loop, in milliseconds. */
#ifndef TUNLEASE_AGENT_HOST_TIMER_H
#define TUNLEASE_AGENT_HOST_TIMER_H

#include <stdint.h>

struct event;

/* Fires once, ms from now; one that was set before is forgotten. */
void timer_set(struct event *timer, int64_t ms);

#endif
