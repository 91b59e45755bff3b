/* SPDX-License-Identifier: ISC */
/* Which listen port a new agent gets. */
#ifndef TUNLEASE_STORE_PORT_CHOICE_H
#define TUNLEASE_STORE_PORT_CHOICE_H

#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * A port in low..high that nobody holds or kept: one that was never leased, else the one whose
 * quarantine ended longest ago. usable says whether the caller can have it (nothing else listens).
 * STORE_NONE: all are taken.
 */
enum store_rc store_port_pick(struct store *st, uint16_t low, uint16_t high, int64_t quarantine_s,
                              int64_t now_s, bool (*usable)(void *ctx, uint16_t port), void *ctx,
                              uint16_t *ret_port);

/* The port that is kept for its former holder of that name, the newest of several. STORE_NONE: none
 * is; *ret_any says whether any is kept at all. */
enum store_rc store_port_former(struct store *st, const char *name, uint16_t *ret_port,
                                bool *ret_any);

#endif
