/* SPDX-License-Identifier: ISC */
/* FNV-1a, for tables in memory; nothing secret and nothing kept depends on it. */
#ifndef TUNLEASE_BASE_HASH_H
#define TUNLEASE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* hash of what came before; at first a number that others cannot know, or they choose whom they
 * share a slot with. */
uint64_t hash_add(uint64_t hash, const void *mem, size_t len);

#endif
