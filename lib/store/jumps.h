/* SPDX-License-Identifier: ISC */
/*
 * Steps of the wall clock that leased has seen, recorded in the file next to the store that leased
 * locks (DATABASE-leased), with the time at which leased last read its configuration. Programs that
 * give ports to other leases read it. Until an hour of the boot clock has passed since a step,
 * nothing is done that cannot be undone. No SQLite here.
 */
#ifndef TUNLEASE_STORE_JUMPS_H
#define TUNLEASE_STORE_JUMPS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    JUMP_LEAST_S = 60,     /* a smaller difference is normal correction of the clock */
    JUMP_CAUTION_S = 3600, /* of boot time */
    JUMP_BOOT_ID_BYTES = 40,
};

struct jump_note {
    char boot_id[JUMP_BOOT_ID_BYTES];
    int64_t wall_minus_boot_s;        /* when last seen */
    int64_t jumped_boot_ms, jumped_s; /* of the last step, by both clocks; 0: no step */
    int64_t conf_read_s;              /* 0: not known; an older leased wrote the note */
};

/* "" if it cannot be read: then no two boots count as the same. In a container with a boot id of
 * its own, leased.service may read the kernel's and leasectl the container's
 * (lib/session/origin.h). Then only a step that leased has recorded counts, for an hour of the wall
 * clock. */
void jump_boot_id(char out[static JUMP_BOOT_ID_BYTES]);

/* False: the file is empty or not a valid note. */
bool jump_note_read(int fd, struct jump_note *ret);
/* 0, or -1 with errno set. Does not sync the file to the disk. */
int jump_note_write(int fd, const struct jump_note *n);

/* True if the clocks show a step since the note was written, or the note records one less than an
 * hour ago. */
bool jump_is_recent(const struct jump_note *n, int64_t wall_s, int64_t boot_ms);

#endif
