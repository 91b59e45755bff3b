/* SPDX-License-Identifier: ISC */
/* A line of tunlease.conf whose value should be a permit or a ceiling, and is none. */
#ifndef TUNLEASE_CONF_PERMIT_LINE_H
#define TUNLEASE_CONF_PERMIT_LINE_H

#include <stdbool.h>

struct buf;
struct keyword_line;

/* Appends the value that is none, and the form that was meant, as permit_meant does
 * (lib/lease/permit_meant.h). False, with nothing appended: it is not known, or keyword takes no
 * permit. */
bool permit_line_meant(const char *keyword, const struct keyword_line *line, struct buf *ret_value,
                       struct buf *ret_meant);

#endif
