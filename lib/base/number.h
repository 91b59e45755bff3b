/* SPDX-License-Identifier: ISC */
/* Numbers as people and files write them. Each number has one spelling: strtol(3) and strtonum(3)
 * would also accept blanks, signs and leading zeros. Pure. */
#ifndef TUNLEASE_BASE_NUMBER_H
#define TUNLEASE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses the len bytes at s: only decimal digits, no leading zero, a value from min (at least 0) to
 * max. Returns false, with *ret untouched, if they are anything else. */
bool number_parse(const char *s, size_t len, int64_t min, int64_t max, int64_t *ret);

/* The same for any int64_t but the least: a negative number begins with a minus sign. */
bool number_parse_signed(const char *s, size_t len, int64_t *ret);

#endif
