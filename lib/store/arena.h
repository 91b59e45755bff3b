/* SPDX-License-Identifier: ISC */
/* SQLite without malloc(3). */
#ifndef TUNLEASE_STORE_ARENA_H
#define TUNLEASE_STORE_ARENA_H

enum { STORE_ARENA_BYTES = 8 * 1024 * 1024 }; /* pages that are not touched cost nothing */

/*
 * SQLite takes all its memory from a fixed arena instead of malloc(3): faster for a process of one
 * question, and running out of it refuses. Before the first store_open_*; never after.
 */
void store_use_arena(void);

/* All of it back, when no store is open: for asking again. A no-op without the arena. */
void store_arena_reset(void);

#endif
