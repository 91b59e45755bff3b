/* SPDX-License-Identifier: ISC */
/* A reverse tunnel for a gateway: registers, holds ssh -R, keeps the lease alive (docs/protocol.md,
 * tunnel-agent(1)).
 */
#ifndef TUNLEASE_AGENT_GATEWAY_GATEWAY_H
#define TUNLEASE_AGENT_GATEWAY_GATEWAY_H

struct options;
struct settings;

/* Runs until stopped, or revoked for good. The exit status. */
int gateway_loop(const struct options *o, const struct settings *settings);

#endif
