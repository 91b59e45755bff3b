/* SPDX-License-Identifier: ISC */
/*
 * Checks that an open store is still the one at its path. A file that was moved away, or over which
 * another one was moved, can still be read and written while it is open. But what is written there
 * is lost, and akc reads another file. So store_begin, store_commit and store_judge_sessions check
 * this, and fail if the store is not in place. A process that keeps the store open also checks by
 * itself.
 */
#ifndef TUNLEASE_STORE_PLACE_H
#define TUNLEASE_STORE_PLACE_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum store_place {
    STORE_IN_PLACE,
    STORE_MISSING,  /* no file is there, or it cannot be examined */
    STORE_EMPTY,    /* the file has no bytes */
    STORE_CUT,      /* shorter than before, and than its header says: truncated, or for an instant
                       between two checkpoints */
    STORE_REPLACED, /* another file is there, or another -wal or -shm */
};

/* Does not wait. On anything but STORE_IN_PLACE store_error describes the problem. */
enum store_place store_place_check(struct store *st);

/* As store_place_check, but a state that a checkpoint may cause is checked again for 50 ms.
 * STORE_FAIL: the store is not in place. */
enum store_rc store_in_place(struct store *st);

/* State of the files at the path of an open store. Two are equal if nothing changed. */
struct store_file_stamps {
    struct {
        dev_t device;
        ino_t inode; /* 0: no such file */
        off_t bytes;
        int64_t changed_ns;
    } files[3];
};
struct store_file_stamps store_file_stamps(const struct store *st);
bool store_file_stamps_same(const struct store_file_stamps *a, const struct store_file_stamps *b);

/* ---- inside lib/store ---- */

struct stat;

/* Record which files are open: place_record_main before a file is opened to read, place_record_all
 * after all were opened to write. */
void place_record_main(struct store *st, const char *path, const struct stat *sb);
enum store_rc place_record_all(struct store *st, const char *path);

#endif
