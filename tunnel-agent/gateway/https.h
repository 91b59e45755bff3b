/* SPDX-License-Identifier: ISC */
/* https:// endpoints, behind the build switch HTTPS=1. libcurl is loaded at the call and by name:
 * 33 libraries and 11 MB (docs/design.md 8.3) that the agent itself never carries. */
#ifndef TUNLEASE_AGENT_GATEWAY_HTTPS_H
#define TUNLEASE_AGENT_GATEWAY_HTTPS_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct url;

bool https_is_built_in(void);

/* As post_request. Only for a child that ends soon. */
unsigned https_post(const struct url *url, const char *credential, const char *body,
                    int64_t timeout_ms, struct buf *out);

#endif
