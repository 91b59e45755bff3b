/* SPDX-License-Identifier: ISC */
/*
 * When a known agent may be given another secret. Until its secret is used, an answer may have been
 * lost; but the enrolment key is shared and an agent's public key is no secret, so whoever has both
 * could take its place. What the store keeps of that is one line among the agent's facts. Pure.
 */
#ifndef TUNLEASE_LEASE_REISSUE_H
#define TUNLEASE_LEASE_REISSUE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    REISSUE_LOST_ANSWER_S = 600, /* from a register whose answer may not have come */
    REISSUE_RESET_S = 3600,      /* from an admin's reset: longer than a refused agent waits */
    REISSUE_LINE_BYTES = 80,
};

struct reissue {
    enum { REISSUE_NEVER, REISSUE_REGISTERED, REISSUE_RESET } since;
    /* Of that moment, by the wall clock and by the boot clock: somebody may set the first, and the
     * second begins anew at a boot. Both have to agree that it is not over. */
    int64_t wall_s, boot_s;
    int64_t login_s; /* the newest login of its key that was known then; 0: none */
};

struct buf;

/* Its line of the facts; nothing for REISSUE_NEVER. */
void reissue_format(const struct reissue *r, struct buf *out);

/* The facts with this one in place of theirs. */
void reissue_replace(const char *facts, const struct reissue *r, struct buf *out);

/* From an agent's facts; REISSUE_NEVER where none of their lines is one. */
struct reissue reissue_parse(const char *facts);

/* Whether a new secret may be given now. login_s: the newest login of its key that is known. */
bool reissue_allowed(const struct reissue *r, int64_t wall_s, int64_t boot_s, int64_t login_s);

#endif
