/* SPDX-License-Identifier: ISC */
/*
 * The head of an HTTP/1.1 request, strictly (RFC 9112): what two readers could take for different
 * requests is refused, not guessed at. Pure; knows no socket.
 *
 * Written by hand, against the rule that a library is better: libevent's evhttp takes two
 * Content-Length, two Host and bare line feeds, and gives no way to hold a connection to a deadline
 * before its first request is complete (facts/ecosystem.md 1.1). What is left to read is one method
 * with a body of known length.
 */
#ifndef TUNLEASE_LEASED_HTTP_PARSE_H
#define TUNLEASE_LEASED_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>

enum { HTTP_HEAD_BYTES = 8192, HTTP_HEADERS_MAX = 64 };

/* A piece of the head, not NUL-terminated. len 0: not there. */
struct http_text {
    const char *at;
    size_t len;
};

struct http_head {
    struct http_text method, path; /* path without its query */
    bool keep_alive;
    bool has_length;
    size_t content_length;
    struct http_text content_type;
    struct http_text credential; /* of Authorization: Bearer, or X-API-Key */
    bool expects_continue;
};

/* The length of the head with its empty line in the len bytes at text; 0: it is not all there. */
size_t http_head_end(const char *text, size_t len);

/* The status to refuse it with (400, 431, 501, 505), or 0 and *ret, which points into text. */
int http_parse_head(const char *text, size_t len, struct http_head *ret);

bool http_text_is(const struct http_text *t, const char *word); /* exactly */

#endif
