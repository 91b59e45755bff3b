/* SPDX-License-Identifier: ISC */
/* Many registers at once. After a restart of the gateway all agents come together: they are told to
 * reconnect at different times. */
#ifndef TUNLEASE_LEASED_REQUESTS_REGISTER_BURST_H
#define TUNLEASE_LEASED_REQUESTS_REGISTER_BURST_H

#include <stdint.h>

/* Recent registers. */
struct register_burst {
    unsigned count;
    int64_t since_ms;
};

/* Counts a register. Returns how long its agent shall wait before it connects. */
uint32_t register_burst_delay_ms(struct register_burst *burst, int64_t now_ms);

#endif
