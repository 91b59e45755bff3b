/* SPDX-License-Identifier: ISC */
/*
 * The active leases and the freezes, as the store has them. They are read in a child process: a
 * store that hangs ends the program that opens it (leasectl/open_watchdog.h), and the view must
 * outlive it and say so.
 */
#ifndef TUNLEASE_LEASECTL_TOP_STORE_LOOK_H
#define TUNLEASE_LEASECTL_TOP_STORE_LOOK_H

#include "leasectl/ctl.h"
#include "lib/store/briefs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

enum {
    STORE_LOOK_MS = 10000, /* a child that takes longer is killed */
    STORE_LOOK_LEASES_MAX = 20000,
    STORE_LOOK_FROZEN_MAX = 8
};

/* What changes with a change of the store's files. */
struct store_mark {
    struct {
        ino_t inode;
        off_t bytes;
        int64_t changed_s, changed_ns;
    } files[2];
};

struct store_view {
    bool is_read;                /* false: why says why not */
    char why[STORE_ERROR_BYTES]; /* a clause */
    struct lease_brief *leases;  /* owned; those that were active when it was read, by number; of
                                  * more than there is room for those that end soonest */
    size_t count;
    size_t active, agents; /* of all that were active, and of those how many are of agents */
    char frozen[STORE_LOOK_FROZEN_MAX][LOGIN_NAME_BYTES]; /* logins; "*" is all of them */
    size_t frozen_count;                                  /* may be more than have room */
    struct store_mark mark;
    int64_t read_ms; /* clock_monotonic_ms */
};

/*
 * Reads the store again if its files have changed since, if it could not be read, or if the view is
 * old. Waits STORE_LOOK_MS at most. close_fd: a descriptor that the child must not keep; -1: none.
 */
void store_look(struct ctl *ctl, struct store_view *view, int close_fd);

void store_view_release(struct store_view *view);

#endif
