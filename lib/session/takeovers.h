/* SPDX-License-Identifier: ISC */
/*
 * How often one lease was taken over lately. Without a limit two clients with the same key would
 * end each other for ever, each of them the newest. The count is text in the lock file of the
 * lease, and the lock protects it. What an earlier boot counted is ignored.
 */
#ifndef TUNLEASE_SESSION_TAKEOVERS_H
#define TUNLEASE_SESSION_TAKEOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAKEOVERS_MAX = 60, /* so many takeovers are allowed within the window */
    TAKEOVERS_WINDOW_MS = 60000,
    TAKEOVERS_PAUSE_MS = 30000, /* newcomers are refused for so long after that */
};

struct takeovers {
    int64_t refused_until_ms; /* clock_monotonic_ms; 0: no pause */
    int64_t at_ms[TAKEOVERS_MAX];
    size_t count; /* oldest first */
};

enum takeover_verdict {
    TAKEOVER_ALLOWED,
    TAKEOVER_PAUSE_BEGINS, /* refused, and the caller logs it */
    TAKEOVER_REFUSED,      /* refused, and the caller logged it when the pause began */
};

/* Judges a takeover that would happen now, and counts it if it is allowed. */
enum takeover_verdict takeovers_judge(struct takeovers *t, int64_t now_ms);

/* Read from and write to the lock file fd. What cannot be read counts as no takeovers: the count
 * authorises nothing. */
void takeovers_load(int fd, struct takeovers *ret);
void takeovers_save(int fd, const struct takeovers *t);

#endif
