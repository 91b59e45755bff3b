/* SPDX-License-Identifier: ISC */
/* The text that the store keeps of an agent besides its lease: what the agent says of itself, and
 * the notes of leased. */
#ifndef TUNLEASE_LEASED_REQUESTS_FACTS_H
#define TUNLEASE_LEASED_REQUESTS_FACTS_H

#include "lib/store/store.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent_copies;
struct agent_notes;
struct buf;
struct control_request;
struct member;

/* Whether text is one line of at most max printable bytes: it goes into the store and into
 * ssh_config stanzas. */
bool facts_is_plain(const char *text, size_t max);

/* Adds the notes, what the agent says of itself, and what is known of its copies. Each host key
 * must be one that ssh can use. Returns NULL, or what is wrong. */
const char *facts_collect(const struct control_request *r, const struct agent_notes *notes,
                          const struct agent_copies *copies, struct buf *out);

/* Reads what is known of an agent's copies. */
enum store_rc facts_read_copies(struct store *st, int64_t id, struct agent_copies *ret);

/* Reads the notes of an agent, if they are not in *m yet. */
enum store_rc facts_read_notes(struct store *st, struct member *m);

#endif
