/* SPDX-License-Identifier: ISC */
/* A control port reached through an ssh connection of the user's (--over-ssh). */
#ifndef TUNLEASE_AGENT_GATEWAY_OVERSSH_H
#define TUNLEASE_AGENT_GATEWAY_OVERSSH_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct url;

/*
 * POSTs as post_request does, to port url->port of alias's loopback, through `ssh -L`. The same
 * local port is preferred, else a free one. config: -F, or NULL. For a job: it waits.
 */
unsigned overssh_post(const char *alias, const char *config, const struct url *url,
                      const char *credential, const char *body, int64_t timeout_ms,
                      struct buf *out);

#endif
