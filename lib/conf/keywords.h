/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: the table of keywords, and a line of the file. */
#ifndef TUNLEASE_CONF_KEYWORDS_H
#define TUNLEASE_CONF_KEYWORDS_H

#include <stdbool.h>
#include <stddef.h>

struct keyword_line;
struct loading;

/* A keyword_fn with a struct loading. Always 0: what is wrong is added to its problems. */
int keywords_parse_line(void *loading, const struct keyword_line *line);

/* The same without a line: name is a keyword of the table. NULL, or why not, as a clause. */
const char *keywords_set(struct loading *load, const char *name, char *const *words, size_t count);

/* False when the value of one of these keywords, up to the first NULL, could not be read. */
bool keywords_are_valid(const struct loading *load, const char *const names[], size_t count);

#endif
