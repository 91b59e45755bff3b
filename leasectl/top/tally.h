/* SPDX-License-Identifier: ISC */
/*
 * Adds up what goes through sessions, look by look. The kernel forgets the counters of a connection
 * that closes; what the last look saw of it stays in the sums. What went through between that look
 * and the close, and through a connection that no look has met, is missing: a sum is "at least".
 */
#ifndef TUNLEASE_LEASECTL_TOP_TALLY_H
#define TUNLEASE_LEASECTL_TOP_TALLY_H

#include "leasectl/traffic/traffic.h"
#include "lib/session/session_list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tally_bytes {
    uint64_t down, up;
};

/* A connection that is open. */
struct tally_connection {
    uint64_t cookie;
    pid_t pid; /* of the session's monitor */
    struct tally_bytes bytes;
    bool has_rate;
    uint64_t rate; /* bytes a second in both directions, since the look before */
};

struct tally_session {
    pid_t pid;
    uint64_t start_ticks;
    bool is_known;             /* false: its bytes cannot be seen now */
    struct tally_bytes closed; /* of connections that have closed since the first look */
    struct tally_bytes total;  /* and of those that are open */
    bool has_rate;             /* there was a look before */
    struct tally_bytes rate;   /* bytes a second */
};

/* Zero-initialised: nothing was seen yet. */
struct tally {
    struct tally_connection *connections; /* owned; sorted by cookie */
    size_t connection_count;
    struct tally_session *sessions; /* owned; in the order of the list of the last look */
    size_t session_count;
    struct tally_bytes ended; /* of sessions that have ended since the first look */
    struct tally_bytes rate;  /* of all sessions together */
    int64_t looked_ms;        /* clock_monotonic_ms of the last look; 0: none */
};

/*
 * Takes in one look: list, which is sorted by pid, and what traffic_read said of it. A session of
 * which nothing can be seen now keeps what it had. Returns 0; or -1 with errno, and *t is
 * unchanged.
 */
int tally_look(struct tally *t, const struct session_list *list, const struct traffic *traffic,
               int64_t now_ms);

/* What all sessions have had since the first look, those that have ended included. */
struct tally_bytes tally_total(const struct tally *t);

/* NULL: it was not open at the last look. */
const struct tally_connection *tally_connection_of(const struct tally *t, uint64_t cookie);

void tally_release(struct tally *t);

#endif
