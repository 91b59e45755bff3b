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

#include <stdbool.h>
#include <stdint.h>
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
enum store_place store_place_check(struct store *st);

/* The same, but what a checkpoint can be the reason of is looked at again for 50 ms. STORE_FAIL: it
 * is not in place. */
enum store_rc store_in_place(struct store *st);

/* What lies at the path of an open store, and beside it: two are the same when nothing changed. */
struct store_file_stamps {
    struct {
        dev_t device;
        ino_t inode; /* 0: there is none */
        off_t bytes;
        int64_t changed_ns;
    } files[3];
};
struct store_file_stamps store_file_stamps(const struct store *st);
bool store_file_stamps_same(const struct store_file_stamps *a, const struct store_file_stamps *b);

/* ---- inside lib/store ---- */

struct stat;

/* What is open: by a look before a file was opened to be read, and by one
 * after all were opened to be written. */
void place_record_main(struct store *st, const char *path, const struct stat *sb);
enum store_rc place_record_all(struct store *st, const char *path);

#endif
