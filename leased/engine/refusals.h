/* SPDX-License-Identifier: ISC */
/*
 * Refusals in the log. What strangers ask costs them nothing, and must not fill the disk or push
 * out other lines: the first of a kind are lines of their own, the others are counted, and their
 * sum is a line when a minute is over. A kind is where it came from, what was asked and the code of
 * the answer; where there are more kinds than fit, the others of a code are one.
 */
#ifndef TUNLEASE_LEASED_ENGINE_REFUSALS_H
#define TUNLEASE_LEASED_ENGINE_REFUSALS_H

#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REFUSALS_KINDS = 256,
    REFUSALS_OWN_LINES = 20,  /* of a kind, */
    REFUSALS_ALL_LINES = 200, /* and of all kinds, in a window */
    REFUSALS_WINDOW_MS = 60000,
    REFUSALS_AGENT_BYTES = 65,
};

struct refusal_kind {
    uint64_t key;       /* 0: nobody's */
    int64_t since_ms;   /* of the window */
    unsigned own_lines; /* lines of their own */
    uint64_t more_count;
    enum control_action action;
    enum control_code code;
    char client[CONTROL_ADDRESS_BYTES];
    char agent[REFUSALS_AGENT_BYTES]; /* of the last one that was only counted */
};

struct refusals {
    struct refusal_kind kinds[REFUSALS_KINDS], others[CONTROL_CODE__MAX];
    int64_t since_ms; /* of the window of `own_lines` */
    unsigned own_lines;
    uint64_t seed;
};

void refusals_init(struct refusals *r);

/* count of them at once, of which one can be a line. True: say it now. client and agent are text
 * that was looked at. */
bool refusals_note(struct refusals *r, enum control_action action, enum control_code code,
                   const char *client, const char *agent, uint64_t count, int64_t now_ms);

/* The sums of windows that are over (all: of every one), to the log. */
void refusals_log_sums(struct refusals *r, bool all, int64_t now_ms);

#endif
