/* SPDX-License-Identifier: ISC */
/*
 * Detects jumps of the wall clock by comparing it with the boot clock. For an hour (of the boot
 * clock) after a jump, leased does nothing that cannot be undone (docs/design.md 5.7). The state is
 * saved in the file that leased locks anyway, so that neither a restart nor a jump while no leased
 * ran is forgotten.
 */
#ifndef TUNLEASE_LEASED_WATCH_CLOCK_JUMPS_H
#define TUNLEASE_LEASED_WATCH_CLOCK_JUMPS_H

#include <stdbool.h>
#include <stdint.h>

struct records;

struct clock_jumps {
    struct records *records;
    int state_fd; /* the lock file next to the store, which this module does not close; -1: none */
    int64_t wall_minus_boot_s, saved_wall_minus_boot_s;
    int64_t jumped_ms, jumped_s; /* the last jump, by the boot clock and by the wall clock */
    int64_t conf_read_s;         /* saved there for leasectl doctor */
};

/* Reads what the last process saved in state_fd (-1: nothing is saved). Jumps are added to records.
 */
void clock_jumps_start(struct clock_jumps *j, struct records *records, int state_fd);

/* From now on the state is saved in another file. */
void clock_jumps_set_state_fd(struct clock_jumps *j, int state_fd);

/* Saves that the configuration was read again just now. */
void clock_jumps_conf_was_read(struct clock_jumps *j);

/* Compares the clocks now. */
void clock_jumps_check(struct clock_jumps *j);

/* True within an hour of a jump: do nothing that cannot be undone. Compares the clocks first. */
bool clock_jumps_are_recent(struct clock_jumps *j);

#endif
