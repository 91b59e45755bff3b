/* SPDX-License-Identifier: ISC */
#include "lib/lease/agent_counter.h"

#include <string.h>

static bool same_nonce(const struct agent_counter *a, const struct agent_counter *b)
{
    return memcmp(a->nonce, b->nonce, AGENT_NONCE_BYTES) == 0;
}

enum counter_verdict agent_counter_judge(const struct agent_counter *last,
                                         const struct agent_counter *sent)
{
    if (sent->number == 0)
        return last->number == 0 ? COUNTER_NEVER_SENT : COUNTER_MISSING;
    /* By the nonce, and not by the number: an agent that was accepted although it was behind
     * repeats the number that it sent. */
    if (last->number != 0 && sent->number <= last->number && same_nonce(last, sent))
        return COUNTER_REPEATED;
    if (sent->number <= last->number)
        return COUNTER_OTHER;
    return sent->number == last->number + 1 ? COUNTER_CURRENT : COUNTER_AHEAD;
}

bool agent_counter_is_quiet(const struct counter_facts *f)
{
    return f->quiet_s >= COUNTER_QUIET_INTERVALS * f->heartbeat_interval_s;
}

enum counter_decision agent_counter_decide(enum counter_verdict verdict,
                                           const struct counter_facts *f)
{
    if (f->is_reset)
        return COUNTER_RESET;
    if (f->is_frozen)
        return COUNTER_STAYS_FROZEN;
    switch (verdict) {
    case COUNTER_NEVER_SENT:
    case COUNTER_CURRENT:
    case COUNTER_REPEATED:
        return COUNTER_ACCEPT;
    case COUNTER_AHEAD:
        return COUNTER_ADOPT;
    case COUNTER_OTHER:
        if (!f->refuses && agent_counter_is_quiet(f) && !f->other_may_be_up)
            return COUNTER_RESTORE;
        break;
    case COUNTER_MISSING:
        break;
    }
    return f->refuses ? COUNTER_FREEZE : COUNTER_REFUSE;
}

struct agent_counter agent_counter_next(enum counter_decision decision,
                                        const struct agent_counter *last,
                                        const struct agent_counter *sent)
{
    struct agent_counter next = *sent;
    if (sent->number == 0)
        return (struct agent_counter){.number = 0};
    if (agent_counter_judge(last, sent) == COUNTER_REPEATED)
        return *last;
    if (decision == COUNTER_RESET || decision == COUNTER_RESTORE)
        next.number = (last->number > sent->number ? last->number : sent->number) + 1;
    if (next.number > AGENT_COUNTER_MAX - 1)
        next.number = AGENT_COUNTER_MAX - 1;
    return next;
}

int64_t agent_counter_told(const struct agent_counter *last)
{
    return last->number + 1;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool agent_nonce_parse(const char *text, uint8_t ret[static AGENT_NONCE_BYTES])
{
    uint8_t nonce[AGENT_NONCE_BYTES];
    if (strlen(text) != AGENT_NONCE_TEXT_BYTES - 1)
        return false;
    for (size_t i = 0; i < AGENT_NONCE_BYTES; i++) {
        const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        nonce[i] = (uint8_t)(high << 4 | low);
    }
    memcpy(ret, nonce, sizeof(nonce));
    return true;
}
