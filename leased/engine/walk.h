/* SPDX-License-Identifier: ISC */
/*
 * The walk through all leases, every ten minutes: deletes dead ones, and logs which end soon. It is
 * done in pieces, since requests wait for the piece that is under way
 * (docs/sqlite-facts.md 1.8). Each piece goes on where the last one ended, so its cost
 * does not grow with the store. An index on the ends would make the walk unnecessary, but would
 * cost akc at every login as much as another table.
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
    /* All lent. */
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

    bool is_running, leases_done; /* leases_done: only ports and the audit are left to do */
    unsigned next_port;           /* expired leases' ports from this one on are still to be freed */
    struct lease_range at;
    int64_t piece_leases;               /* size of the next piece */
    int64_t expiry_from_s, expiry_to_s; /* leases that end in between are logged as expires_soon */
    struct event *on_piece, *on_start;
};

/* The lent members must be set. Returns 0, or -1: out of memory. */
int walk_start(struct walk *w, struct event_base *base);

/* Starts the first walk in a second, and then one every ten minutes. */
void walk_begin(struct walk *w);

/* Stops the walk that is under way; the next one starts at its time. */
void walk_stop(struct walk *w);

#endif
