/* SPDX-License-Identifier: ISC */
/* Lines of the log that nobody took at once: they wait in memory, and are tried again. */
#ifndef TUNLEASE_LEASED_ENGINE_LOG_DRAIN_H
#define TUNLEASE_LEASED_ENGINE_LOG_DRAIN_H

#include <stdint.h>

struct event;
struct event_base;

struct log_drain {
    struct event *on_retry;
    int64_t pause_ms;
};

/* From now on no line of the log is waited for. 0, or -1: no memory. */
int log_drain_start(struct log_drain *d, struct event_base *base);

#endif
