/* SPDX-License-Identifier: ISC */
/*
 * The store that is open, and whether it is the one that lies at its path (lib/store/place.h).
 * Where it is not, nothing is answered from it and nothing is ended by it; where another one came
 * in its place, that is opened, once whoever puts it there is done.
 */
#ifndef TUNLEASE_LEASED_WATCH_OPEN_STORE_H
#define TUNLEASE_LEASED_WATCH_OPEN_STORE_H

#include "lib/store/place.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct clock_jumps;
struct event;
struct event_base;

enum {
    STORE_LOCKED_RETRY_MS = 20,     /* another program holds the store's lock: tried so often, */
    STORE_LOCKED_GIVE_UP_MS = 5000, /* and for so long */
};

/* What is to be done when another store is open than before; arg is passed to each. */
struct reopen_callbacks {
    void *arg;
    /* Forgets all that was known of the old one. Not STORE_OK: the new one cannot be used. */
    enum store_rc (*reload)(void *arg);
    /* The new one is in use. */
    void (*reopened)(void *arg);
};

struct open_store {
    struct store *store; /* open; it is another one after place_change */
    const char *path;
    int lock_fd; /* beside the store, held as long as this process lives */
    struct clock_jumps *clock_jumps;
    struct reopen_callbacks callbacks;
    struct event *on_poll;

    bool is_lost; /* the store that is open is not the one at its path: */
    char why[STORE_ERROR_BYTES];
    int64_t logged_ms;
    struct store_traces stamps; /* what lies there, and since when it has not changed */
    int64_t quiet_since_ms, main_quiet_since_ms;
};

/* st was opened at path, which is to stay valid, and lock_fd is its lock. Both are owned from here
 * on. */
void open_store_adopt(struct open_store *os, const char *path, struct store *st, int lock_fd);

/* The clock's jumps are noted in the lock's file, and learn when that is another one. 0, or -1. */
int open_store_start(struct open_store *os, struct event_base *base,
                     struct clock_jumps *clock_jumps, const struct reopen_callbacks *callbacks);

/* Whether the store that is open is the one at its path. False: no use may be made of it, which was
 * said; it is opened anew when another one lies there. */
bool open_store_check(struct open_store *os);

/* What is wrong with it, by the last look; NULL: nothing. */
const char *open_store_problem(const struct open_store *os);

#endif
