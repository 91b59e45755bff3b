/* SPDX-License-Identifier: ISC */
#include "leased/watch/endings.h"

#include "leased/watch/metrics.h"
#include "leased/watch/records.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/session_verdict.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LADDER_LIMIT_MS = 5000 /* then an error is logged, and the ladder starts again */ };

static const struct ending *find_ending(const struct endings *es, const struct session *s)
{
    for (size_t i = 0; i < es->count; i++)
        if (es->items[i].pid == s->pid && es->items[i].start_ticks == s->start_ticks)
            return &es->items[i];
    return NULL;
}

void endings_add(struct endings *es, const struct session *s, enum session_verdict why)
{
    int64_t now_ms = clock_monotonic_ms();
    if (find_ending(es, s) != NULL || es->count == LADDERS_MAX || es->has_no_room)
        return; /* has begun, or will at the next sweep */
    struct ending *end = &es->items[es->count++];
    *end = (struct ending){.pid = s->pid,
                           .start_ticks = s->start_ticks,
                           .lease_id = s->lease_id,
                           .why = why,
                           .since_ms = now_ms};
    (void)strlcpy(end->lease, s->lease, sizeof(end->lease));
    (void)strlcpy(end->login, s->login, sizeof(end->login));
    if (ladder_open(&end->ladder, s, now_ms) == LADDER_NO_ROOM) {
        es->has_no_room = true;
        if (es->count > 1) { /* those that end will make room */
            es->count--;
            return;
        }
    }
    timer_arm(es->on_step, 0);
}

static void note_ended(struct endings *es, const struct ending *end, int64_t now_ms)
{
    char detail[96];
    (void)snprintf(detail, sizeof(detail), "reason=%s pid=%d after_ms=%lld",
                   session_verdict_name(end->why), (int)end->pid,
                   (long long)(now_ms - end->since_ms));
    log_event(&event_session_ended,
              LOG_FIELDS({"LEASE_NAME", end->lease}, {"LOGIN", end->login},
                         {"REASON", session_verdict_name(end->why)}),
              "ended login=%s lease=%s %s", end->login, end->lease, detail);
    metrics_add_ended(es->metrics, end->why, now_ms - end->since_ms);
    records_add(es->records, RECORD_ENDED, end->lease_id, end->lease, clock_now_s(), detail);
}

static void log_cannot_end(const struct ending *end, const char *why)
{
    log_event(&event_session_stays,
              LOG_FIELDS({"LEASE_NAME", end->lease}, {"LOGIN", end->login},
                         {"REASON", session_verdict_name(end->why)}),
              "cannot end pid %d login=%s lease=%s reason=%s: %s", (int)end->pid, end->login,
              end->lease, session_verdict_name(end->why), why);
}

static void on_step(evutil_socket_t fd, short what, void *arg)
{
    struct endings *es = arg;
    int64_t now_ms = clock_monotonic_ms();
    size_t remaining = 0;
    bool judge = false;
    (void)fd;
    (void)what;
    for (size_t i = 0; i < es->count; i++) {
        struct ending *end = &es->items[i];
        enum ladder_state state = ladder_step(&end->ladder, now_ms);
        switch (state) {
        case LADDER_GONE:
            judge = true;
            note_ended(es, end, now_ms);
            break;
        case LADDER_IN_PROGRESS:
            if (now_ms - end->since_ms <= LADDER_LIMIT_MS) {
                es->items[remaining++] = *end;
                break;
            }
            log_cannot_end(end, "still up; tried again");
            ladder_release(&end->ladder);
            judge = true;
            break;
        case LADDER_FAILED:
        case LADDER_NO_ROOM:
            log_cannot_end(end, strerror(end->ladder.why));
            break;
        }
    }
    es->count = remaining;
    es->has_no_room = false;
    if (remaining > 0)
        timer_arm(es->on_step, LADDER_STEP_MS);
    /* A session whose ladder failed is tried again at the next sweep, not at once. */
    if (judge)
        es->judge_again(es->arg);
}

int endings_start(struct endings *es, struct event_base *base, struct records *records,
                  struct metrics *metrics, void (*judge_again)(void *arg), void *arg)
{
    *es = (struct endings){.items = calloc(LADDERS_MAX, sizeof(*es->items)),
                           .on_step = evtimer_new(base, on_step, es),
                           .records = records,
                           .metrics = metrics,
                           .judge_again = judge_again,
                           .arg = arg};
    return es->items != NULL && es->on_step != NULL ? 0 : -1;
}
