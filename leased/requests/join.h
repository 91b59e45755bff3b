/* SPDX-License-Identifier: ISC */
/*
 * Decides who joins (docs/protocol.md 10): the code of an invite, shown by somebody whose key sshd
 * has verified, becomes a lease. Judged in this order: code, repeat, freeze, key, source and
 * ceiling, name. Nothing but a lease spends an invite, and both are one commit.
 *
 * http only says which process asks, and by which user. Whose key it is and where the client is
 * come from the registry of join connections, which root writes.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_JOIN_H
#define TUNLEASE_LEASED_REQUESTS_JOIN_H

#include "lib/store/store.h"

struct control_answer;
struct control_request;
struct join_result;
struct request_context;
struct session;

/*
 * Fills *ret and the code of *a, both zero-initialised. Anything but STORE_OK: the store failed,
 * and the caller rolls back.
 */
enum store_rc join_decide(const struct request_context *ctx, const struct control_request *r,
                          struct join_result *ret, struct control_answer *a);

/* The same for a connection that is known, for the tests: conn is its entry. */
enum store_rc join_decide_as(const struct request_context *ctx, const struct control_request *r,
                             const struct session *conn, struct join_result *ret);

#endif
