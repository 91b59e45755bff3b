/* SPDX-License-Identifier: ISC */
/*
 * Whose session an agent's session is, where two hosts have the agent's state. An agent has one
 * session: the login of one host ends that of the other. Its key does not tell them apart, so what
 * tells is how they ask.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_OTHER_SESSION_H
#define TUNLEASE_LEASED_REQUESTS_OTHER_SESSION_H

#include <stdbool.h>

struct control_request;
struct member;
struct request_context;

/*
 * Whether another host than the one that sends r may have a session of the agent. last_from: where
 * the last accepted request of the other one came from; "": not known. True also where it cannot be
 * told.
 */
bool other_session_may_be_up(const struct request_context *ctx, const struct control_request *r,
                             const struct member *agent, const char *last_from);

#endif
