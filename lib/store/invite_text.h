/* SPDX-License-Identifier: ISC */
/* Inside lib/store: what the column `invite` holds, lines of `key value`: the terms of the lease to
 * be, and once the invite is spent, by which key and into which lease. */
#ifndef TUNLEASE_STORE_INVITE_TEXT_H
#define TUNLEASE_STORE_INVITE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct invite;

void invite_text_format(const struct invite *i, struct buf *out);

/* The lines that are added to it when it is spent. */
void invite_text_format_spent(int64_t lease_id, const char *fingerprint, struct buf *out);

/* Fills in what the text has; all else of *i stays. A key that is not known is skipped. False: a
 * field is invalid; *i has to be released all the same. */
bool invite_text_parse(const char *text, struct invite *i);

#endif
