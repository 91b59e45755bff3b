/* SPDX-License-Identifier: ISC */
/* Processes of tunnel logins that are in no entry of the registry (lib/session/strays.h). */
#ifndef TUNLEASE_LEASED_WATCH_UNREGISTERED_H
#define TUNLEASE_LEASED_WATCH_UNREGISTERED_H

#include "lib/session/strays.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct event;
struct event_base;
struct sessions;

struct unregistered {
    const struct sessions *sessions;
    struct stray_logins logins; /* the tunnel group's, and the two that are named */
    uid_t *login_uids;
    struct strays strays; /* as last looked for */
    enum sight sight;
    bool is_unreported; /* nobody was told of that look yet */
    unsigned rescans;   /* that nobody asked for */
    struct event *on_rescan;
};

int unregistered_start(struct unregistered *u, struct event_base *base,
                       const struct sessions *sessions);

/* Whose processes are looked for, by the configuration and the user database as they are now. Where
 * there is no memory, those that were known before. */
void unregistered_find_logins(struct unregistered *u, const struct conf *conf);

/* Looks. Those that were found are there; that none was says nothing where not all are to be seen:
 * -1. */
int64_t unregistered_count(struct unregistered *u);

#endif
