/* SPDX-License-Identifier: ISC */
/* Writes a leg as the block of tunnels.conf that it would be read from. */
#ifndef TUNLEASE_AGENT_CONFIG_LEG_TEXT_H
#define TUNLEASE_AGENT_CONFIG_LEG_TEXT_H

#include "tunnel-agent/config/leg.h"

struct buf;

/*
 * Adds the block of a leg of the user's own ssh. Of the options of ssh it may have -p, -i, -J and
 * -o. NULL; or why the file cannot say it, as the predicate of a sentence, and part of it may be in
 * out.
 */
const char *leg_text_add(const struct leg *leg, struct buf *out);

/* True if both lead to the same host, with the same options and to the same ports there. Names and
 * local ports may differ. */
bool leg_leads_alike(const struct leg *a, const struct leg *b);

#endif
