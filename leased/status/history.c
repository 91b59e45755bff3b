/* SPDX-License-Identifier: ISC */
#include "leased/status/history.h"

#include "leased/watch/metrics.h"
#include "lib/wire/members.h"

#include <string.h>

static int64_t step_at(int64_t boot_ms)
{
    return boot_ms / (HISTORY_STEP_S * 1000) + 1; /* never 0 */
}

static uint64_t count_refusals(const struct metrics *m)
{
    uint64_t count = 0;
    for (int action = CONTROL_REGISTER; action < CONTROL_ACTION__MAX; action++)
        for (int code = CONTROL_OK + 1; action != CONTROL_HEALTH && code < CONTROL_CODE__MAX;
             code++)
            count += m->requests[action][code];
    return count;
}

static uint64_t count_ends(const struct metrics *m)
{
    uint64_t count = 0;
    for (int why = 0; why < SESSION_VERDICT__MAX; why++)
        count += m->ended[why];
    return count;
}

void history_sample(struct history *h, const struct metrics *m, uint64_t live_sessions,
                    int64_t boot_ms)
{
    const int64_t number = step_at(boot_ms);
    struct history_step *step = &h->steps[number % HISTORY_STEPS];
    const uint64_t counted[HISTORY_KIND__MAX] = {[HISTORY_HEARTBEATS] =
                                                     m->requests[CONTROL_HEARTBEAT][CONTROL_OK],
                                                 [HISTORY_ENDS] = count_ends(m),
                                                 [HISTORY_REFUSALS] = count_refusals(m)};
    if (step->number != number)
        *step = (struct history_step){.number = number};
    if (live_sessions > step->values[HISTORY_SESSIONS])
        step->values[HISTORY_SESSIONS] = (uint32_t)live_sessions;
    for (int kind = HISTORY_HEARTBEATS; kind < HISTORY_KIND__MAX; kind++)
        step->values[kind] += (uint32_t)(counted[kind] - h->counted[kind]);
    memcpy(h->counted, counted, sizeof(counted));
}

void history_format(const struct history *h, int64_t boot_ms, int64_t now_s, struct buf *out)
{
    static const char *const names[HISTORY_KIND__MAX] = {[HISTORY_SESSIONS] = "sessions",
                                                         [HISTORY_HEARTBEATS] = "heartbeats",
                                                         [HISTORY_ENDS] = "ends",
                                                         [HISTORY_REFUSALS] = "refusals"};
    const int64_t last = step_at(boot_ms);
    members_open(out, "history", '{');
    members_number(out, "step_s", HISTORY_STEP_S);
    members_time(out, "end_at", now_s + last * HISTORY_STEP_S - boot_ms / 1000);
    for (int kind = 0; kind < HISTORY_KIND__MAX; kind++) {
        members_open(out, names[kind], '[');
        for (int64_t number = last - HISTORY_STEPS + 1; number <= last; number++) {
            const struct history_step *step =
                &h->steps[(number % HISTORY_STEPS + HISTORY_STEPS) % HISTORY_STEPS];
            if (number > 0 && step->number == number)
                members_number(out, NULL, step->values[kind]);
            else
                members_null(out, NULL);
        }
        members_close(out, ']');
    }
    members_close(out, '}');
}
