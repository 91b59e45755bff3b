/* SPDX-License-Identifier: ISC */
/* What somebody who joins is told. All return STORE_OK, for the decision that goes on; or
 * STORE_FAIL, out of memory: then nothing may be spent. */
#ifndef TUNLEASE_LEASED_REQUESTS_JOIN_ANSWER_H
#define TUNLEASE_LEASED_REQUESTS_JOIN_ANSWER_H

#include "leased/requests/join_result.h"
#include "leased/requests/joining.h"
#include "lib/store/store.h"

/* Refuses. why: for the log, static; text: for people, with a newline at its end. */
enum store_rc join_refuse(struct join_result *ret, int exit, const char *why, const char *text, ...)
    __attribute__((format(printf, 4, 5)));

/* One answer for a code that never was, is spent, over or revoked. */
enum store_rc join_refuse_code(struct join_result *ret, const char *why);

/* The key cannot be used, and another could. */
enum store_rc join_refuse_key(struct joining *j, const char *why, const char *text);

/* Joined: answers with the lease as it is now. */
enum store_rc join_accept(struct joining *j, int64_t lease_id);

#endif
