/* SPDX-License-Identifier: ISC */
/* What is wrong, and what of the page is therefore old or missing: the member `problems`. */
#ifndef TUNLEASE_LEASED_STATUS_PROBLEMS_H
#define TUNLEASE_LEASED_STATUS_PROBLEMS_H

struct buf;
struct overview;
struct overview_part;

/* Adds the member, an array of lines for people; empty: all is well. */
void problems_format(struct overview *o, const struct overview_part *part, struct buf *out);

/* Adds a line: why nothing of the store can be shown. */
void problems_of_store(const struct overview *o, struct buf *out);

#endif
