/* SPDX-License-Identifier: ISC */
/* The service manager's notification protocol (sd_notify(3)): one datagram a message. */
#ifndef TUNLEASE_AGENT_HOST_NOTIFY_H
#define TUNLEASE_AGENT_HOST_NOTIFY_H

#include <stdint.h>

/* "READY=1", "WATCHDOG=1", "STATUS=..."; nothing happens without NOTIFY_SOCKET. */
void notify_send(const char *message);

/* How often WATCHDOG=1 is due, 0: never. Half of what the manager allows. */
int64_t notify_watchdog_ms(void);

#endif
