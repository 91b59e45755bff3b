/* SPDX-License-Identifier: ISC */
/*
 * Moves the lines of an authorized_keys file into the store. Each line is a whole lease or none;
 * lines are committed many at a time, so that a run that was killed goes on where it was: what is
 * in the store already is named, and left as it is.
 */
#ifndef TUNLEASE_LEASECTL_MOVING_MOVING_H
#define TUNLEASE_LEASECTL_MOVING_MOVING_H

#include "leasectl/moving/move.h"
#include "lib/base/text_map.h"
#include "lib/lease/authorized/seen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct moving {
    struct ctl *ctl;
    struct move_terms terms;
    const char *file; /* as the audit names it */
    bool dry_run;     /* the store is only asked; it is open, unless there is none */
    void (*report)(void *ctx, const struct move *m); /* of each line, when it is committed */
    void *ctx;

    size_t lines;                    /* of the file */
    size_t counts[MOVE_RESULT__MAX]; /* out */
    size_t second_keys;              /* out: of MOVE_LEASE, those that are more keys of a lease */
    struct authorized_seen seen;
    struct text_map names, numbers; /* of this run: see moving.c */
    uint32_t *port_lines;
    bool leased_runs;
    int64_t quarantine_s;
    size_t rows; /* of the store, in this transaction */
};

/*
 * Moves each line of text. The store must be open: for writing, or in a dry run for reading. Says
 * on a terminal how far it is. EXIT_DONE, or the exit code with the error printed; what was
 * reported until then is in the store. Call moving_release in any case.
 */
int moving_run(struct moving *m, const char *text, size_t len);
void moving_release(struct moving *m);

#endif
