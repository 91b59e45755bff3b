/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/turn.h"

#include "lib/base/hex.h"
#include "lib/base/number.h"
#include "tunnel-agent/host/statedir.h"

#include <bsd/stdlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char file[] = "turn";

/* A gateway that goes on counts on by one, or to behind the highest counter of all copies. */
static const int64_t leap_max = INT64_C(1) << 32;

void turn_read(struct turn *t, const struct statedir *state)
{
    char *text = statedir_read(state, file);
    struct agent_counter next = {.number = 0};
    const size_t digits = text != NULL ? strcspn(text, " ") : 0;
    *t = (struct turn){.state = state};
    if (text != NULL && text[digits] == ' ' &&
        number_parse(text, digits, 1, AGENT_COUNTER_MAX, &next.number) &&
        agent_nonce_parse(text + digits + 1, next.nonce)) {
        t->next = next;
        t->has_nonce = true;
    }
    free(text);
}

int turn_begin(struct turn *t)
{
    char nonce[AGENT_NONCE_TEXT_BYTES], text[AGENT_NONCE_TEXT_BYTES + 24];
    struct agent_counter next = t->next;
    if (next.number == 0 || t->has_nonce)
        return 0;
    arc4random_buf(next.nonce, sizeof(next.nonce));
    hex_encode(next.nonce, sizeof(next.nonce), nonce);
    (void)snprintf(text, sizeof(text), "%lld %s\n", (long long)next.number, nonce);
    if (statedir_write(t->state, file, text) != 0)
        return -1;
    t->next = next;
    t->has_nonce = true;
    return 0;
}

void turn_accepted(struct turn *t, int64_t counter)
{
    t->is_copied = false;
    backoff_reset(&t->backoff);
    if (counter <= t->next.number || counter - t->next.number > leap_max)
        return;
    t->next = (struct agent_counter){.number = counter};
    t->has_nonce = false;
}

int64_t turn_refused(struct turn *t, const struct settings *s)
{
    const int64_t wait_ms = backoff_next(&t->backoff, BACKOFF_AUTH, s, arc4random());
    t->is_copied = true;
    return wait_ms < TURN_COPIED_MAX_MS ? wait_ms : TURN_COPIED_MAX_MS;
}
