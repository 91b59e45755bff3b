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
    struct stray_logins logins; /* the tunnel group, its members, ForwardLogin and AgentLogin */
    uid_t *login_uids;
    struct strays strays; /* as of the last scan */
    enum sight sight;
    bool is_unreported; /* the last scan was our own, and nobody has asked for its result */
    unsigned rescans;   /* scans that nobody asked for */
    struct event *on_rescan;
};

int unregistered_start(struct unregistered *u, struct event_base *base,
                       const struct sessions *sessions);

/* Finds the tunnel logins, by the configuration and the user database as they are now. Out of
 * memory: the logins found before stay. */
void unregistered_find_logins(struct unregistered *u, const struct conf *conf);

/* Whether uid is that of a tunnel login, by the group as it was found last, or by the user's own
 * primary group as it is now. */
bool unregistered_is_login(const struct unregistered *u, uid_t uid);

/* Scans, and returns how many processes there are. -1: none was found, but not all processes can be
 * seen. */
int64_t unregistered_count(struct unregistered *u);

#endif
