/* SPDX-License-Identifier: ISC */
/*
 * The lease store: the one truth about who may. The only code that knows SQLite.
 * Design: docs/design.md 4; why each setting is what it is: docs/sqlite-facts.md.
 *
 * Reading (akc, list, show) never waits for a writer. Writing is BEGIN IMMEDIATE, so two writers
 * can neither overwrite each other nor fork the audit chain; every change appends its audit row in
 * the same transaction. Nothing here logs or reads the clock.
 */
#ifndef TUNLEASE_STORE_STORE_H
#define TUNLEASE_STORE_STORE_H

struct store; /* an open one */

/* "No" and "could not ask" are different answers. */
enum store_rc {
    STORE_OK,
    STORE_NONE,     /* asked, and there is none */
    STORE_CONFLICT, /* the name, key or port is another's */
    STORE_BUSY,     /* another writer held the lock for the whole timeout */
    STORE_FAIL,     /* missing, unreadable, corrupt, full, out of memory: see store_error */
};

enum { STORE_ERROR_BYTES = 1024 }; /* what failed, in words */

#endif
