/* SPDX-License-Identifier: ISC */
/* How long to wait before the next attempt. Pure: chance comes in as an argument. */
#ifndef TUNLEASE_AGENT_TUNNEL_BACKOFF_H
#define TUNLEASE_AGENT_TUNNEL_BACKOFF_H

#include <stdint.h>

struct settings;

enum backoff_kind {
    BACKOFF_SILENCE, /* no answer at all: asking again harms nobody, so within 3 s, for ever */
    BACKOFF_REFUSED, /* somebody answered no: decorrelated jitter, capped */
    BACKOFF_AUTH,    /* keys and host keys: doubled, up to a quarter of an hour, for sshd counts
                        failures against the whole address (PerSourcePenalties) */
};

struct backoff {
    int64_t refused_ms; /* the last wait after a refusal, 0 at first */
    int64_t auth_ms;
};

/* The wait in ms. random is any 32 bits. */
int64_t backoff_next(struct backoff *b, enum backoff_kind kind, const struct settings *s,
                     uint32_t random);

/* After a time that was stable. */
void backoff_reset(struct backoff *b);

#endif
