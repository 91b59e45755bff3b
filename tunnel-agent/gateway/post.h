/* SPDX-License-Identifier: ISC */
/* A blocking POST to the control port, with TLS or without. */
#ifndef TUNLEASE_AGENT_GATEWAY_POST_H
#define TUNLEASE_AGENT_GATEWAY_POST_H

#include <stdint.h>

struct buf;
struct url;

/*
 * POSTs and waits for the answer, at most timeout_ms: call it inside a job. https:// needs a build
 * with HTTPS=1 and checks the certificate. The status, and the body in out; or 0, and the reason as
 * a sentence in out.
 */
unsigned post_request(const struct url *url, const char *credential, const char *body,
                      int64_t timeout_ms, struct buf *out);

#endif
