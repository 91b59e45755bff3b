/* SPDX-License-Identifier: ISC */
/*
 * How often one lease was taken over lately. Two clients with the same key would otherwise end each
 * other for ever, each sure to be the newest. Kept as text in the lease's lock file, whose lock
 * guards it. What a file of another boot says does not count.
 */
#ifndef TUNLEASE_SESSION_TAKEOVERS_H
#define TUNLEASE_SESSION_TAKEOVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TAKEOVERS_MAX = 60, /* so many may happen within */
    TAKEOVERS_WINDOW_MS = 60000,
    TAKEOVERS_PAUSE_MS = 30000, /* then newcomers are refused so long */
};

struct takeovers {
    int64_t refused_until_ms; /* clock_monotonic_ms; 0: no pause */
    int64_t at_ms[TAKEOVERS_MAX];
    size_t count; /* oldest first */
};

enum takeover_verdict {
    TAKEOVER_ALLOWED,
    TAKEOVER_PAUSE_BEGINS, /* refused, and this is the line to log */
    TAKEOVER_REFUSED,      /* refused, as was logged before */
};

/* Judges one that would happen now, and notes it. */
enum takeover_verdict takeovers_judge(struct takeovers *t, int64_t now_ms);

/* From and to the lock file fd. What cannot be read counts as none: it is no authorisation. */
void takeovers_load(int fd, struct takeovers *ret);
void takeovers_save(int fd, const struct takeovers *t);

#endif
