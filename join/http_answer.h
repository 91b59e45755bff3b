/* SPDX-License-Identifier: ISC */
/* One answer of leased over HTTP, as text. Pure. */
#ifndef TUNLEASE_JOIN_HTTP_ANSWER_H
#define TUNLEASE_JOIN_HTTP_ANSWER_H

#include <stddef.h>

/*
 * Parses the len bytes up to the end of a connection, whose request asked for its close. Returns
 * the status, and *ret_body points into text; or 0: it is no answer, or not a whole one. text need
 * not end with a NUL.
 */
unsigned http_answer_parse(const char *text, size_t len, const char **ret_body, size_t *ret_len);

#endif
