/* SPDX-License-Identifier: ISC */
/* Sessions that are being ended. Each goes through the kill ladder (lib/session/ladder.h) step by
 * step, and its end is verified. */
#ifndef TUNLEASE_LEASED_WATCH_ENDINGS_H
#define TUNLEASE_LEASED_WATCH_ENDINGS_H

#include "lib/session/ladder.h"
#include "lib/session/session.h"
#include "lib/store/session_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct metrics;
struct records;

enum {
    LADDERS_MAX = 4096, /* sessions that can be in the ladder at the same time */
    LADDER_STEP_MS = 5,
};

/* One session that is being ended. */
struct ending {
    struct ladder ladder;
    pid_t pid;
    uint64_t start_ticks;
    int64_t lease_id;
    char lease[SESSION_NAME_BYTES], login[SESSION_LOGIN_BYTES];
    enum session_verdict why;
    int64_t since_ms;
};

struct endings {
    struct ending *items;
    size_t count;
    bool has_no_room; /* no descriptors or memory for one more; cleared at the next step */
    struct event *on_step;
    struct records *records;
    struct metrics *metrics;
    void (*judge_again)(void *arg);
    void *arg;
};

/* judge_again(arg) is called when sessions have to be judged again: some have ended, or one is
 * still up and has to be ended once more. Returns 0, or -1: out of memory. */
int endings_start(struct endings *es, struct event_base *base, struct records *records,
                  struct metrics *metrics, void (*judge_again)(void *arg), void *arg);

/* Ends the session from the next step on, unless that has begun already. Does nothing when there is
 * no room: the next judgement finds the session again. */
void endings_add(struct endings *es, const struct session *s, enum session_verdict why);

#endif
