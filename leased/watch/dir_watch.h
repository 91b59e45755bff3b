/* SPDX-License-Identifier: ISC */
/* A directory that inotify(7) watches, as an event of the loop. */
#ifndef TUNLEASE_LEASED_WATCH_DIR_WATCH_H
#define TUNLEASE_LEASED_WATCH_DIR_WATCH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum { DIR_WATCH_FALLBACK_MS = 5000 /* how often the caller also looks without an event */ };

/* Starts to watch dir; a watch that was in *watching ends. When inotify cannot be had, that is
 * logged and *watching is NULL. Returns 0, or -1: out of memory. */
int dir_watch_start(struct event_base *base, const char *dir, uint32_t mask, event_callback_fn fn,
                    void *arg, struct event **watching);

/* Called in fn: reads the pending events. Returns true if a file changed whose name begins with
 * name; with name NULL, if anything changed. */
bool dir_watch_read(int fd, const char *name);

#endif
