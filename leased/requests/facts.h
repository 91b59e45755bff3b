/* SPDX-License-Identifier: ISC */
/* What the store keeps of an agent besides its lease: what it says of itself, and our notes. */
#ifndef TUNLEASE_LEASED_REQUESTS_FACTS_H
#define TUNLEASE_LEASED_REQUESTS_FACTS_H

#include "lib/store/store.h"
#include <stdbool.h>
#include <stddef.h>

struct agent_notes;
struct buf;
struct control_request;
struct member;

/* One visible line of at most max bytes: it goes into the store and into ssh_config stanzas. */
bool facts_is_plain(const char *text, size_t max);

/* Adds the notes and what the agent says of itself; each host key is one that ssh could use. NULL,
 * or what is wrong. */
const char *facts_collect(const struct control_request *r, const struct agent_notes *notes,
                          struct buf *out);

/* The notes of an agent, asked for once. */
enum store_rc facts_read_notes(struct store *st, struct member *m);

#endif
