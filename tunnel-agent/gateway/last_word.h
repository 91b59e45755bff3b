/* SPDX-License-Identifier: ISC */
/*
 * Answers of the control port that would end this agent. Whoever takes that port while leased is
 * down can send them, so none counts alone: it must be recent, and sshd, whose host key is pinned,
 * must also have refused our key for the login of our first register.
 */
#ifndef TUNLEASE_AGENT_GATEWAY_LAST_WORD_H
#define TUNLEASE_AGENT_GATEWAY_LAST_WORD_H

#include <stdbool.h>
#include <stdint.h>

enum last_word_kind { LAST_WORD_NONE, LAST_WORD_REVOKED, LAST_WORD_OTHER_KEY };

struct last_word {
    enum last_word_kind kind;
    int64_t heard_ms;      /* on the monotonic clock */
    bool login_is_refused; /* by sshd, and the tunnel was not up since; set by the owner */
};

/* Records an answer of this kind that came now. */
void last_word_record(struct last_word *w, enum last_word_kind kind);

/* True if there is a recent one, and sshd has refused our key. The owner must check that this was
 * for the login of the first register. */
bool last_word_is_confirmed(const struct last_word *w, int64_t heartbeat_interval_ms);

#endif
