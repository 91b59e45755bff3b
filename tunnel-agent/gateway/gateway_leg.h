/* SPDX-License-Identifier: ISC */
/* Builds the leg of a gateway's agent. */
#ifndef TUNLEASE_AGENT_GATEWAY_GATEWAY_LEG_H
#define TUNLEASE_AGENT_GATEWAY_GATEWAY_LEG_H

struct arguments;
struct leg;
struct registration;
struct statedir;

/* Builds the leg with the -R of the registration; if there is none, a leg that only leads to the
 * control port. NULL, and *ret is released and replaced; or the problem as the predicate of a
 * sentence. */
const char *gateway_leg_build(struct leg *ret, const struct arguments *args,
                              const struct registration *r, const struct statedir *state);

#endif
