/* SPDX-License-Identifier: ISC */
/* What an admin hands to the holder of a lease: the lines to run, and what they lead to. */
#ifndef TUNLEASE_LEASECTL_SHOW_HANDOUT_H
#define TUNLEASE_LEASECTL_SHOW_HANDOUT_H

#include "leasectl/ctl.h"

struct buf;
struct lease;
struct pubkey;

/*
 * Adds the lines for the holder of l and how to use them. Needs the store open if l opens agents.
 * host_key: this gateway's, to compare; NULL: the holder knows it already, and only the lines have
 * changed.
 */
void handout_add(struct ctl *ctl, const struct lease *l, const struct pubkey *host_key,
                 struct buf *out);

#endif
