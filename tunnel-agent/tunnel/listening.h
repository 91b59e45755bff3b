/* SPDX-License-Identifier: ISC */
/* What listens where, while a tunnel is up: for the line that says so. Pure. */
#ifndef TUNLEASE_AGENT_TUNNEL_LISTENING_H
#define TUNLEASE_AGENT_TUNNEL_LISTENING_H

#include <stdbool.h>

struct buf;
struct leg;

/* Adds "127.0.0.1:8009 here leads to 127.0.0.1:8009 at HOST", with ", " between the forwards; ports
 * that follow each other are one range. left_out: forward i does not listen; NULL: all do. Adds
 * nothing if none does. */
void listening_add(struct buf *out, const struct leg *leg, const bool *left_out);

#endif
