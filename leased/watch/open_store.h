/* SPDX-License-Identifier: ISC */
/*
 * The store that leased has open, and whether it still is the one at its path (lib/store/place.h).
 * While it is not, leased answers nothing from it and ends nothing by it. When another store lies
 * at the path, leased opens that one, as soon as nobody writes to its files any more.
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
    STORE_LOCKED_RETRY_MS = 20, /* while another program holds the store's lock: try so often, */
    STORE_LOCKED_GIVE_UP_MS = 5000, /* and for so long */
};

/* Called when leased has opened another store; arg is passed to each function. */
struct reopen_callbacks {
    void *arg;
    /* Drops what was known of the old store and reads it from the new one. Anything but STORE_OK:
     * the new one cannot be used. */
    enum store_rc (*reload)(void *arg);
    /* From now on the new store is used. */
    void (*reopened)(void *arg);
};

struct open_store {
    struct store *store; /* always open; replaced by reopening */
    const char *path;
    int lock_fd; /* the lock file next to the store, locked as long as this process lives */
    struct clock_jumps *clock_jumps;
    struct reopen_callbacks callbacks;
    struct event *on_poll;

    bool is_lost; /* the open store is not the one at its path: why says what is wrong */
    char why[STORE_ERROR_BYTES];
    int64_t logged_ms;
    struct store_file_stamps stamps; /* of the files at the path, when last checked */
    int64_t quiet_since_ms;          /* since when none of them has changed */
    int64_t main_quiet_since_ms;     /* since when the main file has not */
};

/* st was opened at path, which must stay valid; lock_fd is its lock. Both are owned by *os from
 * here on. */
void open_store_adopt(struct open_store *os, const char *path, struct store *st, int lock_fd);

/* clock_jumps saves its state in the lock file, and is told when that becomes another file. Returns
 * 0, or -1: out of memory. */
int open_store_start(struct open_store *os, struct event_base *base,
                     struct clock_jumps *clock_jumps, const struct reopen_callbacks *callbacks);

/* Whether the open store is the one at its path. False: it must not be used; that has been logged,
 * and another one that appears at the path will be opened. */
bool open_store_check(struct open_store *os);

/* The open store has other contents than before, as after a restore: all that is known of it is
 * read again. */
enum store_rc open_store_read_anew(struct open_store *os);

/* What is wrong with the store, by the last check; NULL: nothing. */
const char *open_store_problem(const struct open_store *os);

#endif
