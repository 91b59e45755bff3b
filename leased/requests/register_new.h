/* SPDX-License-Identifier: ISC */
/* For an agent that does not exist yet: adds it, with a lease, and fills in the answer. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTER_NEW_H
#define TUNLEASE_LEASED_REQUESTS_REGISTER_NEW_H

#include "lib/store/store.h"

struct registering;

/* Anything but STORE_OK: the store failed. */
enum store_rc register_new(struct registering *reg);

#endif
