/* SPDX-License-Identifier: ISC */
/*
 * Changes that are made together or not at all. BEGIN IMMEDIATE, so two writers can neither
 * overwrite each other nor fork the audit chain.
 */
#ifndef TUNLEASE_STORE_TRANSACTION_H
#define TUNLEASE_STORE_TRANSACTION_H

#include "lib/store/store.h"

#include <stdbool.h>

enum store_rc store_begin(struct store *st);
enum store_rc store_commit(struct store *st);
void store_rollback(struct store *st);

/* Begins and ends a part of a transaction that may be undone alone. */
enum store_rc store_savepoint(struct store *st);
enum store_rc store_savepoint_end(struct store *st, bool commit);

/* Whether a statement that failed left its transaction as it was: others may go on in it. */
bool store_transaction_is_open(const struct store *st);

#endif
