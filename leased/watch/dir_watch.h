/* SPDX-License-Identifier: ISC */
/* A directory that inotify(7) watches, as an event of the loop. */
#ifndef TUNLEASE_LEASED_WATCH_DIR_WATCH_H
#define TUNLEASE_LEASED_WATCH_DIR_WATCH_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

enum { DIR_WATCH_FALLBACK_MS = 5000 /* how often is looked where inotify was lost */ };

/* In place of the watch *watching, if any. One that cannot be had is logged, and *watching is NULL.
 * 0, or -1: no memory. */
int dir_watch_start(struct event_base *base, const char *dir, uint32_t mask, event_callback_fn fn,
                    void *arg, struct event **watching);

/* In fn: reads what happened. Whether something changed that is called so, or begins so; without a
 * name, anything. */
bool dir_watch_read(int fd, const char *name);

#endif
