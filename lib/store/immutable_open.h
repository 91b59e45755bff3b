/* SPDX-License-Identifier: ISC */
/* Inside lib/store: opening a store to read its main file without its log. */
#ifndef TUNLEASE_STORE_IMMUTABLE_OPEN_H
#define TUNLEASE_STORE_IMMUTABLE_OPEN_H

#include "lib/store/store.h"

/*
 * *ret reads the main file alone. STORE_FAIL: *ret contains the reason (NULL: out of memory), and
 * store_failure_is_transient says whether another attempt may succeed: the log was not empty or the
 * file was being written.
 */
enum store_rc immutable_open(const char *path, struct store **ret);

#endif
