/* SPDX-License-Identifier: ISC */
/* Inside lib/wire: parses a JSON text within limits, and writes one. Knows no fields. */
#ifndef TUNLEASE_WIRE_DOCUMENT_H
#define TUNLEASE_WIRE_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

struct buf;

/*
 * Parses a JSON object. NULL, and *ret is the caller's to json_decref. Or the problem as one
 * sentence, and *ret is NULL: not UTF-8, not JSON, no object, more than 8 brackets deep, a key
 * twice, or bytes after the object.
 */
const char *document_parse(const char *text, size_t len, json_t **ret);

/* Adds object to out, and releases it. object may be NULL if memory ran out. flags: jansson's.
 * Characters that are not fit for a terminal (lib/base/text.h) are written as \uNNNN, which means
 * the same string. 0, or -1 when memory ran out. */
int document_write(json_t *object, size_t flags, struct buf *out);

/* Adds text as a JSON string. 0, or -1: text is not UTF-8, or memory ran out. */
int document_add_text(struct buf *out, const char *text);

/* A string of any bytes: what is not UTF-8 becomes \xNN. NULL: text is NULL, or no memory. */
json_t *document_any_text(const char *text);

/* The same, but JSON's null if text is NULL or "". */
json_t *document_text_or_null(const char *text);

#endif
