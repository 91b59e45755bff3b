/* SPDX-License-Identifier: ISC */
/*
 * The store that is open, and whether it is the one that lies at its path (lib/store/place.h).
 * Where it is not, nothing is answered from it and nothing is ended by it; where another one came
 * in its place, that is opened, once whoever puts it there is done.
 */
#ifndef TUNLEASE_LEASED_WATCH_PLACE_H
#define TUNLEASE_LEASED_WATCH_PLACE_H

#include "lib/store/place.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct clock_jumps;
struct event;
struct event_base;

/* What is to be done when another store is open than before; arg is passed to each. */
struct place_change {
    void *arg;
    /* Forgets all that was known of the old one. Not STORE_OK: the new one cannot be used. */
    enum store_rc (*forget_old)(void *arg);
    /* The new one is in use. */
    void (*use_new)(void *arg);
};

struct place {
    struct store *store; /* open; it is another one after place_change */
    const char *path;
    int lock_fd; /* beside the store, held as long as this process lives */
    struct clock_jumps *clock_jumps;
    struct place_change change;
    struct event *on_look;

    bool is_lost; /* the store that is open is not the one at its path: */
    char why[STORE_ERROR_BYTES];
    int64_t said_ms;
    struct store_traces traces; /* what lies there, and since when it has not changed */
    int64_t quiet_ms, main_quiet_ms;
};

/* st was opened at path, which is to stay valid, and lock_fd is its lock. Both are owned from here
 * on. */
void place_open(struct place *p, const char *path, struct store *st, int lock_fd);

/* The clock's jumps are noted in the lock's file, and learn when that is another one. 0, or -1. */
int place_start(struct place *p, struct event_base *base, struct clock_jumps *clock_jumps,
                const struct place_change *change);

/* Whether the store that is open is the one at its path. False: no use may be made of it, which was
 * said; it is opened anew when another one lies there. */
bool place_look(struct place *p);

/* What is wrong with it, by the last look; NULL: nothing. */
const char *place_problem(const struct place *p);

#endif
