/* SPDX-License-Identifier: ISC */
/* Heartbeats of a busy gateway: none is lost, none changes what it may not, all get into their
 * leases. */
#include "leased/requests/beats.h"

#include "lib/store/beats.h"
#include "lib/store/connection.h"
#include "lib/store/transaction.h"

#include "tests/unit/store_helpers.h"

static struct beats beats;
static const int64_t now_ms = NOW_S * INT64_C(1000);

/* Uses up the heartbeats of a second that go into their leases at once. */
static void be_busy(int64_t clock_ms)
{
    const struct beat b = {.lease_id = 1, .heartbeat_ms = now_ms, .expires_s = NOW_S};
    for (int i = 0; i < BEATS_DIRECT_PER_S; i++)
        if (beats_defers(&beats, NOW_S + 3600, &b, clock_ms))
            fail_msg("number %d of a second was deferred", i);
}

static struct store *open_busy(void)
{
    struct store *st = open_store();
    assert_int_equal(beats_load(&beats, st), STORE_OK);
    be_busy(0);
    return st;
}

static void close_busy(struct store *st)
{
    beats_release(&beats);
    store_close(st);
}

static void add(struct store *st, int64_t lease_id, int64_t after_ms, int64_t expires_s)
{
    const struct beat b = {
        .lease_id = lease_id, .heartbeat_ms = now_ms + after_ms, .expires_s = expires_s};
    assert_true(beats_defers(&beats, NOW_S + 3600, &b, after_ms));
    assert_int_equal(beats_add(&beats, st, &b, after_ms), STORE_OK);
}

static void commit(struct store *st)
{
    assert_int_equal(store_commit(st), STORE_OK);
    beats_committed(&beats);
}

/* Flushes in steps of that many rows; returns the number of steps. */
static int flush_all(struct store *st, int64_t clock_ms, size_t rows)
{
    int steps = 0;
    for (; beats_begin_due(&beats, clock_ms); steps++) {
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(beats_flush(&beats, st, rows, false, clock_ms), STORE_OK);
        commit(st);
        assert_true(steps < 100);
    }
    return steps;
}

static int64_t heartbeat_of(int64_t id)
{
    char sql[96];
    (void)snprintf(sql, sizeof(sql), "SELECT heartbeat_ms FROM lease WHERE id = %lld",
                   (long long)id);
    return raw_number(sql);
}

static int64_t end_of(int64_t id)
{
    char sql[96];
    (void)snprintf(sql, sizeof(sql), "SELECT expires_s FROM lease WHERE id = %lld", (long long)id);
    return raw_number(sql);
}

static void which_are_deferred(void **state)
{
    static const struct {
        const char *what;
        int64_t lease_end_s, expires_s;
        bool want;
    } rows[] = {
        {"the end is far", NOW_S + 3600, NOW_S + 7200, true},
        {"just far enough", NOW_S + BEATS_LEASE_S + 1, NOW_S + 7200, true},
        {"not far enough", NOW_S + BEATS_LEASE_S, NOW_S + 7200, false},
        {"the end has passed", NOW_S - 1, NOW_S + 7200, false},
        {"the end is near, and stays", NOW_S + 5, NOW_S + 5, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store *st = open_busy();
        const struct beat b = {
            .lease_id = 1, .heartbeat_ms = now_ms, .expires_s = rows[i].expires_s};
        CHECK(rows[i].what, beats_defers(&beats, rows[i].lease_end_s, &b, 999) == rows[i].want);
        /* In a new second the first ones go into their leases again. */
        CHECK(rows[i].what, !beats_defers(&beats, rows[i].lease_end_s, &b, 1000));
        assert_int_equal(beats_due_in_ms(&beats, 1000), -1);
        close_busy(st);
    }
}

/* Two agents, and a lease that was deleted: the newest heartbeat of each counts, no row is left. */
static void into_their_leases(void **state)
{
    for (size_t rows = 1; rows <= 64; rows *= 4) {
        struct store *st = open_busy();
        char a_name[16], b_name[16];
        (void)state;
        (void)snprintf(a_name, sizeof(a_name), "a%zu", rows);
        (void)snprintf(b_name, sizeof(b_name), "b%zu", rows);
        int64_t a = grant(st, a_name, "gw-tunnel", (unsigned char)rows, "8009", "");
        int64_t b = grant(st, b_name, "gw-tunnel", (unsigned char)(rows + 1), "8009", "");
        assert_int_equal(store_begin(st), STORE_OK);
        for (int i = 1; i <= 9; i++) {
            add(st, i % 2 == 0 ? a : b, i, NOW_S + 4000 + i);
            add(st, 4711, i, NOW_S + 4000 + i);
        }
        commit(st);
        assert_int_equal(raw_number("SELECT count(*) FROM beat"), 18);
        assert_int_equal(heartbeat_of(a), 0);
        assert_int_equal(beats_due_in_ms(&beats, 1), BEATS_FLUSH_MS);
        assert_false(beats_begin_due(&beats, BEATS_FLUSH_MS));

        int64_t before = beats.rows_flushed;
        int steps = flush_all(st, BEATS_FLUSH_MS + 1, rows);
        assert_int_equal(steps, (3 + 18 + (int)rows - 1) / (int)rows);
        assert_int_equal(heartbeat_of(a), now_ms + 8);
        assert_int_equal(heartbeat_of(b), now_ms + 9);
        assert_int_equal(end_of(a), NOW_S + 4008);
        assert_int_equal(end_of(b), NOW_S + 4009);
        assert_int_equal(raw_number("SELECT count(*) FROM beat"), 0);
        assert_int_equal(beats.rows_flushed - before, 2 + 18);
        assert_int_equal(beats_due_in_ms(&beats, BEATS_FLUSH_MS + 2), -1);
        close_busy(st);
    }
}

static const uint8_t *turn_of(int64_t id)
{
    static uint8_t turn[24];
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;
    memset(turn, 0, sizeof(turn));
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT turn FROM lease WHERE id = ?", -1, &s, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_bind_int64(s, 1, id), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    if (sqlite3_column_bytes(s, 0) == (int)sizeof(turn))
        memcpy(turn, sqlite3_column_blob(s, 0), sizeof(turn));
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return turn;
}

static void add_counter(struct store *st, int64_t lease_id, int64_t number, int64_t after_ms)
{
    const struct beat b = {.lease_id = lease_id,
                           .heartbeat_ms = now_ms + after_ms,
                           .expires_s = NOW_S + 4000,
                           .counter = {.number = number, .nonce = {(uint8_t)(100 + number), 7}}};
    beats.second_ms = after_ms;
    beats.in_second = BEATS_DIRECT_PER_S;
    assert_true(beats_defers(&beats, NOW_S + 3600, &b, after_ms));
    assert_int_equal(beats_add(&beats, st, &b, after_ms), STORE_OK);
}

/* The newest counter is known before its lease has it, during the flush, and in another process;
 * and a heartbeat without one takes none away. */
static void counters(void **state)
{
    struct store *st = open_busy();
    int64_t a = grant(st, "a", "gw-tunnel", 1, "8009", "");
    (void)state;
    assert_int_equal(beats_newest(&beats, a).counter.number, 0);
    assert_int_equal(store_begin(st), STORE_OK);
    for (int64_t number = 1; number <= 3; number++)
        add_counter(st, a, number, number);
    add(st, a, 4, NOW_S + 4000);
    commit(st);
    assert_int_equal(beats_newest(&beats, a).counter.number, 3);
    assert_int_equal(beats_newest(&beats, a).heartbeat_ms, now_ms + 4);
    assert_int_equal(beats_newest(&beats, a + 1).counter.number, 0);
    assert_int_equal(turn_of(a)[7], 0);

    beats_release(&beats); /* a kill, and another process */
    assert_int_equal(beats_load(&beats, st), STORE_OK);
    assert_int_equal(beats_newest(&beats, a).counter.number, 3);
    assert_int_equal(beats_newest(&beats, a).counter.nonce[0], 103);
    (void)flush_all(st, 20000, 1);
    assert_int_equal(turn_of(a)[7], 3);
    assert_int_equal(turn_of(a)[8], 103);

    assert_int_equal(store_begin(st), STORE_OK);
    add_counter(st, a, 2, 20005); /* never back */
    commit(st);
    (void)flush_all(st, 40000, 100);
    assert_int_equal(turn_of(a)[7], 3);

    assert_int_equal(store_begin(st), STORE_OK);
    add_counter(st, a, 9, 40005);
    beats_forget_counter(&beats, a);
    assert_int_equal(store_agent_forget_counter(st, a), STORE_OK);
    commit(st);
    assert_int_equal(beats_newest(&beats, a).counter.number, 0);
    (void)flush_all(st, 60000, 100);
    assert_int_equal(turn_of(a)[7], 0);
    close_busy(st);
}

/* DefaultTTL became shorter, and the agent was read from a lease that was behind. */
static void an_earlier_end(void **state)
{
    struct store *st = open_busy();
    int64_t a = grant(st, "a", "gw-tunnel", 1, "8009", "");
    (void)state;
    assert_int_equal(store_begin(st), STORE_OK);
    add(st, a, 1, NOW_S + 9000);
    add(st, a, 2, NOW_S + 4000);
    commit(st);
    (void)flush_all(st, 20000, 100);
    assert_int_equal(heartbeat_of(a), now_ms + 2);
    assert_int_equal(end_of(a), NOW_S + 9000);
    close_busy(st);
}

/* A heartbeat that comes during a flush is flushed by the next one. */
static void while_flushing(void **state)
{
    struct store *st = open_busy();
    int64_t a = grant(st, "a", "gw-tunnel", 1, "8009", "");
    int64_t b = grant(st, "b", "gw-tunnel", 2, "8009", "");
    (void)state;
    assert_int_equal(store_begin(st), STORE_OK);
    add(st, a, 1, NOW_S + 4000);
    add(st, b, 2, NOW_S + 4000);
    commit(st);
    assert_true(beats_begin_due(&beats, 20000));
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(beats_flush(&beats, st, 1, false, 0), STORE_OK);
    be_busy(20000);
    add(st, a, 20003, NOW_S + 4020);
    commit(st);
    assert_int_equal(flush_all(st, 20004, 100), 1);
    assert_int_equal(raw_number("SELECT count(*) FROM beat"), 1);
    assert_int_equal(heartbeat_of(a), now_ms + 1);
    assert_int_equal(heartbeat_of(b), now_ms + 2);
    assert_int_equal(flush_all(st, 20003 + BEATS_FLUSH_MS, 100), 1);
    assert_int_equal(raw_number("SELECT count(*) FROM beat"), 0);
    assert_int_equal(heartbeat_of(a), now_ms + 20003);
    close_busy(st);
}

/* A change that an admin made since the heartbeat stays. */
static void what_stays(void **state)
{
    static const struct {
        const char *what, *sql;
        int64_t want_end_s, want_ms;
    } rows[] = {
        {"nothing happened", "SELECT 1", NOW_S + 4000, now_ms + 1},
        {"an end was fixed", "UPDATE lease SET fixed_end = 1, expires_s = 1795802500", NOW_S + 100,
         now_ms + 1},
        {"it was revoked", "UPDATE lease SET live = NULL, revoked_s = 1795802400", NOW_S + 3600,
         now_ms + 1},
        {"a later end", "UPDATE lease SET expires_s = 1795812400", NOW_S + 10000, now_ms + 1},
        {"a later heartbeat", "UPDATE lease SET heartbeat_ms = 1795802400009", NOW_S + 4000,
         now_ms + 9},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store *st = open_busy();
        char name[16];
        (void)snprintf(name, sizeof(name), "a%zu", i);
        int64_t id = grant(st, name, "gw-tunnel", (unsigned char)(i + 1), "8009", "");
        assert_int_equal(store_begin(st), STORE_OK);
        add(st, id, 1, NOW_S + 4000);
        commit(st);
        raw_sql(rows[i].sql);
        (void)flush_all(st, 20000, 100);
        CHECK(rows[i].what, end_of(id) == rows[i].want_end_s);
        CHECK(rows[i].what, heartbeat_of(id) == rows[i].want_ms);
        close_busy(st);
        raw_sql("DELETE FROM lease; DELETE FROM key");
    }
}

/* After a rollback rows that are there are still deleted, and no others. */
static void rolled_back(void **state)
{
    struct store *st = open_busy();
    int64_t a = grant(st, "a", "gw-tunnel", 1, "8009", "");
    (void)state;
    assert_int_equal(store_begin(st), STORE_OK);
    add(st, a, 1, NOW_S + 4000);
    store_rollback(st);
    beats_rolled_back(&beats);
    assert_int_equal(beats_due_in_ms(&beats, 2), -1);
    assert_int_equal(store_begin(st), STORE_OK);
    add(st, a, 2, NOW_S + 4001);
    commit(st);

    assert_true(beats_begin_due(&beats, 20000));
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(beats_flush(&beats, st, 100, false, 0), STORE_OK);
    store_rollback(st);
    beats_rolled_back(&beats);
    assert_int_equal(heartbeat_of(a), 0);
    assert_int_equal(raw_number("SELECT count(*) FROM beat"), 1);
    assert_int_equal(flush_all(st, 20001, 100), 1);
    assert_int_equal(heartbeat_of(a), now_ms + 2);
    assert_int_equal(end_of(a), NOW_S + 4001);
    assert_int_equal(raw_number("SELECT count(*) FROM beat"), 0);
    close_busy(st);
}

/* leased ended before it had flushed; and again, half-way. */
static void after_a_crash(void **state)
{
    struct store *st = open_busy();
    int64_t a = grant(st, "a", "gw-tunnel", 1, "8009", "");
    int64_t b = grant(st, "b", "gw-tunnel", 2, "8009", "");
    (void)state;
    assert_int_equal(store_begin(st), STORE_OK);
    add(st, b, 1, NOW_S + 4000);
    add(st, a, 2, NOW_S + 4000);
    add(st, b, 3, NOW_S + 4001);
    commit(st);
    for (int i = 0; i < 2; i++) {
        close_busy(st);
        st = open_store();
        assert_int_equal(beats_load(&beats, st), STORE_OK);
        assert_int_equal(beats_due_in_ms(&beats, 0), BEATS_PAUSE_MS); /* at once */
        assert_true(beats_begin_due(&beats, 0));
        if (i > 0)
            break;
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(beats_flush(&beats, st, 3, false, 0),
                         STORE_OK); /* both leases, and one row goes */
        commit(st);
        assert_int_equal(raw_number("SELECT count(*) FROM beat"), 2);
    }
    (void)flush_all(st, 0, 2);
    assert_int_equal(heartbeat_of(a), now_ms + 2);
    assert_int_equal(heartbeat_of(b), now_ms + 3);
    assert_int_equal(end_of(b), NOW_S + 4001);
    assert_int_equal(raw_number("SELECT count(*) FROM beat"), 0);
    close_busy(st);
}

/* With no more slots, or as many rows as may be pending, the next heartbeats go into their leases
 * at once; a flush takes all. */
static void full(void **state)
{
    struct store *st = open_store();
    (void)state;
    assert_int_equal(beats_load(&beats, st), STORE_OK);
    be_busy(0);
    assert_int_equal(store_begin(st), STORE_OK);
    for (int64_t i = 1; i <= BEATS_LEASES_MAX; i++)
        add(st, i, 500, NOW_S + 4000);
    const struct beat other = {
        .lease_id = BEATS_LEASES_MAX + 1, .heartbeat_ms = now_ms, .expires_s = NOW_S + 4000};
    assert_false(beats_defers(&beats, NOW_S + 3600, &other, 501));
    commit(st);
    assert_true(beats_begin_due(&beats, 20000));
    assert_int_equal(beats.flushing_count, BEATS_LEASES_MAX);
    for (size_t i = 0; i < beats.flushing_count; i++)
        assert_int_equal(beats.flushing[i].lease_id, (int64_t)i + 1);
    beats_release(&beats);

    raw_sql("DELETE FROM beat");
    assert_int_equal(beats_load(&beats, st), STORE_OK);
    be_busy(0);
    beats.row_count = BEATS_ROWS_MAX - 1;
    assert_int_equal(store_begin(st), STORE_OK);
    add(st, 1, 1, NOW_S + 4000);
    assert_false(beats_defers(&beats, NOW_S + 3600, &other, 2));
    commit(st);
    assert_int_equal(beats_due_in_ms(&beats, 3), 0); /* due at once, not by the clock */
    close_busy(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(which_are_deferred),
        TEST(into_their_leases),
        TEST(while_flushing),
        TEST(what_stays),
        TEST(rolled_back),
        TEST(after_a_crash),
        TEST(full),
        TEST(an_earlier_end),
        TEST(counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
