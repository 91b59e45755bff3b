/* SPDX-License-Identifier: ISC */
/* Inside lib/wire: one JSON text, read with limits and written, whoever's fields are in it. */
#ifndef TUNLEASE_WIRE_DOCUMENT_H
#define TUNLEASE_WIRE_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

struct buf;

/*
 * NULL and *ret, to be released; or why the text is no object, as one sentence: not UTF-8, not
 * JSON, brackets more than 8 deep in one another, a key twice, something after it. *ret is NULL
 * then.
 */
const char *document_parse(const char *text, size_t len, json_t **ret);

/* Takes object, which may be NULL for one that could not be made. flags: jansson's. What is not fit
 * for a terminal (lib/base/text.h) is written as \uNNNN, which every reader takes as the same
 * string. 0, or -1 when memory ran out. */
int document_write(json_t *object, size_t flags, struct buf *out);

/* The text as a JSON string, alone. 0, or -1: it is no UTF-8, or memory ran out. */
int document_add_text(struct buf *out, const char *text);

/* What is no UTF-8 becomes \xNN in it, as on a terminal. NULL: text is NULL, or no memory. */
json_t *document_any_text(const char *text);

/* The same, but null for NULL and for "". */
json_t *document_text_or_null(const char *text);

#endif
