/* SPDX-License-Identifier: ISC */
#include "lib/base/hash.h"

uint64_t hash_add(uint64_t hash, const void *mem, size_t len)
{
    const uint8_t *p = mem;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ p[i]) * 1099511628211ULL;
    return hash;
}
