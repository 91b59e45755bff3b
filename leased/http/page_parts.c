/* SPDX-License-Identifier: ISC */
#include "leased/http/page_parts.h"

#define TEXT(text) text, sizeof(text) - 1
#include "page_files.h" /* generated */

const struct page_part *page_part_at(const struct http_slice *path)
{
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (http_slice_is(path, parts[i].path))
            return &parts[i];
    return NULL;
}
