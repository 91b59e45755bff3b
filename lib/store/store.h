/* SPDX-License-Identifier: ISC */
/*
 * The lease store: the only source of who may log in and what for. Only lib/store uses SQLite.
 * Design: docs/design.md 4; the reason for each setting: docs/sqlite-facts.md.
 *
 * Reading (akc, list, show) never waits for a writer. Writing uses BEGIN IMMEDIATE, so two writers
 * can neither overwrite each other's changes nor fork the audit chain; every change appends its
 * audit row in the same transaction. Nothing here logs or decides by the clock: callers pass the
 * time.
 */
#ifndef TUNLEASE_STORE_STORE_H
#define TUNLEASE_STORE_STORE_H

struct store; /* an open one */

/* "There is none" and "could not find out" are different results. */
enum store_rc {
    STORE_OK,
    STORE_NONE,     /* there is none */
    STORE_CONFLICT, /* another lease has the name, key or port */
    STORE_BUSY,     /* another writer held the lock until the timeout */
    STORE_FAIL,     /* missing, unreadable, corrupt, full, out of memory: see store_error */
};

enum { STORE_ERROR_BYTES = 1024 }; /* what failed, in words */

#endif
