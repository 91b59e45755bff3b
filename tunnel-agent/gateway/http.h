/* SPDX-License-Identifier: ISC */
/* The text of HTTP/1.0, as far as the control plane needs it: one POST and its answer. */
#ifndef TUNLEASE_AGENT_GATEWAY_HTTP_H
#define TUNLEASE_AGENT_GATEWAY_HTTP_H

#include <stddef.h>

struct buf;
struct url;

enum { HTTP_ANSWER_MAX = 96 * 1024 };

/* The whole request. credential may be NULL or "". */
void http_post_format(const struct url *url, const char *credential, const char *body,
                      struct buf *out);

/* An answer that has come to its end. The status, or 0 when it is none; *ret_body points into
 * text. */
unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len);

#endif
