/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/backoff.h"

#include "tunnel-agent/config/settings.h"

enum { QUICK_LOW_MS = 300, QUICK_HIGH_MS = 1500, REFUSED_LOW_MS = 1000 };

static int64_t between(int64_t low, int64_t high, uint32_t random)
{
    return high <= low ? low : low + (int64_t)random % (high - low + 1);
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t backoff_next(struct backoff *b, enum backoff_kind kind, const struct settings *s,
                     uint32_t random)
{
    switch (kind) {
    case BACKOFF_SILENCE:
        break;
    case BACKOFF_REFUSED:
        /* The first refusal after a reset is retried soon: most often the far side was only
         * restarted. */
        if (b->refused_ms == 0) {
            b->refused_ms = REFUSED_LOW_MS;
            break;
        }
        b->refused_ms = between(smaller(REFUSED_LOW_MS, s->retry_max_ms),
                                smaller(3 * b->refused_ms, s->retry_max_ms), random);
        return b->refused_ms;
    case BACKOFF_AUTH:
        b->auth_ms =
            b->auth_ms == 0 ? s->auth_retry_ms : smaller(2 * b->auth_ms, s->auth_retry_max_ms);
        /* Spread the agents of a fleet that one mistake has locked out. */
        return b->auth_ms + between(0, b->auth_ms / 5, random);
    }
    return between(QUICK_LOW_MS, QUICK_HIGH_MS, random);
}

void backoff_reset(struct backoff *b)
{
    *b = (struct backoff){0};
}
