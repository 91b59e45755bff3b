/* SPDX-License-Identifier: ISC */
/*
 * The leases that leasectl verify makes for its attempts. They have negative numbers: those that
 * admins see stay without gaps, and a walk (lib/store/walk.h) passes them by. To akc, pam_tunnel
 * and the judgement of sessions they are leases like others.
 */
#ifndef TUNLEASE_STORE_PROBES_H
#define TUNLEASE_STORE_PROBES_H

#include "lib/store/actor.h"
#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease;

enum { PROBE_NAME_BYTES = sizeof("verify-12345678") };

/* The name of a probe; a random number makes it its own. */
void probe_name_format(uint32_t random, char out[static PROBE_NAME_BYTES]);

/* True if the word at text, up to a blank or its end, is such a name. */
bool probe_name_begins(const char *text);

/* As store_lease_add, with l->id for the number, which is negative and was never used. */
enum store_rc store_probe_add(struct store *st, const struct lease *l, int64_t quarantine_s,
                              const struct store_actor *by, struct store_conflict *ret_conflict);

enum {
    PROBES_AT_ONCE = 16,
    PROBE_ABANDONED_S = 60, /* for so long after its end a probe may be needed by a slow verify */
};

/* The probes that a verify has left which was killed; up to PROBES_AT_ONCE of them. */
enum store_rc store_probes_abandoned(struct store *st, int64_t now_s,
                                     int64_t ret_ids[static PROBES_AT_ONCE], size_t *ret_count);

/* Deletes these, within a transaction. One that another program has deleted meanwhile is no
 * failure. */
enum store_rc store_probes_delete(struct store *st, const int64_t ids[], size_t count,
                                  const struct store_actor *by);

#endif
