/* SPDX-License-Identifier: ISC */
/* As much of HTTP/1.0 as the control plane needs: one POST, one answer, the connection closed. */
#ifndef TUNLEASE_AGENT_GATEWAY_HTTP_H
#define TUNLEASE_AGENT_GATEWAY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum { HTTP_ANSWER_MAX = 96 * 1024, HTTP_HOST_BYTES = 256, HTTP_PATH_BYTES = 256 };

struct http_url {
    bool tls;
    char host[HTTP_HOST_BYTES]; /* no brackets */
    uint16_t port;
    char path[HTTP_PATH_BYTES]; /* "/" at least */
};

/* NULL and *ret, or why not, as a clause. Names without a scheme, with a user, a query or blanks
 * are refused. */
const char *http_url_parse(const char *text, struct http_url *ret);
bool http_url_is_loopback(const struct http_url *url);

/* The whole request. credential may be NULL or "". */
void http_post_format(const struct http_url *url, const char *credential, const char *body,
                      struct buf *out);

/* An answer that has come to its end. The status, or 0 when it is none; *ret_body points into
 * text. */
unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len);

/*
 * POSTs and waits, at most timeout_ms: for a job. https:// needs a build with HTTPS=1 and checks
 * the certificate; libcurl is loaded by the process that calls this. The status, and the body in
 * out; or 0 and a sentence in out.
 */
unsigned http_post(const struct http_url *url, const char *credential, const char *body,
                   int64_t timeout_ms, struct buf *out);

#endif
