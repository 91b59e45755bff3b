/* SPDX-License-Identifier: ISC */
/* How the tunnels fare: the text an agent gives, and `tunnel-agent status`, which collects it. */
#ifndef TUNLEASE_AGENT_TUNNEL_REPORT_H
#define TUNLEASE_AGENT_TUNNEL_REPORT_H

#include <stdbool.h>

struct buf;
struct statedir;
struct supervisor;

/* All tunnels of s: JSON objects with ",\n" between them, or lines of tab-separated values. */
void report_format(struct supervisor *s, bool json, struct buf *out);

/* Asks every agent that runs with this state directory, and prints. EXIT_DONE when there are
 * tunnels and all are up, else EXIT_FAILED. */
int report_show(const struct statedir *state, bool json);

#endif
