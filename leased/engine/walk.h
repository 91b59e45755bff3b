/* SPDX-License-Identifier: ISC */
/*
 * The walk through all leases, every ten minutes: the dead are deleted, and which ones end soon is
 * said. In pieces, since a request waits for the one that is under way
 * (docs/sqlite-facts.md 1.8), and each goes on where the last one ended: what it costs
 * does not grow with the store. An index of the ends would save the walk, and cost akc as much as a
 * table does at every login.
 */
#ifndef TUNLEASE_LEASED_ENGINE_WALK_H
#define TUNLEASE_LEASED_ENGINE_WALK_H

#include "lib/store/range.h"
#include <stdbool.h>
#include <stdint.h>

struct beats;
struct clock_jumps;
struct conf;
struct control_port;
struct event;
struct event_base;
struct metrics;
struct open_store;
struct records;
struct requests;
struct roster;
struct sessions;

struct walk {
    /* Lent. */
    const struct conf *conf;
    struct open_store *open_store;
    struct sessions *sessions;
    struct records *records;
    struct metrics *metrics;
    struct roster *roster;
    struct requests *requests;
    struct clock_jumps *clock_jumps;
    const struct beats *beats;
    const struct control_port *control_port;

    bool is_running, leases_done; /* leases_done: only ports and the audit are left */
    unsigned next_port;           /* from which on ports of expired leases are looked for */
    struct lease_range at;
    int64_t piece_leases;               /* leases of the next piece */
    int64_t expiry_from_s, expiry_to_s; /* expires_soon is said of the ends between */
    struct event *on_piece, *on_start;
};

/* The members above are filled in. 0, or -1: no memory. */
int walk_start(struct walk *w, struct event_base *base);

/* Begins the first one in a moment. */
void walk_begin(struct walk *w);

/* What is under way is given up; the next one begins when it is its time. */
void walk_stop(struct walk *w);

#endif
