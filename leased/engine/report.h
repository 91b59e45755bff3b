/* SPDX-License-Identifier: ISC */
/* The texts of /metrics and /healthz. */
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

/* A text that is reused for everyone who asks until until_ms. */
struct report_text {
    struct buf text;
    int64_t until_ms;
    unsigned visibility_version; /* when the text was written */
    bool was_lost;
    bool is_healthy; /* health_text alone */
};

struct report {
    /* What it reports on; lent. */
    struct open_store *open_store;
    const struct sessions *sessions;
    const struct listeners_cache *listeners;
    const struct beats *beats;
    const struct metrics *metrics;

    struct lease_count leases;
    struct unregistered unregistered;
    struct report_text metrics_text, health_text;
};

/* The lent members must be set. Returns 0, or -1: out of memory. */
int report_start(struct report *r, struct event_base *base);

/* Adds the text, which may be a second old. */
void report_metrics(struct report *r, struct buf *out);
/* Adds the text. True: all is well; otherwise the text says what is not. */
bool report_health(struct report *r, struct buf *out);

#endif
