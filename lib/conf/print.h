/* SPDX-License-Identifier: ISC */
/* Prints the configuration in force, in the syntax of tunlease.conf(5). */
#ifndef TUNLEASE_CONF_PRINT_H
#define TUNLEASE_CONF_PRINT_H

struct buf;
struct conf;

/* Appends it to out, without enrolment keys: those are never printed. */
void conf_print(const struct conf *c, struct buf *out);

#endif
