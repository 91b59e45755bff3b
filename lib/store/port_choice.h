/* SPDX-License-Identifier: ISC */
/* Chooses the listen port of a new agent. */
#ifndef TUNLEASE_STORE_PORT_CHOICE_H
#define TUNLEASE_STORE_PORT_CHOICE_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Chooses a port in low..high that is neither held nor quarantined: one that was never leased, else
 * the one whose quarantine ended longest ago. usable says whether the caller can use it (nothing
 * else listens there). STORE_NONE: no port is left.
 */
enum store_rc store_port_pick(struct store *st, uint16_t low, uint16_t high, int64_t quarantine_s,
                              int64_t now_s, bool (*usable)(void *ctx, uint16_t port), void *ctx,
                              uint16_t *ret_port);

/* Finds the port that `name` held before and that is still recorded for it, the newest of several.
 * STORE_NONE: none; *ret_any says whether there is a freed port of any holder. */
enum store_rc store_port_former(struct store *st, const char *name, uint16_t *ret_port,
                                bool *ret_any);

#endif
