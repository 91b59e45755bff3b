/* SPDX-License-Identifier: ISC */
/* A POST to the control plane and the wait for its answer, with TLS or without. */
#ifndef TUNLEASE_AGENT_GATEWAY_POST_H
#define TUNLEASE_AGENT_GATEWAY_POST_H

#include <stdint.h>

struct buf;
struct url;

/*
 * POSTs and waits, at most timeout_ms: for a job. https:// needs a build with HTTPS=1 and checks
 * the certificate; libcurl is loaded by the process that calls this. The status, and the body in
 * out; or 0 and a sentence in out.
 */
unsigned post_request(const struct url *url, const char *credential, const char *body,
                      int64_t timeout_ms, struct buf *out);

#endif
