/* SPDX-License-Identifier: ISC */
/*
 * Steps of the wall clock against the boot clock: for an hour of the second, nothing that cannot be
 * undone (docs/design.md 5.7). What is known is kept in the file that is locked anyway, so that
 * neither a restart nor a step while no leased ran is forgotten.
 */
#ifndef TUNLEASE_LEASED_WATCH_CLOCK_JUMPS_H
#define TUNLEASE_LEASED_WATCH_CLOCK_JUMPS_H

#include <stdbool.h>
#include <stdint.h>

struct records;

struct clock_jumps {
    struct records *records;
    int state_fd; /* the file beside the store that is locked; it is not this module's to close */
    int64_t wall_minus_boot_s, saved_wall_minus_boot_s;
    int64_t jumped_ms, jumped_s; /* when the clock was last set, by the boot clock and by itself */
};

/* Takes up what the last process noted in state_fd (-1: nothing is kept). Jumps go to records.
 */
void clock_jumps_start(struct clock_jumps *j, struct records *records, int state_fd);

/* Notes what is known in another file from now on. */
void clock_jumps_set_state_fd(struct clock_jumps *j, int state_fd);

/* Looks whether the clock was set. */
void clock_jumps_check(struct clock_jumps *j);

/* After the clock was set: nothing that cannot be taken back, for an hour. */
bool clock_jumps_are_recent(struct clock_jumps *j);

#endif
