/* SPDX-License-Identifier: ISC */
/*
 * The head of an HTTP/1.1 request, strictly (RFC 9112): what two readers could take for different
 * requests is refused, not guessed at. Pure; knows no socket. Nothing is allocated, and what comes
 * out points into what went in.
 *
 * Written by hand, against the rule that a library is better: why, http.h says. What is left to
 * read is one method with a body of known length. Stricter than RFC 9112 asks: no line ends with a
 * line feed alone (2.2), no empty line comes first (2.2), no target but a path (3.2), no transfer
 * coding (6.1), no list of lengths (6.3).
 */
#ifndef TUNLEASE_LEASED_HTTP_HTTP_HEAD_H
#define TUNLEASE_LEASED_HTTP_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HEAD_BYTES = 8192, HTTP_HEADERS_MAX = 64 };

/* A piece of the head, not NUL-terminated. len 0: not there. */
struct http_slice {
    const char *at;
    size_t len;
};

struct http_head {
    struct http_slice method, path; /* path without its query */
    bool keep_alive;
    bool has_length;
    size_t content_length; /* any; it is the caller who has a limit */
    struct http_slice content_type;
    struct http_slice credential; /* of Authorization: Bearer, or X-API-Key */
    /* What a proxy may have said; of several lines the last. */
    struct http_slice real_ip, forwarded_for;
    bool real_ip_twice;
    bool expects_continue;
};

/*
 * The head at the start of the len bytes of text: its length with the empty line that ends it, or 0
 * when it is not all there. *ret_status is 0, or what to refuse the request with, which may be
 * known before the head is all there: 400, 431 (larger than HTTP_HEAD_BYTES or HTTP_HEADERS_MAX),
 * 501 (a transfer coding) or 505. *ret is set when the length is not 0 and the status is.
 */
size_t http_head_parse(const char *text, size_t len, struct http_head *ret, int *ret_status);

bool http_slice_is(const struct http_slice *t, const char *word); /* exactly */

#endif
