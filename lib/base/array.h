/* SPDX-License-Identifier: ISC */
/* Arrays that grow as items are added to them. */
#ifndef TUNLEASE_BASE_ARRAY_H
#define TUNLEASE_BASE_ARRAY_H

#include <stddef.h>

/*
 * Makes room for one more item in an array that holds count items and has room for *cap; an empty
 * one is NULL with *cap 0. Doubles the room when there is none left, up to max items (SIZE_MAX: no
 * limit). Returns the array, which may have moved, and sets *cap; the caller
 * releases it with free(3). NULL with errno set (ENOMEM, EOVERFLOW): array and *cap are unchanged.
 */
void *array_grow(void *items, size_t count, size_t *cap, size_t item_bytes, size_t max);

#endif
