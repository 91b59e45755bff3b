/* SPDX-License-Identifier: ISC */
/* SQLite without malloc(3). */
#ifndef TUNLEASE_STORE_ARENA_H
#define TUNLEASE_STORE_ARENA_H

#include <stdbool.h>

enum { STORE_ARENA_BYTES = 8 * 1024 * 1024 }; /* untouched pages use no memory */

/*
 * Makes SQLite allocate from a fixed arena instead of malloc(3): faster for a process that asks one
 * question. When the arena is used up, the lookup fails and the login is refused. Call it before
 * the first store_open_*, never after.
 */
void store_use_arena(void);

/* Frees the whole arena, so that the store can be opened and asked again. Call it while no store is
 * open. Does nothing if store_use_arena was not called. */
void store_arena_reset(void);

/* True: this process asks one question and ends. */
bool store_arena_is_used(void);

#endif
