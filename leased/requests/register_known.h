/* SPDX-License-Identifier: ISC */
/* For an agent whose key and credential were found to be right: renews its lease, and fills in the
 * answer. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTER_KNOWN_H
#define TUNLEASE_LEASED_REQUESTS_REGISTER_KNOWN_H

#include "lib/store/store.h"

struct registering;

/* Anything but STORE_OK: the store failed. */
enum store_rc register_known(struct registering *reg);

#endif
