/* SPDX-License-Identifier: ISC */
/*
 * Events that are to be written to the store with the next commit. They wait here because whoever
 * notes one must not wait for the store's lock.
 */
#ifndef TUNLEASE_LEASED_WATCH_RECORDS_H
#define TUNLEASE_LEASED_WATCH_RECORDS_H

#include "lib/session/session.h"
#include "lib/store/store.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDS_MAX = 16384 /* events that wait to be written down */ };

/* Something to be written down with the next commit. */
struct record {
    enum { RECORD_LOGIN, RECORD_TUNNEL_UP, RECORD_TUNNEL_DOWN, RECORD_ENDED, RECORD_CLOCK } what;
    int64_t lease_id, time_s;
    char lease[SESSION_NAME_BYTES];
    char detail[96];
};

struct records {
    struct record *items;
    size_t count;
    struct event *on_flush;
};

/* flush(arg) is to commit; it is called soon after a record was added. 0, or -1: no memory. */
int records_start(struct records *r, struct event_base *base, event_callback_fn flush, void *arg);

/* The oldest is dropped when there is no room. */
void records_add(struct records *r, int what, int64_t lease_id, const char *lease, int64_t time_s,
                 const char *detail);

/* Has them committed after so long, also when no other one is added. */
void records_flush_in(struct records *r, int64_t after_ms);

/* All of them, within a transaction. */
enum store_rc records_write(const struct records *r, struct store *st);

/* The first count of them were written, and that was committed. */
void records_drop_first(struct records *r, size_t count);

#endif
