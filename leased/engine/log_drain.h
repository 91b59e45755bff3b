/* SPDX-License-Identifier: ISC */
/* Log lines that the reader of the log did not accept at once: they are kept in memory and tried
 * again. */
#ifndef TUNLEASE_LEASED_ENGINE_LOG_DRAIN_H
#define TUNLEASE_LEASED_ENGINE_LOG_DRAIN_H

#include <stdint.h>

struct event;
struct event_base;

struct log_drain {
    struct event *on_retry;
    int64_t pause_ms;
};

/* From now on logging never blocks. Returns 0, or -1: out of memory. */
int log_drain_start(struct log_drain *d, struct event_base *base);

#endif
