/* SPDX-License-Identifier: ISC */
/* Durations as people type and read them (tunlease.conf(5)). Pure. */
#ifndef TUNLEASE_LEASE_DURATION_H
#define TUNLEASE_LEASE_DURATION_H

#include <stdint.h>

enum {
    DURATION_TEXT_BYTES = 32,
    DURATION_MAX_DAYS = 36500, /* a hundred years; anything longer is a typing error */
};

/* Parses `90s`, `15m`, `12h`, `7d`, `2w` or a sum, largest unit first and each unit once: `1d12h`.
 * Returns 0 and *ret_s, above 0; or -1. */
int duration_parse(const char *s, int64_t *ret_s);

/* The two largest units: `6d 23h`, `45s`. The sign of a negative value is left out. */
void duration_format(int64_t s, char out[static DURATION_TEXT_BYTES]);

#endif
