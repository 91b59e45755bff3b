/* SPDX-License-Identifier: ISC */
/* Arrays that grow as items are added to them. */
#ifndef TUNLEASE_BASE_ARRAY_H
#define TUNLEASE_BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more item in an array that has count items and room for *cap. An empty array
 * is NULL with *cap 0. When it is full, its room is doubled, up to max items (SIZE_MAX: no limit).
 * Returns the array, which may have moved, and sets *cap; the caller releases it with free(3).
 * Returns NULL with errno set (ENOMEM, or EOVERFLOW at max); array and *cap are then unchanged.
 */
void *array_grow(void *items, size_t count, size_t *cap, size_t item_bytes, size_t max);

#endif
