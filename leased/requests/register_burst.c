/* SPDX-License-Identifier: ISC */
#include "leased/requests/register_burst.h"

#include <bsd/stdlib.h>

enum { BURST = 20, BURST_WINDOW_MS = 10000, BURST_SPREAD_MS = 30000 };

uint32_t register_burst_delay_ms(struct register_burst *burst, int64_t now_ms)
{
    if (now_ms - burst->since_ms > BURST_WINDOW_MS)
        *burst = (struct register_burst){.since_ms = now_ms};
    return ++burst->count > BURST ? arc4random_uniform(BURST_SPREAD_MS) : 0;
}
