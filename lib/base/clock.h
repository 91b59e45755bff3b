/* SPDX-License-Identifier: ISC */
/* The only reader of the clock: everything below a program takes `now` as an argument. */
#ifndef TUNLEASE_BASE_CLOCK_H
#define TUNLEASE_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_s(void); /* Unix seconds, UTC: what leases are judged by */
int64_t clock_now_ms(void);
int64_t clock_monotonic_ms(void); /* for waiting and measuring only */
int64_t clock_boot_ms(void);      /* since boot, suspend included, as proc(5) counts; Linux alone */

#endif
