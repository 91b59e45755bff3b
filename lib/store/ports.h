/* SPDX-License-Identifier: ISC */
/*
 * Inside lib/store: which lease holds a listen port, or held it. A port has one holder, whatever
 * the address. A freed port is quarantined for its former holder, by name.
 */
#ifndef TUNLEASE_STORE_PORTS_H
#define TUNLEASE_STORE_PORTS_H

#include "lib/store/conflict.h"
#include "lib/store/store.h"

#include <stdint.h>

struct permit_list;

/* Acquires every port of the list for a lease. STORE_CONFLICT: another lease has one of them; *ret
 * says which. */
enum store_rc ports_acquire(struct store *st, int64_t lease_id, const char *name,
                            const struct permit_list *listen, int64_t quarantine_s, int64_t now_s,
                            struct store_conflict *ret);

/* Frees the ports that a lease holds; their quarantine starts now. */
enum store_rc ports_free(struct store *st, int64_t lease_id, int64_t now_s);

/* Deletes the ports of a lease: they are free, without quarantine. */
enum store_rc ports_delete(struct store *st, int64_t lease_id);

#endif
