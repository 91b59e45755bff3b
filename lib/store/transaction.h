/* SPDX-License-Identifier: ISC */
/*
 * Changes that are made together or not at all. Uses BEGIN IMMEDIATE, so two writers can neither
 * overwrite each other's changes nor fork the audit chain.
 */
#ifndef TUNLEASE_STORE_TRANSACTION_H
#define TUNLEASE_STORE_TRANSACTION_H

#include "lib/store/store.h"

#include <stdbool.h>

enum store_rc store_begin(struct store *st);
enum store_rc store_commit(struct store *st);
void store_rollback(struct store *st);

/* Begin and end a part of a transaction that can be rolled back alone. commit: keep the part;
 * false: roll it back. */
enum store_rc store_savepoint(struct store *st);
enum store_rc store_savepoint_end(struct store *st, bool commit);

/* True if the transaction is still open after a statement that failed, so that other statements may
 * follow in it. */
bool store_transaction_is_open(const struct store *st);

#endif
