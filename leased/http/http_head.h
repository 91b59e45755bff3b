/* SPDX-License-Identifier: ISC */
/*
 * Parses the head of an HTTP/1.1 request strictly (RFC 9112): a head that two parsers could read as
 * different requests is refused. Pure: no socket, and nothing is allocated. The slices of the
 * result point into the text.
 *
 * http.h says why this is not left to a library. It is stricter than RFC 9112: a line must not end
 * with a line feed alone (2.2), an empty line must not come first (2.2), the target must be a path
 * (3.2), and transfer codings (6.1) and lists of lengths (6.3) are refused.
 */
#ifndef TUNLEASE_LEASED_HTTP_HTTP_HEAD_H
#define TUNLEASE_LEASED_HTTP_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HEAD_BYTES = 8192, HTTP_HEADERS_MAX = 64 };

/* A part of the head, not NUL-terminated. len 0: absent. */
struct http_slice {
    const char *at;
    size_t len;
};

struct http_head {
    struct http_slice method, path; /* path without its query */
    struct http_slice query;        /* what follows the `?` */
    struct http_slice host;
    bool keep_alive;
    bool has_length;
    size_t content_length; /* not limited here: the caller checks it */
    struct http_slice content_type;
    struct http_slice credential; /* of Authorization: Bearer, or X-API-Key */
    /* Headers of a proxy; of several lines the last. */
    struct http_slice real_ip, forwarded_for;
    bool real_ip_twice;
    bool expects_continue;
    /* A browser says that a page of another site makes this request (Sec-Fetch-Site is neither
     * same-origin nor none). */
    bool is_foreign_fetch;
};

/*
 * Parses the head at the start of text. Returns its length, with the empty line that ends it, or 0
 * while it is incomplete. *ret_status is 0, or the status to refuse the request with: 400, 431
 * (more than HTTP_HEAD_BYTES or HTTP_HEADERS_MAX), 501 (a transfer coding) or 505. A head can be
 * refused while it is incomplete. *ret is set if the head is complete and not refused.
 */
size_t http_head_parse(const char *text, size_t len, struct http_head *ret, int *ret_status);

bool http_slice_is(const struct http_slice *t, const char *word); /* exactly */

#endif
