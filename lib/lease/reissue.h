/* SPDX-License-Identifier: ISC */
/*
 * When a known agent may get a new secret. The answer with its first secret may have been lost, so
 * it can register again until it has used a secret. But agents share the enrolment key, and an
 * agent's public key is no secret: whoever has both could pretend to be the agent. So this is
 * possible for a short time only. The store has that time as one line among the agent's facts.
 * Pure.
 */
#ifndef TUNLEASE_LEASE_REISSUE_H
#define TUNLEASE_LEASE_REISSUE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REISSUE_LOST_ANSWER_S = 600, /* after a register whose answer may have been lost */
    REISSUE_RESET_S = 3600,      /* after an admin's reset: longer than a refused agent pauses */
    REISSUE_LINE_BYTES = 80,
};

struct reissue {
    enum { REISSUE_NEVER, REISSUE_REGISTERED, REISSUE_RESET } since;
    /* When that was, by the wall clock and by the boot clock. The first can be set, and the second
     * starts at 0 at each boot; so the time is over when either of them says so. */
    int64_t wall_s, boot_s;
    int64_t login_s; /* the last login with its key that was known then; 0: none */
};

struct buf;

/* Appends the line for an agent's facts; nothing for REISSUE_NEVER. */
void reissue_format(const struct reissue *r, struct buf *out);

/* Appends a copy of an agent's facts, in which the line of r replaces the line that was there. */
void reissue_replace(const char *facts, const struct reissue *r, struct buf *out);

/* Reads it from an agent's facts; REISSUE_NEVER if they have no such line. */
struct reissue reissue_parse(const char *facts);

/* True if a new secret may be given now. login_s: the last login with its key that is known now. */
bool reissue_allowed(const struct reissue *r, int64_t wall_s, int64_t boot_s, int64_t login_s);

#endif
