/* SPDX-License-Identifier: ISC */
/* Where the options of an authorized_keys line end. Pure. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_SPLIT_H
#define TUNLEASE_LEASE_AUTHORIZED_SPLIT_H

#include <stdbool.h>

static inline bool authorized_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The end of the options that s begins with: the first blank outside of quotes, or the end of s.
 * NULL: a quote is not closed. */
const char *authorized_options_end(const char *s);

#endif
