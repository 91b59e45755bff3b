/* SPDX-License-Identifier: ISC */
/* Numbers as people and files write them. One number has one spelling: strtol(3) and strtonum(3)
 * also take blanks, signs and leading zeros. Pure. */
#ifndef TUNLEASE_BASE_NUMBER_H
#define TUNLEASE_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The len bytes at s: decimal digits alone, without a leading zero, from min (not below 0) to max.
 * *ret is untouched when they are not. */
bool number_parse(const char *s, size_t len, int64_t min, int64_t max, int64_t *ret);

#endif
