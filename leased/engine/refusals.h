/* SPDX-License-Identifier: ISC */
/*
 * Refusals in the log. Requests cost strangers nothing, so their refusals must not fill the disk or
 * push out other lines. The first refusals of a kind are logged one by one; the others are counted,
 * and their sum is logged when a minute is over. A kind is the client, the action and the code of
 * the answer. When there are more kinds than slots, the remaining kinds with the same code are
 * counted together.
 */
#ifndef TUNLEASE_LEASED_ENGINE_REFUSALS_H
#define TUNLEASE_LEASED_ENGINE_REFUSALS_H

#include "lib/lease/name.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    REFUSALS_KINDS = 256,
    REFUSALS_OWN_LINES = 20,  /* lines for one kind, */
    REFUSALS_ALL_LINES = 200, /* and for all kinds together, in a window */
    REFUSALS_WINDOW_MS = 60000,
};

struct refusal_kind {
    uint64_t key;       /* 0: this slot is free */
    int64_t since_ms;   /* start of the window */
    unsigned own_lines; /* refusals logged one by one */
    uint64_t more_count;
    enum control_action action;
    enum control_code code;
    char client[CONTROL_ADDRESS_BYTES];
    char agent[LEASE_NAME_BYTES]; /* of the last refusal that was only counted */
};

struct refusals {
    struct refusal_kind kinds[REFUSALS_KINDS], others[CONTROL_CODE__MAX];
    int64_t since_ms; /* start of the window of own_lines */
    unsigned own_lines;
    uint64_t seed;
};

void refusals_init(struct refusals *r);

/* Adds refusals of one kind, as many as count says. Returns true if one of them is to be logged
 * now. client and agent must be safe to log. */
bool refusals_note(struct refusals *r, enum control_action action, enum control_code code,
                   const char *client, const char *agent, uint64_t count, int64_t now_ms);

/* Logs the sums of windows that are over; all: of all windows. */
void refusals_log_sums(struct refusals *r, bool all, int64_t now_ms);

#endif
