/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/last_word.h"

#include "lib/base/clock.h"

enum { FRESH_HEARTBEATS = 3 }; /* a last word is recent for so many heartbeat intervals */

void last_word_record(struct last_word *w, enum last_word_kind kind)
{
    w->kind = kind;
    w->heard_ms = clock_monotonic_ms();
}

bool last_word_is_confirmed(const struct last_word *w, int64_t heartbeat_interval_ms)
{
    return w->login_is_refused && w->kind != LAST_WORD_NONE &&
           clock_monotonic_ms() - w->heard_ms <= FRESH_HEARTBEATS * heartbeat_interval_ms;
}
