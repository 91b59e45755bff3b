/* SPDX-License-Identifier: ISC */
/*
 * What leased knows of steps of the wall clock, in the file beside the store that it locks
 * (DATABASE-leased): for whoever gives ports away. An hour of the boot clock after a step nothing
 * is done that cannot be undone. No SQLite here.
 */
#ifndef TUNLEASE_STORE_JUMPS_H
#define TUNLEASE_STORE_JUMPS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    JUMP_LEAST_S = 60,     /* less is a clock that is kept right */
    JUMP_CAUTION_S = 3600, /* of boot time */
    JUMP_BOOT_ID_BYTES = 40,
};

struct jump_note {
    char boot_id[JUMP_BOOT_ID_BYTES];
    int64_t wall_minus_boot_s;        /* as last seen */
    int64_t jumped_boot_ms, jumped_s; /* of the last step, by both clocks; 0: none */
};

/* "" where it cannot be read: then no two boots are the same. In a container that has one of its
 * own leased.service may read the kernel's, and leasectl the other (lib/session/origin.h): then a
 * jump counts when leased has seen it, for an hour of the wall clock. */
void jump_boot_id(char out[static JUMP_BOOT_ID_BYTES]);

/* False: there is no note, or it is none. */
bool jump_note_read(int fd, struct jump_note *ret);
int jump_note_write(int fd, const struct jump_note *n); /* -1: errno. Not flushed. */

/* Whether a step by the two clocks as they are now lies less than an hour back, or since the note.
 */
bool jump_is_recent(const struct jump_note *n, int64_t wall_s, int64_t boot_ms);

#endif
