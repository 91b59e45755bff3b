/* SPDX-License-Identifier: ISC */
/* What a line of authorized_keys allows, for people. Pure but for the time zone. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_WORDS_H
#define TUNLEASE_LEASE_AUTHORIZED_WORDS_H

#include "lib/lease/authorized/authorized.h"

#include <stdbool.h>

struct buf;

/* Adds `any -R; -L 127.0.0.1:8009; commands`: what sshd allows by a key or an authority, without
 * what no request can use. Nothing for other lines. Not escaped. */
void authorized_add_words(const struct authorized_line *l, struct buf *out);

/* True if options stand in the comment, where they do nothing. */
bool authorized_comment_has_options(const struct authorized_line *l);

/* Adds one more word to those that out has since it was start bytes long: `; ` stands between. */
void authorized_add_word(struct buf *out, size_t start, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
