/* SPDX-License-Identifier: ISC */
/*
 * What the store keeps of the copies of an agent, as lines of `key value` among its facts: where
 * the agent registered from last, the last copy that was seen, and an admin's reset. Pure.
 */
#ifndef TUNLEASE_LEASE_AGENT_COPIES_H
#define TUNLEASE_LEASE_AGENT_COPIES_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum {
    COPIES_ADDRESS_BYTES = 64, /* an address, perhaps with % and the name of an interface */
    COPIES_FROM_BYTES = 256,
    COPIES_TEXT_BYTES = 1024,
    COPIES_SHOWN_S = 7 * 86400, /* how long a copy is shown after it was seen last */
    COPIES_RESET_S = 600,       /* how long the old secret may register after an admin's reset */
};

struct agent_copies {
    char last_from[COPIES_ADDRESS_BYTES]; /* of the last accepted register; "": not known */
    int64_t seen_s;                       /* when a copy was refused last; 0: none since a reset */
    /* Of that copy, and of the host that was accepted before it; "": not known. */
    char copy_from[COPIES_ADDRESS_BYTES], other_from[COPIES_ADDRESS_BYTES];
    int64_t noted_s; /* when that was logged and audited last */
    /* An admin's reset, by both clocks, as in lib/lease/reissue.h; 0: none that is unused. */
    int64_t reset_wall_s, reset_boot_s;
    char reset_from[COPIES_FROM_BYTES]; /* addresses that it is for, as in from=; "": any */
};

void agent_copies_parse(const char *facts, struct agent_copies *ret);

/* Appends the lines, in all fewer than COPIES_TEXT_BYTES. */
void agent_copies_format(const struct agent_copies *c, struct buf *out);

/* Appends a copy of an agent's facts, in which the lines of c replace those that were there. */
void agent_copies_replace(const char *facts, const struct agent_copies *c, struct buf *out);

/* Whether a copy was seen within COPIES_SHOWN_S, and nothing has settled that. */
bool agent_copies_are_recent(const struct agent_copies *c, int64_t now_s);

/* Whether there is an admin's reset that is valid and unused. */
bool agent_copies_reset_waits(const struct agent_copies *c, int64_t wall_s, int64_t boot_s);

/* Whether an admin's reset lets a register from that address begin anew. */
bool agent_copies_may_reset(const struct agent_copies *c, int64_t wall_s, int64_t boot_s,
                            const char *address);

/* Forgets the copies and the reset; where the agent came from last stays. */
void agent_copies_settle(struct agent_copies *c);

#endif
