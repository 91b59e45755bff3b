/* SPDX-License-Identifier: ISC */
/* How long to wait before the next attempt. Pure: the caller passes the random number. */
#ifndef TUNLEASE_AGENT_TUNNEL_BACKOFF_H
#define TUNLEASE_AGENT_TUNNEL_BACKOFF_H

#include <stdint.h>

struct settings;

enum backoff_kind {
    BACKOFF_SILENCE, /* no answer at all: another attempt harms nobody, so always within 3 s */
    BACKOFF_REFUSED, /* somebody refused: random and growing (decorrelated jitter), up to RetryMax
                      */
    BACKOFF_AUTH, /* keys and host keys: doubled, up to AuthRetryMax, because sshd counts failures
                     of the whole address (PerSourcePenalties) */
};

struct backoff {
    int64_t refused_ms; /* the last wait after a refusal; 0: none yet */
    int64_t auth_ms;
};

/* The next wait in milliseconds. random: any 32 bits. */
int64_t backoff_next(struct backoff *b, enum backoff_kind kind, const struct settings *s,
                     uint32_t random);

/* Forgets all earlier failures. */
void backoff_reset(struct backoff *b);

#endif
