/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: the table of keywords, and a line of the file. */
#ifndef TUNLEASE_CONF_KEYWORDS_H
#define TUNLEASE_CONF_KEYWORDS_H

#include <stddef.h>

struct keyword_line;
struct loading;

/* A keyword_fn with a struct loading: 0, or positive with the reason in its err. */
int keywords_take_line(void *loading, const struct keyword_line *line);

/* The same without a line: name is a keyword of the table. NULL, or why not, as a clause. */
const char *keywords_set(struct loading *in, const char *name, char *const *words, size_t count);

#endif
