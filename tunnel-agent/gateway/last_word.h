/* SPDX-License-Identifier: ISC */
/*
 * Words of the control plane that would end this agent. Whoever can take its port while leased is
 * down can say them, so none counts alone: it must be fresh, and sshd, whose host key is pinned,
 * must have refused our key, too, for the login that we had from the first.
 */
#ifndef TUNLEASE_AGENT_GATEWAY_LAST_WORD_H
#define TUNLEASE_AGENT_GATEWAY_LAST_WORD_H

#include <stdbool.h>
#include <stdint.h>

enum last_word_kind { LAST_WORD_NONE, LAST_WORD_REVOKED, LAST_WORD_OTHER_KEY };

struct last_word {
    enum last_word_kind kind;
    int64_t heard_ms;      /* of the monotonic clock */
    bool login_is_refused; /* by sshd, and not up since: set by the owner */
};

void last_word_record(struct last_word *w, enum last_word_kind kind);

/* Is there one, is it fresh, and has sshd refused our key? Whether that was for the login that we
 * had from the first, the owner knows. */
bool last_word_is_confirmed(const struct last_word *w, int64_t heartbeat_interval_ms);

#endif
