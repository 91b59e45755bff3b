/* SPDX-License-Identifier: ISC */
/*
 * All leases in short, in the order in which the page shows them: what it filters, counts and pages
 * through, whoever asks and for whatever. It is read again only when the store has changed, at most
 * once a second, and with pauses of fifty times as long as the reading took; a large store is read
 * in pieces, between requests. Meanwhile the leases as they were read last are shown.
 */
#ifndef TUNLEASE_LEASED_STATUS_LEASE_INDEX_H
#define TUNLEASE_LEASED_STATUS_LEASE_INDEX_H

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
#include "lib/store/range.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct event_base;
struct open_store;

enum { INDEX_LEASES_MAX = 200000 /* so that its memory has a limit: some 20 MB */ };

/* One lease. */
struct indexed_lease {
    int64_t id, expires_s, revoked_s;
    uint32_t name_at, ports_at; /* in the index's names and ports */
    uint16_t port_ranges;       /* pairs of low and high */
    uint8_t is_agent, state;    /* enum lease_state, at sorted_s */
};

struct lease_list {
    struct indexed_lease *items;
    size_t count, room;
    uint32_t *agents; /* positions in items of those that are not revoked, by name */
    size_t agent_count;
    struct buf names; /* of each lease: name, NUL, login, NUL */
    struct buf ports; /* of all permits: uint16_t low, high */
    int64_t omitted;  /* leases beyond INDEX_LEASES_MAX */
    int64_t read_s;   /* when it was read */
};

struct lease_index {
    const struct open_store *open_store;

    struct lease_list list;             /* sorted as the page shows them */
    bool is_known;                      /* it has been read, of this store */
    size_t states[LEASE_STATE__MAX];    /* how many leases are in each state */
    int64_t sorted_s, next_expiry_s;    /* when states were judged; INT64_MAX: nothing expires */
    int64_t data_version, rows_changed; /* of the store, when list was read */

    bool is_reading; /* a reading in pieces is under way */
    bool has_failed; /* the last reading */
    char why[256];   /* it failed */
    struct lease_list reading;
    struct lease_range at;
    int64_t reading_version, reading_changed;
    int64_t used_us,
        next_ms; /* time that the reading has used; the next one is not before next_ms */
    struct event *on_piece;
};

/* Returns 0, or -1: out of memory. open_store is lent. */
int lease_index_start(struct lease_index *ix, struct event_base *base,
                      const struct open_store *open_store);

/* Reads the store again if it has changed and that is due. A small store has been read when this
 * returns. Also judges the leases' states anew, if one has ended. */
void lease_index_refresh(struct lease_index *ix, int64_t now_s);

/* Another store is open: nothing is known of its leases yet. */
void lease_index_forget(struct lease_index *ix);

const char *lease_index_name(const struct lease_index *ix, const struct indexed_lease *l);
const char *lease_index_login(const struct lease_index *ix, const struct indexed_lease *l);

/* Whether one of its permits, to open or to listen, has the port. */
bool lease_index_has_port(const struct lease_index *ix, const struct indexed_lease *l,
                          uint16_t port);

/* The first port that an agent listens on; 0: none. */
uint16_t lease_index_agent_port(const struct lease_index *ix, const struct indexed_lease *l);

#endif
