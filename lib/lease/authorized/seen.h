/* SPDX-License-Identifier: ISC */
/*
 * Which keys of a file an earlier line has. sshd takes the first line of a key that admits it and
 * looks no further; a line that is dead, over or refuses the source (from=) is passed over. Pure.
 */
#ifndef TUNLEASE_LEASE_AUTHORIZED_SEEN_H
#define TUNLEASE_LEASE_AUTHORIZED_SEEN_H

#include "lib/lease/authorized/authorized.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct authorized_seen_key;

/* Zero-initialised it is empty. About 100 bytes a key. */
struct authorized_seen {
    struct authorized_seen_key *keys; /* owned; a hash table */
    size_t count, room;
    uint64_t seed; /* random, since who wrote the file chose the keys */
};

/* The first earlier line of the key that is not over; one without a condition and an end, where
 * there is one, since no line behind that is reached. */
struct authorized_earlier {
    unsigned long line_no; /* 0: there is none */
    bool has_condition;    /* it has from= or principals=, which may pass over it */
    int64_t expires_s;     /* it is taken until then; 0: for ever */
};

/*
 * Adds a line that is AUTHORIZED_KEY or AUTHORIZED_AUTHORITY (any other is passed over), unless an
 * earlier one is there, or it is over at now_s. True and *ret_earlier, which has line_no 0 for the
 * first; or false: out of memory.
 */
bool authorized_seen_add(struct authorized_seen *seen, const struct authorized_line *l,
                         unsigned long line_no, int64_t now_s,
                         struct authorized_earlier *ret_earlier);
void authorized_seen_release(struct authorized_seen *seen);

#endif
