/* SPDX-License-Identifier: ISC */
/*
 * A lease that lasts as long as a command: it ends within a minute, and a keeper
 * (lib/base/keeper.h) prolongs it every 20 s. The keeper revokes it when the command has ended or
 * leasectl was killed; if the keeper is killed as well, the minute runs out. Between two
 * prolongations it looks at the lease when somebody has written to the store, so that a command
 * whose lease is revoked is ended at once.
 */
#ifndef TUNLEASE_LEASECTL_RUN_MINUTE_H
#define TUNLEASE_LEASECTL_RUN_MINUTE_H

#include "leasectl/ctl.h"
#include "lib/lease/lease.h"

#include <stdint.h>

enum {
    MINUTE_LEASE_S = 60,
    MINUTE_PROLONG_MS = 20 * 1000,
    MINUTE_RETRY_MS = 1000, /* after a failure */
    MINUTE_LOOK_MS = 1000,  /* between two looks whether somebody wrote to the store */
};

struct minute {
    struct ctl *ctl;
    struct lease lease; /* as it was read at first; expires_s: the end that it was given last */
    int64_t limit_s;    /* it never ends later: --for, --until; INT64_MAX: none */
    int64_t over_ms;    /* when the minute is over, by clock_boot_ms */
};

/* The end of the lease from now on. */
int64_t minute_end_s(const struct minute *m, int64_t now_s);

/* The keeper's function; arg is a struct minute. Exits with EXIT_DONE when the lease was given
 * back; MINUTE_LOST when it may not be prolonged any more, which it says on standard error. */
enum { MINUTE_LOST = 10 };
int minute_keep(void *arg, int tie);

/* Revokes the lease, unless somebody else has revoked it or given it a later end, and ends its
 * sessions. Opens the store. EXIT_DONE, or the exit code with the error printed. */
int minute_give_back(struct minute *m);

#endif
