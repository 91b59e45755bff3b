/* SPDX-License-Identifier: ISC */
/* `leasectl verify` for several tunnel logins, while other things are tried. */
#ifndef TUNLEASE_LEASECTL_PROVE_VERIFIES_H
#define TUNLEASE_LEASECTL_PROVE_VERIFIES_H

#include "leasectl/child.h"
#include "leasectl/prove/proof.h"
#include "lib/lease/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VERIFIES_MAX = 8,     /* logins */
    VERIFIES_AT_ONCE = 2, /* more of them would only wait for each other */
};

struct verify_run {
    char login[LOGIN_NAME_BYTES];
    int64_t lease_id; /* an active lease on it; 0: there is none */
    bool frozen;      /* nobody is let in there, so nothing can be tried */
    bool by_lease;    /* that lease is tried, since AllowOpen leaves no other port of this host */
    struct child child;
    bool running, stopped; /* stopped: it was told to end */
};

struct verifies {
    struct proof *proof;
    struct verify_run runs[VERIFIES_MAX];
    size_t count, begun;
    unsigned left_out; /* logins that are not tried, at least */
    char last_left_out[LOGIN_NAME_BYTES];
};

/* Adds a login, once, and the first of its leases (0: none). */
void verifies_add_login(struct verifies *v, const char *login, int64_t lease_id);

/* Marks a login as frozen; `*`: all of them. To be called after they were added. */
void verifies_freeze(struct verifies *v, const char *login);

/* NULL: it is none of those that are tried. */
const struct verify_run *verifies_find(const struct verifies *v, const char *login);

/* Starts the first ones. */
void verifies_begin(struct verifies *v);

/* Reads what they print, starts the next ones, and adds the results of those that have ended. True
 * while one runs or is to be started. */
bool verifies_go_on(struct verifies *v, int wait_ms);

/* Waits for all of them. Near the end of the time those that run are told to end: they remove what
 * they made. */
void verifies_finish(struct verifies *v);

#endif
