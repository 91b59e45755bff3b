/* SPDX-License-Identifier: ISC */
/* What /metrics and /healthz say. */
#ifndef TUNLEASE_LEASED_ENGINE_REPORT_H
#define TUNLEASE_LEASED_ENGINE_REPORT_H

#include "leased/engine/lease_count.h"
#include "leased/watch/unregistered.h"
#include "lib/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct beats;
struct listeners_cache;
struct metrics;
struct open_store;
struct sessions;

/* A text, and until when it is said again to whoever asks. */
struct report_text {
    struct buf text;
    int64_t until_ms;
    unsigned visibility_version; /* of sessions, when it was written */
    bool was_lost;
    bool is_healthy; /* of health */
};

struct report {
    /* Of which it reports; lent. */
    struct open_store *open_store;
    const struct sessions *sessions;
    const struct listeners_cache *listeners;
    const struct beats *beats;
    const struct metrics *metrics;

    struct lease_count leases;
    struct unregistered unregistered;
    struct report_text metrics_text, health_text;
};

/* The members above are filled in. 0, or -1: no memory. */
int report_start(struct report *r, struct event_base *base);

void report_metrics(struct report *r, struct buf *out); /* as they were at most a second ago */
/* True: all is well. text says what is not. */
bool report_health(struct report *r, struct buf *out);

#endif
