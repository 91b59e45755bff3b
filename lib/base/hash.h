/* SPDX-License-Identifier: ISC */
/* FNV-1a, for hash tables in memory. Not for secrets, and not for anything that is stored. */
#ifndef TUNLEASE_BASE_HASH_H
#define TUNLEASE_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Adds len bytes to hash, the result of the call before. Start with a random number: who knows it
 * can choose names that all fall into one slot. */
uint64_t hash_add(uint64_t hash, const void *mem, size_t len);

#endif
