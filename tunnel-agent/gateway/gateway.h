/* SPDX-License-Identifier: ISC */
/* A reverse tunnel for a gateway: registers, keeps ssh -R up, renews the lease (docs/protocol.md,
 * tunnel-agent(1)).
 */
#ifndef TUNLEASE_AGENT_GATEWAY_GATEWAY_H
#define TUNLEASE_AGENT_GATEWAY_GATEWAY_H

struct options;
struct settings;

/* Runs the loop until it is stopped, or the agent is revoked. Returns the exit status. */
int gateway_loop(const struct options *o, const struct settings *settings);

#endif
