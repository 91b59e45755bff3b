/* SPDX-License-Identifier: ISC */
/* A lease that an admin asks for, with the options of grant: for each verb that grants one. Each
 * function returns EXIT_DONE, or the exit code with the error printed. */
#ifndef TUNLEASE_LEASECTL_LEASE_GRANT_REQUEST_H
#define TUNLEASE_LEASECTL_LEASE_GRANT_REQUEST_H

#include "leasectl/ctl_store.h"
#include "lib/lease/lease.h"

#include <stdbool.h>
#include <stdint.h>

/* Zero-initialised: nothing is asked for yet. The caller releases both leases with lease_release.
 */
struct grant_request {
    struct lease lease;
    const char *key_file; /* NULL: ask the admin for it; "-": standard input */
    const char *command;  /* the lease is for as long as this command runs; NULL: it is not */
    struct lease left;    /* out: what an earlier command left, revoked now; id 0: nothing */
    bool listen_auto;
    bool login_named;
};

/* The options, for an array of struct option; their values are small letters. */
#define GRANT_REQUEST_TERMS                                                                        \
    {"open", required_argument, NULL, 'o'}, {"listen", required_argument, NULL, 'r'},              \
        {"login", required_argument, NULL, 'l'}, {"for", required_argument, NULL, 'f'},            \
        {"until", required_argument, NULL, 'u'}, {"from", required_argument, NULL, 's'},           \
        {"max-sessions", required_argument, NULL, 'm'},                                            \
    {                                                                                              \
        "note", required_argument, NULL, 'n'                                                       \
    }

/* Takes one option, or --key FILE ('k'). Another opt: EXIT_USAGE, without an error. arg is
 * borrowed. */
int grant_request_parse_option(struct ctl *ctl, struct grant_request *req, int opt,
                               const char *arg);

/* Fills in what was not named (login, permits, end), and checks what can be checked without the
 * ceiling. */
int grant_request_complete(struct ctl *ctl, struct grant_request *req);

/* Reads the key, or asks for it on a terminal, and adds it to the lease. */
int grant_request_add_key(struct ctl *ctl, struct grant_request *req);

/* Adds a free port from the first range of AllowListen for the lease's login that has one. Within a
 * transaction. */
int grant_request_add_listen_port(struct ctl *ctl, struct lease *l);

/* Adds the lease in a transaction of its own; picks the port of --listen auto. *ret_id: its
 * number. Needs the store open to write. */
int grant_request_store(struct ctl *ctl, struct grant_request *req, int64_t *ret_id);

#endif
