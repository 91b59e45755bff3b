/* SPDX-License-Identifier: ISC */
/* Durations and times as people type and read them (tunlease.conf(5)). Pure but for the time zone.
 */
#ifndef TUNLEASE_LEASE_DURATION_H
#define TUNLEASE_LEASE_DURATION_H

#include <stdint.h>

enum {
    TIME_TEXT_BYTES = 32,     /* what the printers below need at most */
    DURATION_MAX_DAYS = 36500 /* a hundred years: beyond it, it is a typing error */
};

/* 9999-12-31T23:59:59Z, the last time sshd reads (docs/sshd-facts.md 9). */
#define TIME_MAX_S INT64_C(253402300799)

/* `90s`, `15m`, `12h`, `7d`, `2w` or their sums, largest unit first, each unit once: `1d12h`.
 * 0 and *ret_s > 0, or -1. */
int duration_parse(const char *s, int64_t *ret_s);

/*
 * RFC 3339 (`2026-12-01T18:00:00Z`, any offset, fractions refused), or `YYYY-MM-DD[ HH:MM]` in the
 * local zone; a bare date means the last second of that day. 0, or -1.
 */
int time_parse(const char *s, int64_t *ret_s);

void time_format_rfc3339(int64_t time_s,
                         char out[static TIME_TEXT_BYTES]);               /* 2026-12-01T18:00:00Z */
void time_format_sshd(int64_t time_s, char out[static TIME_TEXT_BYTES]);  /* 20261201180000Z */
void time_format_local(int64_t time_s, char out[static TIME_TEXT_BYTES]); /* 2026-12-01 19:00 */

/*
 * 20261201190000: the text that an sshd before 9.1 in our time zone takes for time_s. It knows no
 * Z, and reads every text as standard time, also what stands in summer. Where no text is that
 * moment, one a day earlier or more: a key may end early, and never late.
 */
void time_format_sshd_local(int64_t time_s, char out[static TIME_TEXT_BYTES]);

/* The largest two units: `6d 23h`, `45s`. Negative values get their sign left out. */
void duration_format(int64_t s, char out[static TIME_TEXT_BYTES]);

#endif
