/* SPDX-License-Identifier: ISC */
#include "lib/base/array.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_CAP = 16 };

void *array_grow(void *items, size_t count, size_t *cap, size_t item_bytes, size_t max)
{
    if (count < *cap)
        return items;
    if (count >= max) {
        errno = EOVERFLOW;
        return NULL;
    }
    size_t more = *cap == 0 ? FIRST_CAP : *cap * 2;
    if (more > max)
        more = max;
    void *grown = reallocarray(items, more, item_bytes);
    if (grown != NULL)
        *cap = more;
    return grown;
}
