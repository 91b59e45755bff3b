/* SPDX-License-Identifier: ISC */
/* What was decided of somebody who wants to join: the answer, and what is logged after the commit.
 */
#ifndef TUNLEASE_LEASED_REQUESTS_JOIN_RESULT_H
#define TUNLEASE_LEASED_REQUESTS_JOIN_RESULT_H

#include "lib/base/base64.h"
#include "lib/lease/name.h"
#include "lib/session/session.h"

#include <stdbool.h>
#include <stdint.h>

struct join_result {
    int exit;                           /* enum join_exit */
    char *text;                         /* owned; may hold an agent's secret */
    const char *why;                    /* for the log; static. NULL with exit 0 */
    char client[SESSION_ADDRESS_BYTES]; /* "": not known */
    char fingerprint[FINGERPRINT_BYTES];
    char lease[LEASE_NAME_BYTES]; /* that was joined; "": none */
    int64_t lease_id, invite_id;
    bool is_again; /* the same answer as before */
};

/* NULL: out of memory. */
struct join_result *join_result_make(void);
void join_result_free(struct join_result *r); /* wipes the text; r may be NULL */

#endif
