/* SPDX-License-Identifier: ISC */
/* What a rehearsal has found, and how it is printed. */
#ifndef TUNLEASE_LEASECTL_REHEARSAL_FORECAST_H
#define TUNLEASE_LEASECTL_REHEARSAL_FORECAST_H

#include "leasectl/ctl.h"
#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/session/session_list.h"
#include "lib/session/sight.h"
#include "lib/session/sockets.h"

#include <stddef.h>

struct found_change {
    const char *what;             /* revoke, delete, set, remove-key or freeze; or as restored.h */
    char lease[LEASE_NAME_BYTES]; /* "": a freeze */
    int64_t lease_id;
    char login[LOGIN_NAME_BYTES];
    struct buf details;       /* a clause for people on each line */
    struct buf before, after; /* the lease as JSON; "": there is none */
};

struct forecast {
    struct found_change *changes; /* owned */
    size_t change_count, change_room;
    bool sessions_known;
    struct session_list live;   /* all that are up */
    struct session_list ending; /* which of them would end */
    const char **reasons;       /* why, for each of ending; the array is owned */
    struct socket_list sockets; /* of live */
    bool *own;                  /* for each of ending: the admin's connection runs through it */
    enum sight own_sight;       /* whether any of own is true */
    struct buf unregistered;    /* logins and pids, a clause on each line: who stays up */
    struct buf unknown;         /* what could not be found out, a sentence on each line */
};

/* Prints all of it as one table, or one object. EXIT_DONE, or the exit code with the error
 * printed: EXIT_FAILED when something could not be found out. */
int forecast_print(struct ctl *ctl, const struct forecast *f);

void forecast_release(struct forecast *f);

#endif
