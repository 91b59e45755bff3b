/* SPDX-License-Identifier: ISC */
/* Durations and times as people type and read them (tunlease.conf(5)). Pure but for the time zone.
 */
#ifndef TUNLEASE_LEASE_DURATION_H
#define TUNLEASE_LEASE_DURATION_H

#include <stdint.h>

enum {
    TIME_TEXT_BYTES = 32,     /* enough for each format below */
    DURATION_MAX_DAYS = 36500 /* a hundred years; anything longer is a typing error */
};

/* 9999-12-31T23:59:59Z, the last time that sshd can read (docs/sshd-facts.md 9). */
#define TIME_MAX_S INT64_C(253402300799)

/* Parses `90s`, `15m`, `12h`, `7d`, `2w` or a sum, largest unit first and each unit once: `1d12h`.
 * Returns 0 and *ret_s, above 0; or -1. */
int duration_parse(const char *s, int64_t *ret_s);

/*
 * Parses RFC 3339 (`2026-12-01T18:00:00Z`, any offset, no fractions), or `YYYY-MM-DD[ HH:MM]` in
 * the local time zone; a date alone means the last second of that day. 0 and *ret_s, or -1.
 */
int time_parse(const char *s, int64_t *ret_s);

void time_format_rfc3339(int64_t time_s,
                         char out[static TIME_TEXT_BYTES]);               /* 2026-12-01T18:00:00Z */
void time_format_sshd(int64_t time_s, char out[static TIME_TEXT_BYTES]);  /* 20261201180000Z */
void time_format_local(int64_t time_s, char out[static TIME_TEXT_BYTES]); /* 2026-12-01 19:00 */

/*
 * 20261201190000: the text that an sshd before 9.1 in our time zone reads as time_s. Such an sshd
 * does not accept a Z, and reads every text as standard time, in summer, too. If no text is read as
 * that moment, the result is one that is read as a day or more before it: a key may end early, but
 * never late.
 */
void time_format_sshd_local(int64_t time_s, char out[static TIME_TEXT_BYTES]);

/* The two largest units: `6d 23h`, `45s`. The sign of a negative value is left out. */
void duration_format(int64_t s, char out[static TIME_TEXT_BYTES]);

#endif
