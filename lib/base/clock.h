/* SPDX-License-Identifier: ISC */
/* The only place that reads the clock: libraries are passed `now` as an argument. */
#ifndef TUNLEASE_BASE_CLOCK_H
#define TUNLEASE_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now_s(void); /* Unix seconds, UTC; leases are judged by it */
int64_t clock_now_ms(void);
int64_t clock_monotonic_ms(void); /* only to wait and to measure */
int64_t clock_cpu_us(void);       /* that this thread has used: what something cost */
int64_t clock_boot_ms(void);      /* since boot, suspend included, as proc(5) counts; Linux only */

#endif
