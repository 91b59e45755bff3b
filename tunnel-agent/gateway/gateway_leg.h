/* SPDX-License-Identifier: ISC */
/* The leg that leads to a gateway. */
#ifndef TUNLEASE_AGENT_GATEWAY_GATEWAY_LEG_H
#define TUNLEASE_AGENT_GATEWAY_GATEWAY_LEG_H

struct arguments;
struct leg;
struct registration;
struct statedir;

/* The ssh that holds the session's port; without a session, one that only leads to the control
 * port. NULL, and *ret is released and replaced; or why not, as a clause. */
const char *gateway_leg_build(struct leg *ret, const struct arguments *args,
                              const struct registration *r, const struct statedir *state);

#endif
