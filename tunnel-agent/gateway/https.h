/* SPDX-License-Identifier: ISC */
/* POSTs to https:// endpoints, if built with HTTPS=1. Each call loads libcurl by name, since the
 * agent itself must not carry its 33 libraries and 11 MB (docs/design.md 8.3). */
#ifndef TUNLEASE_AGENT_GATEWAY_HTTPS_H
#define TUNLEASE_AGENT_GATEWAY_HTTPS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct url;

bool https_is_built_in(void);

/* As post_request. It frees nothing, so call it only in a child that ends soon. */
unsigned https_post(const struct url *url, const char *credential, const char *body,
                    int64_t timeout_ms, struct buf *out);

#endif
