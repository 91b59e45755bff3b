/* SPDX-License-Identifier: ISC */
/* Other commands of this leasectl, as programs of their own: doctor and verify. An admin who runs
 * the same command sees the same. */
#ifndef TUNLEASE_LEASECTL_PROVE_SELF_H
#define TUNLEASE_LEASECTL_PROVE_SELF_H

#include "leasectl/child.h"
#include "leasectl/ctl.h"

#include <stddef.h>

enum { SELF_WORDS_MAX = 8 };

/* Starts `leasectl [-c FILE] WORDS...`, as child_start. words ends with NULL. */
int self_start(const struct ctl *ctl, const char *const words[], struct child *ret);

/* The next row of a table that it printed, piped: up to max cells, which are cut from *rest, and
 * how many they are. 0: there is none. */
size_t self_next_row(char **rest, const char *cells[], size_t max);

#endif
