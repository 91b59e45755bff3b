/* SPDX-License-Identifier: ISC */
/* Reads which sessions are in the registry, and are there. */
#ifndef TUNLEASE_SESSION_REGISTRY_READ_H
#define TUNLEASE_SESSION_REGISTRY_READ_H

#include "lib/session/registry.h"
#include "lib/session/session_list.h"

#include <stdint.h>

enum {
    REGISTRY_SESSIONS_MAX = 100000, /* more are not read: reading fails */
    REGISTRY_NAMES_MAX = 1000000,   /* the same, of entries with those of the dead */
};

/*
 * The sessions by pid, live and unseen; lease_id 0: all, else those of that lease and those that
 * are opening, whose lease is not known yet. A session that goes from opening to open meanwhile is
 * not missed, and is there once. Changes nothing. 0, or -1 with errno set: it cannot be told which
 * sessions there are.
 */
int registry_read(const struct registry *r, int64_t lease_id, struct session_list *ret);

/* The same of the open ones of one lease; reads no other entry. Who holds the lease's lock misses
 * none; else one that settles meanwhile may be missed. ETIMEDOUT: not by deadline_ms
 * (clock_monotonic_ms). */
int registry_read_open(const struct registry *r, int64_t lease_id, int64_t deadline_ms,
                       struct session_list *ret);

#endif
