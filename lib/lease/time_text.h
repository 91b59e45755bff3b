/* SPDX-License-Identifier: ISC */
/* Times as people type and read them (tunlease.conf(5)), and as sshd does. Pure but for the time
 * zone. */
#ifndef TUNLEASE_LEASE_TIME_TEXT_H
#define TUNLEASE_LEASE_TIME_TEXT_H

#include <stdint.h>

enum { TIME_TEXT_BYTES = 32 }; /* enough for each format below */

/* 9999-12-31T23:59:59Z, the last time that sshd can read (docs/sshd-facts.md 9). */
#define TIME_MAX_S INT64_C(253402300799)

/*
 * Parses RFC 3339 (`2026-12-01T18:00:00Z`, any offset, no fractions), or `YYYY-MM-DD[ HH:MM]` in
 * the local time zone; a date alone means the last second of that day. 0 and *ret_s, or -1.
 */
int time_parse(const char *s, int64_t *ret_s);

void time_format_rfc3339(int64_t time_s,
                         char out[static TIME_TEXT_BYTES]);               /* 2026-12-01T18:00:00Z */
void time_format_sshd(int64_t time_s, char out[static TIME_TEXT_BYTES]);  /* 20261201180000Z */
void time_format_local(int64_t time_s, char out[static TIME_TEXT_BYTES]); /* 2026-12-01 19:00 */

/* 2026-12-01 19:00 UTC+01:00: the local time, for somebody who may be in another zone. */
void time_format_zoned(int64_t time_s, char out[static TIME_TEXT_BYTES]);

/*
 * 20261201190000: the text that an sshd before 9.1 in our time zone reads as time_s. Such an sshd
 * does not accept a Z, and reads every text as standard time, in summer, too. If no text is read as
 * that moment, the result is one that is read as a day or more before it: a key may end early, but
 * never late.
 */
void time_format_sshd_local(int64_t time_s, char out[static TIME_TEXT_BYTES]);

#endif
