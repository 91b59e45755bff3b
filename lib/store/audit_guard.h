/* SPDX-License-Identifier: ISC */
/* Tries whether the triggers keep the rows of the audit as they are. */
#ifndef TUNLEASE_STORE_AUDIT_GUARD_H
#define TUNLEASE_STORE_AUDIT_GUARD_H

#include "lib/store/store.h"

#include <stdbool.h>

/* True: it was refused. */
struct audit_guard {
    bool change, removal, replacement;
};

/*
 * Tries each with the newest row, in a transaction of its own that is rolled back in any case. The
 * store must be open to write. STORE_OK: all three were tried. STORE_NONE: there is no row.
 */
enum store_rc audit_guard_try(struct store *st, struct audit_guard *ret);

#endif
