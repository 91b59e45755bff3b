/* SPDX-License-Identifier: ISC */
/* An invite that an admin asks for. Each function returns EXIT_DONE, or the exit code with the
 * error printed. */
#ifndef TUNLEASE_LEASECTL_LEASE_INVITE_REQUEST_H
#define TUNLEASE_LEASECTL_LEASE_INVITE_REQUEST_H

#include "leasectl/lease/grant_request.h"
#include "lib/lease/invite_code.h"
#include "lib/store/invite.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

/* Zero-initialised: nothing is asked for yet. Release it with invite_request_release. */
struct invite_request {
    struct grant_request grant; /* what is said as for grant; invite_request_complete empties it */
    uint16_t port;              /* --port of a private host; 0: not given */
    bool for_given;
    int64_t valid_s; /* 0: the default */
    struct invite invite;
    char code[INVITE_CODE_BYTES]; /* from invite_request_store on, and nowhere else */
};

void invite_request_release(struct invite_request *req);

/* Takes one option: those of GRANT_REQUEST_TERMS, and these. */
#define INVITE_REQUEST_TERMS                                                                       \
    {"agent", no_argument, NULL, 'a'}, {"replace", no_argument, NULL, 'e'},                        \
        {"port", required_argument, NULL, 'p'},                                                    \
    {                                                                                              \
        "valid", required_argument, NULL, 'v'                                                      \
    }
int invite_request_parse_option(struct ctl *ctl, struct invite_request *req, int opt,
                                const char *arg);

/* Whether there is a login at which somebody can join; else why not in out. */
bool invite_can_be_redeemed(const struct ctl *ctl, struct buf *out);

/* Checks that somebody can join, fills in what was not named, and checks the terms against the
 * ceiling. */
int invite_request_complete(struct ctl *ctl, struct invite_request *req);

/* Makes the code, and adds the invite in a transaction of its own. Needs the store open to write.
 */
int invite_request_store(struct ctl *ctl, struct invite_request *req);

#endif
