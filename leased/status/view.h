/* SPDX-License-Identifier: ISC */
/* What overview.h puts together, for the files that write a part of it. */
#ifndef TUNLEASE_LEASED_STATUS_VIEW_H
#define TUNLEASE_LEASED_STATUS_VIEW_H

#include "leased/status/history.h"
#include "leased/status/lease_index.h"
#include "lib/base/buf.h"
#include "lib/wire/control.h"

#include <stdint.h>

struct clock_jumps;
struct copies_seen;
struct conf;
struct listeners_cache;
struct metrics;
struct open_store;
struct sessions;
struct unregistered;

enum {
    OVERVIEW_ROWS = 100, /* of each kind in one answer */
    OVERVIEW_PARTS = 8,  /* that are kept: one for each filter and page that is looked at */
};

/* What somebody asks for. */
struct overview_query {
    char filter[CONTROL_FILTER_BYTES + 1];
    uint32_t offsets[CONTROL_LIST__MAX];
};

/* What the store had for a query. */
struct overview_part {
    struct overview_query query;
    struct buf text; /* members leases, agents and audit; empty: this place is free */
    struct buf problem;
    int64_t made_ms, made_s; /* monotonic and wall clock */
    int64_t used_ms;         /* when somebody last asked */
};

struct overview {
    /* Lent. */
    const struct conf *conf;
    struct open_store *open_store;
    struct sessions *sessions;
    struct listeners_cache *listeners;
    struct unregistered *unregistered;
    struct clock_jumps *clock_jumps;
    const struct copies_seen *copies_seen;
    const struct metrics *metrics;

    int64_t started_s;
    struct lease_index index;
    struct history history;
    struct overview_part parts[OVERVIEW_PARTS];
    int64_t audit_rows;
    int64_t unregistered_count, unregistered_next_ms; /* -1: cannot be told */
    int64_t tunnels[3];                               /* of all agents, by enum control_tunnel */
};

#endif
