/* SPDX-License-Identifier: ISC */
/*
 * How a copied agent is found out (docs/protocol.md 4.5). Each request of an agent has a counter,
 * which the last answer named, and a nonce, which the agent wrote to its disk first. Two hosts with
 * the state of one agent cannot both have the current counter, and cannot have the same nonce.
 *
 * The store keeps the last accepted pair. Its counter never goes down while the agent sends one: an
 * agent that is accepted although it is behind gets the number that follows. So whichever of two
 * hosts is accepted, the other one is a copy from then on. Pure.
 */
#ifndef TUNLEASE_LEASE_AGENT_COUNTER_H
#define TUNLEASE_LEASE_AGENT_COUNTER_H

#include <stdbool.h>
#include <stdint.h>

enum { AGENT_NONCE_BYTES = 16, AGENT_NONCE_TEXT_BYTES = 2 * AGENT_NONCE_BYTES + 1 };

/* The largest that all JSON parsers keep exactly. */
#define AGENT_COUNTER_MAX (((int64_t)1 << 53) - 1)

struct agent_counter {
    int64_t number; /* 0: none; the nonce means nothing then */
    uint8_t nonce[AGENT_NONCE_BYTES];
};

/* What a pair is, beside the last one that was accepted. */
enum counter_verdict {
    COUNTER_NEVER_SENT, /* no counter, now and before: an agent that knows none */
    COUNTER_CURRENT,
    COUNTER_REPEATED, /* the last pair again: its answer may have been lost */
    COUNTER_AHEAD,    /* the store is behind: it was restored from a backup */
    COUNTER_OTHER,    /* the last counter with another nonce, or an older one */
    COUNTER_MISSING,  /* no counter, from an agent that has sent one */
};

enum counter_verdict agent_counter_judge(const struct agent_counter *last,
                                         const struct agent_counter *sent);

/* What is to be known for a decision besides the verdict. */
struct counter_facts {
    bool is_reset;   /* an admin lets the agent begin anew, or it gets a new secret */
    bool is_frozen;  /* a copy was seen before, and CopiedAgents is `refuse` */
    bool refuses;    /* CopiedAgents is `refuse` */
    int64_t quiet_s; /* since the last accepted request */
    int64_t heartbeat_interval_s;
    bool other_may_be_up; /* another host may have a session of the agent */
};

enum counter_decision {
    COUNTER_ACCEPT,
    COUNTER_ADOPT,   /* accept a counter that is ahead */
    COUNTER_RESTORE, /* accept one that is behind: the one that was ahead is gone */
    COUNTER_RESET,   /* accept whatever was sent */
    COUNTER_REFUSE,  /* a copy */
    COUNTER_FREEZE,  /* a copy: from now on both are refused */
    COUNTER_STAYS_FROZEN,
};

enum { COUNTER_QUIET_INTERVALS = 3 };

/* Whether nothing was accepted for so many intervals. */
bool agent_counter_is_quiet(const struct counter_facts *facts);

enum counter_decision agent_counter_decide(enum counter_verdict verdict,
                                           const struct counter_facts *facts);

/* The last accepted pair after a decision that accepts. Its number 0: the agent sends none. */
struct agent_counter agent_counter_next(enum counter_decision decision,
                                        const struct agent_counter *last,
                                        const struct agent_counter *sent);

/* The counter that the agent is told to send next. */
int64_t agent_counter_told(const struct agent_counter *last);

/* A nonce as the agent sends it: 32 hexadecimal digits. False, and *ret unchanged, if it is none.
 */
bool agent_nonce_parse(const char *text, uint8_t ret[static AGENT_NONCE_BYTES]);

#endif
