/* SPDX-License-Identifier: ISC */
/* `tunnel-agent status`: collects and prints what the running agents report. */
#ifndef TUNLEASE_AGENT_STATUS_H
#define TUNLEASE_AGENT_STATUS_H

#include <stdbool.h>

struct statedir;

/* Queries every agent that runs with this state directory. EXIT_DONE if there are tunnels and all
 * are up, else EXIT_FAILED. */
int status_show(const struct statedir *state, bool json);

#endif
