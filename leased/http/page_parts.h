/* SPDX-License-Identifier: ISC */
/* The page for people: its parts, which the build embeds from leased/page. */
#ifndef TUNLEASE_LEASED_HTTP_PAGE_PARTS_H
#define TUNLEASE_LEASED_HTTP_PAGE_PARTS_H

#include "leased/http/http_head.h"

#include <stddef.h>

struct page_part {
    const char *path; /* "/", "/page.css" ... */
    const char *type; /* for Content-Type */
    const char *text;
    size_t bytes;
};

/* NULL: no part is served at this path. */
const struct page_part *page_part_at(const struct http_slice *path);

#endif
