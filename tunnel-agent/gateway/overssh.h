/* SPDX-License-Identifier: ISC */
/* POSTs to a control port through the user's own ssh (--over-ssh). */
#ifndef TUNLEASE_AGENT_GATEWAY_OVERSSH_H
#define TUNLEASE_AGENT_GATEWAY_OVERSSH_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct url;

/*
 * As post_request, but to port url->port of the loopback of alias, through `ssh -L`. config: -F, or
 * NULL. It blocks: call it inside a job.
 */
unsigned overssh_post(const char *alias, const char *config, const struct url *url,
                      const char *credential, const char *body, int64_t timeout_ms,
                      struct buf *out);

#endif
