/* SPDX-License-Identifier: ISC */
#include "leased/requests/beats.h"

#include "lib/base/log.h"
#include "lib/store/beats.h"
#include "lib/store/connection.h"
#include "lib/store/transaction.h"

#include <stdlib.h>

enum { LOG_AGAIN_MS = 60000 };

/* ---- the newest heartbeat of each lease ---- */

/* Multiplying by 2^64 over the golden ratio spreads consecutive ids. */
static size_t slot_of(int64_t lease_id)
{
    return (size_t)(((uint64_t)lease_id * 11400714819323198485ULL) >> 40) % BEATS_SLOTS;
}

static bool ensure_slots(struct beats *b)
{
    if (b->pending == NULL)
        b->pending = calloc(BEATS_SLOTS, sizeof(*b->pending));
    return b->pending != NULL;
}

/* There are never more leases than BEATS_LEASES_MAX, so a slot is found. */
static void merge_newest(struct beats *b, const struct beat *beat)
{
    size_t i = slot_of(beat->lease_id);
    while (b->pending[i].lease_id != 0 && b->pending[i].lease_id != beat->lease_id)
        i = (i + 1) % BEATS_SLOTS;
    struct beat *newest = &b->pending[i];
    b->lease_count += newest->lease_id == 0;
    newest->lease_id = beat->lease_id;
    /* Two comparisons, because after DefaultTTL was shortened a later heartbeat may bring an
     * earlier end, and an end never moves back. */
    if (newest->heartbeat_ms < beat->heartbeat_ms)
        newest->heartbeat_ms = beat->heartbeat_ms;
    if (newest->expires_s < beat->expires_s)
        newest->expires_s = beat->expires_s;
    if (newest->counter.number < beat->counter.number)
        newest->counter = beat->counter;
}

static int by_lease(const void *a, const void *b)
{
    const struct beat *x = a, *y = b;
    return (x->lease_id > y->lease_id) - (x->lease_id < y->lease_id);
}

static struct beat *find_pending(const struct beats *b, int64_t lease_id)
{
    if (b->pending == NULL)
        return NULL;
    size_t i = slot_of(lease_id);
    while (b->pending[i].lease_id != 0 && b->pending[i].lease_id != lease_id)
        i = (i + 1) % BEATS_SLOTS;
    return b->pending[i].lease_id != 0 ? &b->pending[i] : NULL;
}

static struct beat *find_flushing(const struct beats *b, int64_t lease_id)
{
    const struct beat key = {.lease_id = lease_id};
    return b->flushing != NULL
               ? bsearch(&key, b->flushing, b->flushing_count, sizeof(key), by_lease)
               : NULL;
}

struct beat beats_newest(const struct beats *b, int64_t lease_id)
{
    struct beat newest = {.lease_id = lease_id};
    const struct beat *found[] = {find_flushing(b, lease_id), find_pending(b, lease_id)};
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        if (found[i] == NULL)
            continue;
        if (found[i]->counter.number > newest.counter.number)
            newest.counter = found[i]->counter;
        if (found[i]->heartbeat_ms > newest.heartbeat_ms)
            newest.heartbeat_ms = found[i]->heartbeat_ms;
    }
    return newest;
}

void beats_forget_counter(struct beats *b, int64_t lease_id)
{
    struct beat *found[] = {find_flushing(b, lease_id), find_pending(b, lease_id)};
    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++)
        if (found[i] != NULL)
            found[i]->counter.number = 0;
}

/* Moves all pending heartbeats into a flush: packs the slots into a sorted list. If a smaller block
 * cannot be had, the list keeps the large one. */
static void begin_flush(struct beats *b)
{
    size_t count = 0;
    for (size_t i = 0; i < BEATS_SLOTS; i++)
        if (b->pending[i].lease_id != 0)
            b->pending[count++] = b->pending[i];
    struct beat *smaller = reallocarray(b->pending, count, sizeof(*b->pending));
    b->flushing = smaller != NULL ? smaller : b->pending;
    qsort(b->flushing, count, sizeof(*b->flushing), by_lease);
    b->flushing_count = count;
    b->flushed = b->flushed_committed = 0;
    b->flushing_last_seq = b->next_seq - 1;
    b->pending = NULL;
    b->lease_count = 0;
    b->row_count = b->rows_committed = 0;
    b->put_back = b->put_back_committed = 0;
}

/* ---- what a former leased left pending ---- */

struct loading {
    struct beats *b;
    int64_t first;
};

static int load_beat(void *arg, int64_t seq, const struct beat *beat)
{
    struct loading *load = arg;
    struct beats *b = load->b;
    if (load->first == 0)
        load->first = seq;
    b->next_seq = seq + 1;
    if (!ensure_slots(b))
        return -1;
    /* There are fewer ports than that, hence fewer agents. If there were more, their next heartbeat
     * would do. */
    if (b->lease_count < BEATS_LEASES_MAX)
        merge_newest(b, beat);
    return 0;
}

enum store_rc beats_load(struct beats *b, struct store *st)
{
    *b = (struct beats){.next_seq = 1};
    struct loading load = {.b = b};
    enum store_rc rc = store_beat_list(st, load_beat, &load);
    if (rc != STORE_OK || b->lease_count == 0)
        return rc;
    b->deleted_last_seq = b->deleted_committed = load.first - 1;
    begin_flush(b);
    return STORE_OK;
}

void beats_release(struct beats *b)
{
    free(b->pending);
    free(b->flushing);
    *b = (struct beats){.pending = NULL};
}

/* ---- a heartbeat comes ---- */

bool beats_defers(struct beats *b, int64_t lease_end_s, const struct beat *beat, int64_t now_ms)
{
    if (now_ms - b->second_ms >= 1000) {
        b->second_ms = now_ms;
        b->in_second = 0;
    }
    if (++b->in_second <= BEATS_DIRECT_PER_S || b->row_count >= BEATS_ROWS_MAX ||
        b->lease_count >= BEATS_LEASES_MAX || !ensure_slots(b))
        return false;
    /* Whoever reads the lease meanwhile must not find it expired. */
    return beat->expires_s <= lease_end_s ||
           lease_end_s - beat->heartbeat_ms / 1000 > BEATS_LEASE_S;
}

enum store_rc beats_add(struct beats *b, struct store *st, const struct beat *beat, int64_t now_ms)
{
    enum store_rc rc = store_beat_add(st, b->next_seq, beat);
    if (rc != STORE_OK)
        return rc;
    merge_newest(b, beat);
    b->next_seq++;
    if (b->row_count++ == 0)
        b->oldest_ms = now_ms;
    return STORE_OK;
}

/* ---- the flush into the leases ---- */

int64_t beats_due_in_ms(const struct beats *b, int64_t now_ms)
{
    if (b->flushing != NULL)
        return BEATS_PAUSE_MS;
    if (b->row_count == 0)
        return -1;
    int64_t left_ms = b->oldest_ms + BEATS_FLUSH_MS - now_ms;
    return b->row_count >= BEATS_ROWS_MAX || left_ms < 0 ? 0 : left_ms;
}

bool beats_begin_due(struct beats *b, int64_t now_ms)
{
    if (b->flushing == NULL && beats_due_in_ms(b, now_ms) == 0)
        begin_flush(b);
    return b->flushing != NULL;
}

bool beats_are_behind(const struct beats *b)
{
    return b->row_count > b->put_back || (b->flushing != NULL && b->flushed < b->flushing_count);
}

/* Makes a heartbeat pending again as if it had just come, with a new row: its old row is deleted
 * with this flush. It is then at the end of the next flush. */
static enum store_rc put_back(struct beats *b, struct store *st, const struct beat *beat,
                              int64_t now_ms)
{
    if (!store_transaction_is_open(st) || b->lease_count >= BEATS_LEASES_MAX || !ensure_slots(b))
        return STORE_FAIL;
    if (b->put_back_logged_ms == 0 || now_ms - b->put_back_logged_ms >= LOG_AGAIN_MS) {
        log_error("cannot write a heartbeat into lease #%lld: %s; it stays pending",
                  (long long)beat->lease_id, store_error(st));
        b->put_back_logged_ms = now_ms;
    }
    enum store_rc rc = beats_add(b, st, beat, now_ms - BEATS_FLUSH_MS + BEATS_RETRY_MS);
    b->put_back += rc == STORE_OK;
    return rc;
}

enum store_rc beats_flush(struct beats *b, struct store *st, size_t rows, bool puts_back,
                          int64_t now_ms)
{
    const int64_t before = store_rows_changed(st);
    enum store_rc rc = STORE_OK;
    for (; rc == STORE_OK && rows > 0 && b->flushed < b->flushing_count; rows--) {
        const struct beat *beat = &b->flushing[b->flushed++];
        rc = store_beat_apply(st, beat);
        if (rc == STORE_NONE) /* the lease was deleted */
            rc = STORE_OK;
        else if (rc != STORE_OK && puts_back)
            rc = put_back(b, st, beat, now_ms);
    }
    if (rc == STORE_OK && rows > 0 && b->deleted_last_seq < b->flushing_last_seq) {
        const int64_t left = b->flushing_last_seq - b->deleted_last_seq;
        b->deleted_last_seq += left < (int64_t)rows ? left : (int64_t)rows;
        rc = store_beat_delete(st, b->deleted_last_seq);
    }
    b->rows_flushed += store_rows_changed(st) - before;
    return rc;
}

void beats_committed(struct beats *b)
{
    b->rows_committed = b->row_count;
    b->put_back_committed = b->put_back;
    b->flushed_committed = b->flushed;
    b->deleted_committed = b->deleted_last_seq;
    if (b->flushed < b->flushing_count || b->deleted_last_seq < b->flushing_last_seq)
        return;
    free(b->flushing);
    b->flushing = NULL;
}

/* Sequence numbers are not reused; gaps are fine. */
void beats_rolled_back(struct beats *b)
{
    b->row_count = b->rows_committed;
    b->put_back = b->put_back_committed;
    b->flushed = b->flushed_committed;
    b->deleted_last_seq = b->deleted_committed;
}
