/* SPDX-License-Identifier: ISC */
/* HTTP/1.0 as text, as far as the control port needs it: a POST and its answer. Pure. */
#ifndef TUNLEASE_AGENT_GATEWAY_HTTP_H
#define TUNLEASE_AGENT_GATEWAY_HTTP_H

#include <stddef.h>

struct buf;
struct url;

enum { HTTP_ANSWER_MAX = 96 * 1024 };

/* Adds the whole request to out. credential may be NULL or "". */
void http_post_format(const struct url *url, const char *credential, const char *body,
                      struct buf *out);

/* Parses a complete answer. Its status, and *ret_body points into text; or 0: it is no HTTP answer.
 */
unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len);

#endif
