/* SPDX-License-Identifier: ISC */
/* `tunnel-agent status`: what the running agents report, put together. */
#ifndef TUNLEASE_AGENT_STATUS_H
#define TUNLEASE_AGENT_STATUS_H

#include <stdbool.h>

struct statedir;

/* Asks every agent that runs with this state directory, and prints. EXIT_DONE when there are
 * tunnels and all are up, else EXIT_FAILED. */
int status_show(const struct statedir *state, bool json);

#endif
