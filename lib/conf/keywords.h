/* SPDX-License-Identifier: ISC */
/* Inside lib/conf: the table of keywords, and how a line of tunlease.conf is applied. */
#ifndef TUNLEASE_CONF_KEYWORDS_H
#define TUNLEASE_CONF_KEYWORDS_H

#include <stdbool.h>
#include <stddef.h>

struct keyword_line;
struct loading;

/* A keyword_fn whose context is a struct loading. Adds what is wrong to its problems and returns 0,
 * so that the next line is read, too. */
int keywords_parse_line(void *loading, const struct keyword_line *line);

/* Sets the keyword name, which must be in the table, to words. NULL, or why not, as a clause. */
const char *keywords_set(struct loading *load, const char *name, char *const *words, size_t count);

/* False if one of these keywords had an invalid value. names may end early, with a NULL. */
bool keywords_are_valid(const struct loading *load, const char *const names[], size_t count);

#endif
