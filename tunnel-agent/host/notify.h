/* SPDX-License-Identifier: ISC */
/* Messages to the service manager, as sd_notify(3) sends them: one datagram each. */
#ifndef TUNLEASE_AGENT_HOST_NOTIFY_H
#define TUNLEASE_AGENT_HOST_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1", "WATCHDOG=1" or "STATUS=...". Without NOTIFY_SOCKET it does nothing. */
void notify_send(const char *message);

/* The interval of WATCHDOG=1, half of what the manager allows; 0: none is wanted. */
int64_t notify_watchdog_ms(void);

#endif
