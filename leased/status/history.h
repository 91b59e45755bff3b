/* SPDX-License-Identifier: ISC */
/*
 * What happened in the last 24 hours, in steps of five minutes, for the page's plots. It is kept in
 * memory alone, and steps are steps of the boot clock: a jump of the wall clock moves none.
 */
#ifndef TUNLEASE_LEASED_STATUS_HISTORY_H
#define TUNLEASE_LEASED_STATUS_HISTORY_H

#include <stdint.h>

struct buf;
struct metrics;

enum { HISTORY_STEP_S = 300, HISTORY_STEPS = 288 };

enum history_kind {
    HISTORY_SESSIONS,   /* the most that were live at once */
    HISTORY_HEARTBEATS, /* answered */
    HISTORY_ENDS,       /* sessions that leased ended */
    HISTORY_REFUSALS,   /* requests that were refused */
    HISTORY_KIND__MAX
};

struct history_step {
    int64_t number; /* of the step, by the boot clock; 0: leased did not run then */
    uint32_t values[HISTORY_KIND__MAX];
};

struct history {
    struct history_step steps[HISTORY_STEPS];
    uint64_t counted[HISTORY_KIND__MAX]; /* by metrics, up to the last sample */
};

/* Adds what has happened since the last sample to the step of boot_ms. Call it every few seconds.
 */
void history_sample(struct history *h, const struct metrics *m, uint64_t live_sessions,
                    int64_t boot_ms);

/* Adds the member `history` (docs/protocol.md 8.4). now_s is the wall clock's time at boot_ms. */
void history_format(const struct history *h, int64_t boot_ms, int64_t now_s, struct buf *out);

#endif
