/* SPDX-License-Identifier: ISC */
/* The configuration in force, as a file that could be read again. */
#ifndef TUNLEASE_CONF_PRINT_H
#define TUNLEASE_CONF_PRINT_H

struct buf;
struct conf;

/* No key: an enrolment key is never printed. */
void conf_print(const struct conf *c, struct buf *out);

#endif
