/* SPDX-License-Identifier: ISC */
/* The text that the store keeps of an agent besides its lease: what the agent says of itself, and
 * the notes of leased. */
#ifndef TUNLEASE_LEASED_REQUESTS_FACTS_H
#define TUNLEASE_LEASED_REQUESTS_FACTS_H

#include "lib/store/store.h"
#include <stdbool.h>
#include <stddef.h>

struct agent_notes;
struct buf;
struct control_request;
struct member;

/* Whether text is one line of at most max printable bytes: it goes into the store and into
 * ssh_config stanzas. */
bool facts_is_plain(const char *text, size_t max);

/* Adds the notes and what the agent says of itself. Each host key must be one that ssh can use.
 * Returns NULL, or what is wrong. */
const char *facts_collect(const struct control_request *r, const struct agent_notes *notes,
                          struct buf *out);

/* Reads the notes of an agent, if they are not in *m yet. */
enum store_rc facts_read_notes(struct store *st, struct member *m);

#endif
