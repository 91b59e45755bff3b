/* SPDX-License-Identifier: ISC */
/* What systemd asks of a service (sd_notify(3), sd_listen_fds(3)), without its library. */
#ifndef TUNLEASE_LEASED_ENGINE_NOTIFY_H
#define TUNLEASE_LEASED_ENGINE_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

enum { NOTIFY_FIRST_FD = 3 };

/* Sends lines such as "READY=1"; nothing where nobody listens. */
void notify_send(const char *lines);
void notify_reloading(void); /* RELOADING=1 with the time, as Type=notify-reload wants it */

/* How many sockets were passed to this process, from NOTIFY_FIRST_FD on; they are close-on-exec
 * from now on. -1: they are for this process, but LISTEN_FDS is not a number of sockets. */
int notify_listen_fds(void);

/* How often a sign of life is wanted, in milliseconds; 0: never. */
int64_t notify_watchdog_ms(void);

#endif
