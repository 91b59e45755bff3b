/* SPDX-License-Identifier: ISC */
/* The service side of sd_notify(3) and sd_listen_fds(3), without libsystemd. */
#ifndef TUNLEASE_LEASED_ENGINE_NOTIFY_H
#define TUNLEASE_LEASED_ENGINE_NOTIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTIFY_FIRST_FD = 3 };

/* Sends lines such as "READY=1". Does nothing when NOTIFY_SOCKET is not set. */
void notify_send(const char *lines);
void notify_reloading(void); /* RELOADING=1 with the time that Type=notify-reload requires */

/* How many sockets systemd passed to this process, starting at NOTIFY_FIRST_FD; makes them
 * close-on-exec. -1: LISTEN_PID names this process, but LISTEN_FDS is not a number of sockets. */
int notify_listen_fds(void);

/* True if the socket at this place, from 0, has this name
 * (FileDescriptorName=). */
bool notify_listen_fd_is(size_t at, const char *name);

/* Forgets what systemd said of sockets: no child shall believe that it got some. */
void notify_forget_fds(void);

/* How often systemd's watchdog wants to be notified, in milliseconds; 0: never. */
int64_t notify_watchdog_ms(void);

#endif
