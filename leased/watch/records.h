/* SPDX-License-Identifier: ISC */
/*
 * Events that are written to the store with the next commit. They are queued here because whoever
 * records one must not wait for the store's lock.
 */
#ifndef TUNLEASE_LEASED_WATCH_RECORDS_H
#define TUNLEASE_LEASED_WATCH_RECORDS_H

#include "lib/session/session.h"
#include "lib/store/store.h"

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDS_MAX = 16384 /* queued events */ };

/* One event. */
struct record {
    enum {
        RECORD_LOGIN,
        RECORD_TUNNEL_UP,
        RECORD_TUNNEL_DOWN,
        RECORD_ENDED,
        RECORD_CLOCK,
        RECORD_WRONG_CODES
    } what;
    int64_t lease_id, time_s;
    char lease[SESSION_NAME_BYTES]; /* of RECORD_WRONG_CODES: where they came from */
    char detail[96];
};

struct records {
    struct record *items;
    size_t count;
    struct event *on_flush;
};

/* flush is called with arg soon after a record was added; it has to commit. Returns 0, or -1: out
 * of memory. */
int records_start(struct records *r, struct event_base *base, event_callback_fn flush, void *arg);

/* Adds an event. Drops the oldest one when there is no room. */
void records_add(struct records *r, int what, int64_t lease_id, const char *lease, int64_t time_s,
                 const char *detail);

/* Calls flush after after_ms, even if no record is added until then. */
void records_flush_in(struct records *r, int64_t after_ms);

/* Writes all of them, within the caller's transaction. They stay queued until records_drop_first.
 */
enum store_rc records_write(const struct records *r, struct store *st);

/* Removes the oldest count records, which were written and committed. */
void records_drop_first(struct records *r, size_t count);

#endif
