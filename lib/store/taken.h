/* SPDX-License-Identifier: ISC */
/* Whether a lease that is to be added would conflict with one that is there. */
#ifndef TUNLEASE_STORE_TAKEN_H
#define TUNLEASE_STORE_TAKEN_H

#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdint.h>

struct permit_list;

/* STORE_OK: a lease on login that is not revoked has the key, and *ret says which. STORE_NONE: none
 * has it. */
enum store_rc store_key_holder(struct store *st, const char *login, const char *fingerprint,
                               int64_t now_s, struct store_conflict *ret);

/* STORE_OK: another lease than name has one of the ports, or had it less than quarantine_s ago, and
 * *ret says which. STORE_NONE: none has. */
enum store_rc store_ports_holder(struct store *st, const char *name,
                                 const struct permit_list *listen, int64_t quarantine_s,
                                 int64_t now_s, struct store_conflict *ret);

#endif
