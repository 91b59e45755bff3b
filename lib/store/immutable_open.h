/* SPDX-License-Identifier: ISC */
/* Inside lib/store: opening a store to be read without its log, under guard. */
#ifndef TUNLEASE_STORE_IMMUTABLE_OPEN_H
#define TUNLEASE_STORE_IMMUTABLE_OPEN_H

#include "lib/store/store.h"

/*
 * *ret reads the main file alone, under guard. STORE_FAIL: *ret holds the reason (NULL: out of
 * memory), and store_failure_is_transient says whether it is only that the guard does not hold just
 * now.
 */
enum store_rc immutable_open(const char *path, struct store **ret);

#endif
