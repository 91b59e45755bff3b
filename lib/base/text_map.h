/* SPDX-License-Identifier: ISC */
/* A map from texts to numbers, in memory. A zeroed one is empty. */
#ifndef TUNLEASE_BASE_TEXT_MAP_H
#define TUNLEASE_BASE_TEXT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_map_slot {
    char *text; /* owned; NULL: the slot is free */
    uint64_t value;
};

struct text_map {
    struct text_map_slot *slots; /* owned */
    size_t count, room;          /* room: a power of two, or 0 */
    uint64_t seed;               /* random, as lib/base/hash.h asks for */
};

/* False: the text is not there, and *ret is untouched. */
bool text_map_get(const struct text_map *m, const char *text, uint64_t *ret);

/* Adds a copy of text, or gives the one that is there another value. 0, or -1: out of memory. */
int text_map_set(struct text_map *m, const char *text, uint64_t value);

/* Leaves *m empty. */
void text_map_release(struct text_map *m);

#endif
