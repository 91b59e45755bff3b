/* SPDX-License-Identifier: ISC */
/* The audit chain: its hash, every way to falsify it, and pruning that keeps it intact. */
#include "lib/store/audit.h"

#include "lib/base/buf.h"
#include "lib/store/audit_list.h"
#include "lib/store/audit_verify.h"
#include "lib/store/connection.h"
#include "lib/store/open_read.h"
#include "lib/store/transaction.h"

#include "tests/unit/helpers.h"
#include "tests/unit/store_helpers.h"

#include <sha2.h>

enum { ROWS = 8 };

#define NO_TRIGGERS                                                                                \
    "DROP TRIGGER audit_update; DROP TRIGGER audit_delete; DROP TRIGGER audit_insert; "

/* Appends `rows` entries, one each hour from NOW_S on. */
static void append_rows(struct store *st, int rows)
{
    for (int i = 0; i < rows; i++) {
        const struct store_actor by = actor_at(NOW_S + 3600 * i);
        const struct audit_entry e = {
            .action = "grant",
            .lease_id = i + 1,
            .lease = "alice",
            .fingerprint = i % 2 == 0 ? "SHA256:abc" : NULL,
            .detail = i % 3 == 0 ? "login=pfwd" : NULL,
        };
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(audit_append(st, &by, &e), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
    }
}

static struct audit_report verify(struct store *st)
{
    struct audit_report report;
    assert_int_equal(audit_verify(st, &report), STORE_OK);
    return report;
}

static void intact(void **state)
{
    static const unsigned char zeros[AUDIT_HASH_BYTES];
    char err[STORE_ERROR_BYTES];
    struct store *st = open_store(), *reader = NULL;
    (void)state;
    struct audit_report report = verify(st);
    assert_int_equal(report.rows, 0);
    assert_int_equal(report.broken_seq, 0);
    assert_memory_equal(report.head, zeros, sizeof(zeros));
    append_rows(st, ROWS);
    report = verify(st);
    assert_int_equal(report.rows, ROWS);
    assert_int_equal(report.first_seq, 1);
    assert_int_equal(report.last_seq, ROWS);
    assert_int_equal(report.broken_seq, 0);
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK);
    struct audit_report read = verify(reader);
    assert_memory_equal(&read, &report, sizeof(read));
    store_close(reader);
    grant(st, "bob", "pfwd", 1, "8009", "");
    assert_int_equal(verify(st).rows, ROWS + 1);
    assert_int_equal(verify(st).broken_seq, 0);
    store_close(st);
}

/* Computes the hash as audit.h defines it, independently of audit.c. */
static void hash_as_documented(void **state)
{
    static const char *const fields[] = {
        "1",          "1795802400", "uid=0", "grant",         "17", "alice",
        "SHA256:abc", "192.0.2.7",  "ok",    "login=pfwd x=", ""};
    static const uint8_t zeros[AUDIT_HASH_BYTES];
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA2_CTX sha;
    struct store *st = open_store();
    const struct store_actor by = actor_at(NOW_S);
    const struct audit_entry e = {.action = "grant",
                                  .lease_id = 17,
                                  .lease = "alice",
                                  .fingerprint = "SHA256:abc",
                                  .detail = "login=pfwd x="};
    (void)state;
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(audit_append(st, &by, &e), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    SHA256Init(&sha);
    SHA256Update(&sha, zeros, sizeof(zeros));
    for (size_t i = 0; i < COUNT(fields); i++) {
        const uint8_t length[8] = {[7] = (uint8_t)strlen(fields[i])};
        SHA256Update(&sha, length, sizeof(length));
        SHA256Update(&sha, (const uint8_t *)fields[i], strlen(fields[i]));
    }
    SHA256Final(hash, &sha);
    assert_memory_equal(verify(st).head, hash, sizeof(hash));
    store_close(st);
}

static void falsified(void **state)
{
    static const struct {
        const char *what, *sql;
        int64_t broken_seq;
        enum audit_fault fault;
        int64_t other_seq;
    } rows[] = {
        {"nothing", "SELECT 1", 0, AUDIT_INTACT, 0},
        {"time", "UPDATE audit SET time_s = time_s + 1 WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"actor", "UPDATE audit SET actor = 'uid=1' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"action", "UPDATE audit SET action = 'revoke' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"lease number", "UPDATE audit SET lease_id = 6 WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"lease", "UPDATE audit SET lease = 'alicf' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"fingerprint", "UPDATE audit SET fingerprint = '' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"source", "UPDATE audit SET source = '192.0.2.8' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"outcome", "UPDATE audit SET outcome = 'OK' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"detail", "UPDATE audit SET detail = detail || ' ' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"a character moved to the next field",
         "UPDATE audit SET actor = 'uid=', action = '0grant' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"text behind a NUL", "UPDATE audit SET detail = detail || char(0) || 'x' WHERE seq = 5", 5,
         AUDIT_CHANGED, 0},
        {"text behind a NUL, actor", "UPDATE audit SET actor = 'uid=0' || char(0) WHERE seq = 5", 5,
         AUDIT_CHANGED, 0},
        {"anchor_seq 0 for none", "UPDATE audit SET anchor_seq = 0 WHERE seq = 5", 5, AUDIT_CHANGED,
         0},
        {"made an anchor", "UPDATE audit SET anchor_seq = 4 WHERE seq = 5", 1, AUDIT_ANCHOR, 5},
        {"hash, one byte", "UPDATE audit SET hash = zeroblob(32) WHERE seq = 5", 5, AUDIT_CHANGED,
         0},
        {"hash cut", "UPDATE audit SET hash = substr(hash, 1, 31) WHERE seq = 5", 5, AUDIT_CHANGED,
         0},
        {"hash empty", "UPDATE audit SET hash = x'' WHERE seq = 5", 5, AUDIT_CHANGED, 0},
        {"hash one byte more", "UPDATE audit SET hash = CAST(hash || x'00' AS BLOB) WHERE seq = 5",
         5, AUDIT_CHANGED, 0},
        {"first row", "UPDATE audit SET actor = 'x' WHERE seq = 1", 1, AUDIT_CHANGED, 0},
        {"newest row", "UPDATE audit SET actor = 'x' WHERE seq = 8", 8, AUDIT_CHANGED, 0},
        {"two rows: the first counts", "UPDATE audit SET actor = 'x' WHERE seq IN (3, 6)", 3,
         AUDIT_CHANGED, 0},
        {"removed", "DELETE FROM audit WHERE seq = 5", 6, AUDIT_MISSING, 5},
        {"the first removed", "DELETE FROM audit WHERE seq = 1", 2, AUDIT_MISSING, 1},
        {"several removed", "DELETE FROM audit WHERE seq BETWEEN 2 AND 6", 7, AUDIT_MISSING, 2},
        {"removed, and the others moved up",
         "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5", 5,
         AUDIT_MISSING, 0},
        {"the newest removed: only a head kept elsewhere shows it",
         "DELETE FROM audit WHERE seq = 8", 0, AUDIT_INTACT, 0},
        {"swapped",
         "UPDATE audit SET seq = 99 WHERE seq = 4; UPDATE audit SET seq = 4 WHERE seq = 5;"
         "UPDATE audit SET seq = 5 WHERE seq = 99",
         4, AUDIT_MOVED, 5},
        {"swapped, far from each other",
         "UPDATE audit SET seq = 99 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 7;"
         "UPDATE audit SET seq = 7 WHERE seq = 99",
         3, AUDIT_MOVED, 7},
        {"moved to the front",
         "UPDATE audit SET seq = -seq; UPDATE audit SET seq = 1 WHERE seq = -6;"
         "UPDATE audit SET seq = 1 - seq WHERE seq BETWEEN -5 AND -1;"
         "UPDATE audit SET seq = -seq WHERE seq < 0",
         1, AUDIT_MOVED, 6},
        {"three removed, and the others moved up",
         "DELETE FROM audit WHERE seq BETWEEN 3 AND 5; UPDATE audit SET seq = seq - 3 WHERE seq > "
         "5",
         3, AUDIT_MISSING, 0},
        {"moved to the end", "UPDATE audit SET seq = 9 WHERE seq = 5", 6, AUDIT_MISSING, 5},
        {"put in between",
         "UPDATE audit SET seq = -seq WHERE seq > 5; UPDATE audit SET seq = 1 - seq WHERE seq < 0;"
         "INSERT INTO audit SELECT 6, time_s, actor, action, lease_id, lease, fingerprint, source,"
         "outcome, detail, anchor_seq, hash FROM audit WHERE seq = 5",
         6, AUDIT_INSERTED, 0},
        {"put at the end",
         "INSERT INTO audit SELECT 9, time_s, actor, action, lease_id, lease, fingerprint, source,"
         "outcome, detail, anchor_seq, hash FROM audit WHERE seq = 8",
         9, AUDIT_CHANGED, 0},
        {"put at the end with a gap",
         "INSERT INTO audit SELECT 20, time_s, actor, action, lease_id, lease, fingerprint, source,"
         "outcome, detail, anchor_seq, hash FROM audit WHERE seq = 8",
         20, AUDIT_MISSING, 9},
        {"put before the first, numbered 0",
         "INSERT INTO audit SELECT 0, time_s, actor, action, lease_id, lease, fingerprint, source,"
         "outcome, detail, anchor_seq, hash FROM audit WHERE seq = 1",
         1, AUDIT_INSERTED, 0},
        {"put before the first, negative",
         "INSERT INTO audit SELECT -3, time_s, actor, action, lease_id, lease, fingerprint, source,"
         "outcome, detail, anchor_seq, hash FROM audit WHERE seq = 1",
         -3, AUDIT_INSERTED, 0},
        {"replaced",
         "INSERT OR REPLACE INTO audit SELECT 5, time_s, 'x', action, lease_id, lease, fingerprint,"
         "source, outcome, detail, anchor_seq, hash FROM audit WHERE seq = 5",
         5, AUDIT_CHANGED, 0},
    };
    struct store *st = open_store();
    (void)state;
    append_rows(st, ROWS);
    raw_sql(NO_TRIGGERS "CREATE TABLE saved AS SELECT * FROM audit");
    for (size_t i = 0; i < COUNT(rows); i++) {
        raw_sql(rows[i].sql);
        struct audit_report report = verify(st);
        if (report.broken_seq != rows[i].broken_seq)
            fail_msg("%s: broken at %lld, want %lld", rows[i].what, (long long)report.broken_seq,
                     (long long)rows[i].broken_seq);
        if (report.fault != rows[i].fault || report.other_seq != rows[i].other_seq)
            fail_msg("%s: fault %d of %lld", rows[i].what, (int)report.fault,
                     (long long)report.other_seq);
        raw_sql("DELETE FROM audit; INSERT INTO audit SELECT * FROM saved");
    }
    store_close(st);
}

/* A copy of row 5 with another number. */
#define ROW_AS(seq)                                                                                \
    " SELECT " seq ", time_s, 'x', action, lease_id, lease, fingerprint, source, outcome, detail," \
    " anchor_seq, hash FROM audit WHERE seq = 5 "

/* What the triggers refuse to a plain connection. */
static int try_sql(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    int changed = sqlite3_total_changes(db);
    (void)sqlite3_close(db);
    return rc == SQLITE_OK ? changed : -rc;
}

static void triggers(void **state)
{
    static const char *const refused[] = {
        "UPDATE audit SET actor = 'x' WHERE seq = 5",
        "UPDATE audit SET actor = actor",
        "UPDATE audit SET hash = hash WHERE seq = 1",
        "UPDATE OR IGNORE audit SET seq = 99",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 8",
        "DELETE FROM audit",
        /* The row that REPLACE deletes fires no DELETE trigger. */
        "INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 5",
        "REPLACE INTO audit SELECT * FROM audit WHERE seq = 8",
        "INSERT OR REPLACE INTO audit" ROW_AS("5"),
        "INSERT OR REPLACE INTO audit" ROW_AS("4 + 1"),
        "INSERT OR IGNORE INTO audit" ROW_AS("5"),
        "INSERT INTO audit" ROW_AS("5") "ON CONFLICT(seq) DO UPDATE SET actor = 'y'",
        "INSERT INTO audit" ROW_AS("5") "ON CONFLICT DO NOTHING",
        "INSERT INTO audit" ROW_AS("0"),
        "INSERT INTO audit" ROW_AS("-5"),
        "INSERT INTO audit" ROW_AS("NULL"),
        "UPDATE OR REPLACE audit SET seq = 5 WHERE seq = 6",
        "UPDATE OR REPLACE audit SET anchor_seq = 5",
    };
    struct store *st = open_store();
    (void)state;
    append_rows(st, ROWS);
    for (size_t i = 0; i < COUNT(refused); i++)
        CHECK(refused[i], try_sql(refused[i]) == -SQLITE_CONSTRAINT);
    assert_int_equal(verify(st).rows, ROWS);
    assert_int_equal(verify(st).broken_seq, 0);
    store_close(st);
}

static int64_t prune(struct store *st, int64_t before_s, int64_t limit)
{
    const struct store_actor by = actor_at(NOW_S + 3600 * 100);
    int64_t pruned = -1;
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(audit_prune(st, &by, before_s, limit, &pruned), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    return pruned;
}

static void pruned_in_chunks(void **state)
{
    static const struct {
        const char *what;
        int64_t hours; /* before NOW_S + that */
        int64_t limit, pruned, first_seq, rows;
    } steps[] = {
        {"nothing is so old", 0, 100, 0, 1, 10},
        {"limit 0", 10, 0, 0, 1, 10},
        {"a chunk of 3", 7, 3, 3, 4, 8},
        {"the next chunk of 3", 7, 3, 3, 7, 6},
        {"the rest, less than a chunk", 7, 3, 1, 8, 6},
        {"nothing is left", 7, 3, 0, 8, 6},
        {"at a row's very time it stays", 7, 100, 0, 8, 6},
        {"all but the anchors", 50, 100, 3, 11, 4},
    };
    struct store *st = open_store();
    (void)state;
    append_rows(st, 10);
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct audit_report before = verify(st);
        int64_t got = prune(st, NOW_S + 3600 * steps[i].hours, steps[i].limit);
        if (got != steps[i].pruned)
            fail_msg("%s: pruned %lld", steps[i].what, (long long)got);
        struct audit_report report = verify(st);
        CHECK(steps[i].what, report.broken_seq == 0);
        CHECK(steps[i].what, report.first_seq == steps[i].first_seq);
        CHECK(steps[i].what, report.rows == steps[i].rows);
        CHECK(steps[i].what, report.last_seq == before.last_seq + (got > 0 ? 1 : 0));
        CHECK(steps[i].what,
              (memcmp(report.head, before.head, AUDIT_HASH_BYTES) == 0) == (got == 0));
    }
    append_rows(st, 3);
    assert_int_equal(verify(st).broken_seq, 0);
    /* Old anchors are pruned too. */
    assert_true(prune(st, INT64_MAX, 1000) > 0);
    assert_int_equal(verify(st).broken_seq, 0);
    assert_int_equal(verify(st).rows, 1);
    append_rows(st, 2);
    assert_int_equal(verify(st).broken_seq, 0);
    assert_int_equal(verify(st).rows, 3);
    store_close(st);
}

static void above_the_anchor(void **state)
{
    static const struct {
        const char *what, *sql;
        int64_t broken_seq;
        enum audit_fault fault;
        int64_t other_seq;
    } rows[] = {
        {"the anchor's hash", "UPDATE audit SET detail = 'hash=' || printf('%064d', 0)", 4,
         AUDIT_ANCHOR, 9},
        {"no hash in it", "UPDATE audit SET detail = 'hash=' WHERE seq = 9", 4, AUDIT_ANCHOR, 9},
        {"upper case", "UPDATE audit SET detail = 'HASH=' || substr(detail, 6) WHERE seq = 9", 4,
         AUDIT_ANCHOR, 9},
        {"its number: a row before", "UPDATE audit SET anchor_seq = 2 WHERE seq = 9", 4,
         AUDIT_ANCHOR, 9},
        {"its number: a row after", "UPDATE audit SET anchor_seq = 4 WHERE seq = 9", 4,
         AUDIT_ANCHOR, 9},
        {"no anchor", "UPDATE audit SET anchor_seq = NULL WHERE seq = 9", 4, AUDIT_MISSING, 1},
        {"its number of deleted rows",
         "UPDATE audit SET detail = replace(detail, 'pruned=3', 'pruned=2') WHERE seq = 9", 9,
         AUDIT_CHANGED, 0},
        {"the first row left", "DELETE FROM audit WHERE seq = 4", 5, AUDIT_MISSING, 4},
    };
    struct store *st = open_store();
    (void)state;
    append_rows(st, ROWS);
    assert_int_equal(prune(st, NOW_S + 3600 * 3, 100), 3);
    assert_int_equal(verify(st).first_seq, 4);
    CHECK("a row above the anchor", try_sql("DELETE FROM audit WHERE seq = 4") < 0);
    CHECK("the anchor", try_sql("DELETE FROM audit WHERE seq = 9") < 0);
    CHECK("all", try_sql("DELETE FROM audit") < 0);
    CHECK("rows before the first", try_sql("DELETE FROM audit WHERE seq <= 3") == 0);
    CHECK("an anchor cannot be changed", try_sql("UPDATE audit SET detail = ''") < 0);
    CHECK("an anchor cannot be replaced by its anchor_seq",
          try_sql("INSERT OR REPLACE INTO audit SELECT 10, time_s, actor, action, lease_id, lease,"
                  "fingerprint, source, outcome, '', anchor_seq, hash FROM audit WHERE seq = 9") <
              0);
    CHECK("nor one that was pruned put back",
          try_sql("INSERT INTO audit SELECT 3, time_s, actor, action, lease_id, lease, fingerprint,"
                  "source, outcome, detail, NULL, hash FROM audit WHERE seq = 4") < 0);
    raw_sql(NO_TRIGGERS "CREATE TABLE saved AS SELECT * FROM audit");
    for (size_t i = 0; i < COUNT(rows); i++) {
        raw_sql(rows[i].sql);
        struct audit_report report = verify(st);
        if (report.broken_seq != rows[i].broken_seq)
            fail_msg("%s: broken at %lld, want %lld", rows[i].what, (long long)report.broken_seq,
                     (long long)rows[i].broken_seq);
        if (report.fault != rows[i].fault || report.other_seq != rows[i].other_seq)
            fail_msg("%s: fault %d of %lld", rows[i].what, (int)report.fault,
                     (long long)report.other_seq);
        raw_sql("DELETE FROM audit; INSERT INTO audit SELECT * FROM saved");
    }
    store_close(st);
}

static struct audit_report verify_at(struct store *st, int64_t seq)
{
    const struct audit_inquiry q = {.at_seq = seq};
    struct audit_report report;
    assert_int_equal(audit_verify_at(st, &q, &report), STORE_OK);
    return report;
}

/* What a head that was kept elsewhere is compared with. */
static void hash_at_a_row(void **state)
{
    struct store *st = open_store();
    struct audit_head head, newest;
    (void)state;
    assert_int_equal(audit_head(st, &head), STORE_OK);
    assert_int_equal(head.seq, 0);
    append_rows(st, 5);
    assert_int_equal(audit_head(st, &head), STORE_OK);
    assert_int_equal(head.seq, 5);
    assert_int_equal(head.time_s, NOW_S + 3600 * 4);
    append_rows(st, 3);
    assert_true(verify_at(st, 5).at_found);
    assert_memory_equal(verify_at(st, 5).at_hash, head.hash, AUDIT_HASH_BYTES);
    assert_int_equal(audit_head(st, &newest), STORE_OK);
    assert_memory_equal(verify_at(st, 8).at_hash, newest.hash, AUDIT_HASH_BYTES);
    assert_memory_equal(verify_at(st, 8).head, newest.hash, AUDIT_HASH_BYTES);
    assert_int_equal(verify_at(st, 8).head_time_s, newest.time_s);
    CHECK("a row that is not there yet", !verify_at(st, 9).at_found);
    CHECK("no row", !verify_at(st, 0).at_found);
    /* Pruned up to it: the anchor still has its hash. Pruned beyond: nothing has. */
    assert_int_equal(prune(st, INT64_MAX, 5), 5);
    CHECK("the anchored row", verify_at(st, 5).at_found);
    assert_memory_equal(verify_at(st, 5).at_hash, head.hash, AUDIT_HASH_BYTES);
    CHECK("a pruned row", !verify_at(st, 4).at_found);
    /* Cut: only the comparison shows it. */
    raw_sql(NO_TRIGGERS "DELETE FROM audit WHERE seq >= 8");
    CHECK("cut", verify_at(st, 8).broken_seq != 0 || !verify_at(st, 8).at_found);
    store_close(st);
}

struct listed {
    int64_t seqs[ROWS + 1];
    size_t count, stop_after;
};

static int note_row(void *ctx, const struct audit_record *r)
{
    struct listed *l = ctx;
    assert_non_null(r->hash);
    l->seqs[l->count++] = r->seq;
    return l->count == l->stop_after;
}

static void listed(void **state)
{
    static const struct {
        const char *what;
        struct audit_filter filter;
        size_t count;
        int64_t first_seq;
    } rows[] = {
        {"all", {.since_s = INT64_MIN}, ROWS, 1},
        {"since, itself included", {.since_s = NOW_S + 3600 * 2}, ROWS - 2, 3},
        {"since later", {.since_s = NOW_S + 3600 * 2 + 1}, ROWS - 3, 4},
        {"by name", {.since_s = INT64_MIN, .lease = "alice"}, ROWS, 1},
        {"by another name", {.since_s = INT64_MIN, .lease = "alic"}, 0, 0},
        {"by number", {.since_s = INT64_MIN, .lease_id = 3}, 1, 3},
        {"a piece", {.since_s = INT64_MIN, .after_seq = 2, .limit = 3}, 3, 3},
        {"the last piece", {.since_s = INT64_MIN, .after_seq = 6, .limit = 3}, 2, 7},
        {"by number and time", {.since_s = NOW_S + 3600 * 3, .lease_id = 3}, 0, 0},
    };
    struct store *st = open_store();
    (void)state;
    append_rows(st, ROWS);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct listed l = {.count = 0};
        assert_int_equal(audit_list(st, &rows[i].filter, note_row, &l), STORE_OK);
        CHECK(rows[i].what, l.count == rows[i].count);
        CHECK(rows[i].what, l.seqs[0] == rows[i].first_seq);
    }
    struct listed two = {.stop_after = 2};
    assert_int_equal(audit_list(st, &rows[0].filter, note_row, &two), STORE_OK);
    assert_int_equal(two.count, 2);
    struct listed newest = {.count = 0}, past_the_end = {.count = 0};
    assert_int_equal(audit_list_newest(st, 1, 3, note_row, &newest), STORE_OK);
    CHECK("the newest but one", newest.count == 3 && newest.seqs[0] == ROWS - 1);
    CHECK("and those before it", newest.seqs[1] == ROWS - 2 && newest.seqs[2] == ROWS - 3);
    assert_int_equal(audit_list_newest(st, ROWS, 3, note_row, &past_the_end), STORE_OK);
    assert_int_equal(past_the_end.count, 0);
    store_close(st);
}

/* A newest row without a whole hash stops every change: nothing is chained to it. */
static void damaged_head(void **state)
{
    struct store *st = open_store();
    const struct store_actor by = actor_at(NOW_S);
    const struct audit_entry e = {.action = "grant"};
    (void)state;
    append_rows(st, 2);
    raw_sql(NO_TRIGGERS "UPDATE audit SET hash = x'00' WHERE seq = 2");
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(audit_append(st, &by, &e), STORE_FAIL);
    CHECK_PROBLEM("why", store_error(st), "audit row has no hash");
    store_rollback(st);
    store_close(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(intact),       TEST(hash_as_documented), TEST(falsified),
        TEST(triggers),     TEST(pruned_in_chunks),   TEST(above_the_anchor),
        TEST(damaged_head), TEST(hash_at_a_row),      TEST(listed),
    };
    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
