/* SPDX-License-Identifier: ISC */
/*
 * Whether an open store is the one that lies at its path. A file that was moved away, or that
 * another one was moved over, can be read and written for as long as it is open: what is written
 * there is lost, and what is read there is not what akc is told. So store_begin, store_commit and
 * store_judge_sessions look, and fail where it is not; whoever stays looks by itself, too.
 */
#ifndef TUNLEASE_STORE_PLACE_H
#define TUNLEASE_STORE_PLACE_H

#include "lib/store/store.h"

#include <sys/types.h>

enum store_place {
    STORE_IN_PLACE,
    STORE_MISSING,  /* nothing lies there, or it cannot be looked at */
    STORE_EMPTY,    /* a file of no bytes lies there */
    STORE_CUT,      /* it is shorter than it was, and than it says: truncated; or, for an instant,
                     * between two checkpoints */
    STORE_REPLACED, /* another file lies there, or beside it as -wal or -shm */
};

/* Does not wait. Anything but STORE_IN_PLACE: store_error says what it is. */
enum store_place store_look(struct store *st);

/* The same, but what a checkpoint can be the reason of is looked at again for 50 ms. STORE_FAIL: it
 * is not in place. */
enum store_rc store_in_place(struct store *st);

/* What lies at the path of an open store, and beside it: two are the same when nothing changed. */
struct store_traces {
    struct {
        dev_t device;
        ino_t inode; /* 0: there is none */
        off_t bytes;
        int64_t changed_ns;
    } files[3];
};
struct store_traces store_traces(const struct store *st);
bool store_traces_same(const struct store_traces *a, const struct store_traces *b);

/*
 * Closes the files of a store that is not in place, so that what lies there now can be opened; it
 * can be looked at further on, and is to be closed at last. Where one of its files was replaced,
 * the others that lie there are of no use beside the new one, and SQLite would mix them:
 *  - the database alone: what its log still holds is put where it belongs, and -wal and -shm are
 *    taken away; not if somebody has written to the log since;
 *  - the log is gone: it is emptied into the database before, and -shm is taken away.
 * Anything but STORE_OK: try again, nothing was closed.
 */
enum store_rc store_leave(struct store *st);

/* As store_open_write, but no store is made where there is none. */
enum store_rc store_open_again(const char *path, struct store **ret,
                               char err[static STORE_ERROR_BYTES]);

#endif
