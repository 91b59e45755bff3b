/* SPDX-License-Identifier: ISC */
/*
 * Which ports are listened on. A look is made at once while that is quick. With tens of thousands
 * of listeners it takes a tenth of a second: then what was found last has to do until a look in
 * pieces, between requests, is through, and the next begins only after thirty times as long, so
 * that three parts in a hundred of a processor go into it.
 */
#ifndef TUNLEASE_LEASED_WATCH_LISTENERS_CACHE_H
#define TUNLEASE_LEASED_WATCH_LISTENERS_CACHE_H

#include "lib/session/listeners.h"

#include <stdbool.h>
#include <stdint.h>

struct event;
struct event_base;

enum {
    LISTENERS_MAX_AGE_MS = 1000, /* how old the look at what listens may be */
    LISTENERS_RECENT_MS = 100,   /* where it does not fit the registry */
};

struct listeners_cache {
    bool foreign_network; /* behind systemd's sockets: our own /proc/net shows nothing */
    struct listeners found;
    int64_t read_ms; /* when it was read; 0: never */
    int64_t took_ms;
    bool is_unreadable; /* it could not be read */

    bool is_scanning; /* in pieces, for the next */
    struct listeners_look scan;
    int64_t scan_since_ms, scan_us; /* of that look */
    struct event *on_piece;
};

/* foreign_network: our own network namespace is not the one where sshd listens. 0, or -1. */
int listeners_cache_start(struct listeners_cache *l, struct event_base *base, bool foreign_network);

/* Whether anything listens on the port, by a look at most max_age_ms old, or a little more; by a
 * new one for 0. Where it cannot be read nothing is seen to listen. */
bool listeners_cache_has(struct listeners_cache *l, uint16_t port, int64_t max_age_ms);

/* Whether that can be read; where it cannot, no port is anybody's to give. */
bool listeners_cache_is_readable(struct listeners_cache *l);

#endif
