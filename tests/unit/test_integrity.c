/* SPDX-License-Identifier: ISC */
/* What doctor asks of a store: its version, its pages, and the latest time in it. */
#include "lib/store/integrity.h"

#include "lib/store/version.h"

#include "tests/unit/store_helpers.h"

#include <fcntl.h>
#include <unistd.h>

static void version_is_read(void **state)
{
    struct store *st = open_store();
    int version = 0;
    (void)state;
    assert_int_equal(store_version_read(st, &version), STORE_OK);
    assert_int_equal(version, STORE_VERSION);
    raw_sql("PRAGMA user_version = 1");
    assert_int_equal(store_version_read(st, &version), STORE_OK);
    assert_int_equal(version, 1);
    raw_sql("PRAGMA user_version = 99");
    assert_int_equal(store_version_read(st, &version), STORE_FAIL);
    assert_int_equal(version, 1);
    store_close(st);
}

/* Overwrites the page that a table begins with. */
static void damage(const char *table)
{
    char sql[128], garbage[512];
    (void)snprintf(sql, sizeof(sql), "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table);
    const int64_t page = raw_number(sql), bytes = raw_number("PRAGMA page_size");
    assert_true(page > 1 && bytes >= (int64_t)sizeof(garbage));
    memset(garbage, 0x5a, sizeof(garbage));
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, garbage, sizeof(garbage), (off_t)((page - 1) * bytes)),
                     sizeof(garbage));
    assert_int_equal(close(fd), 0);
}

static void pages_are_checked(void **state)
{
    char problem[STORE_ERROR_BYTES] = "untouched";
    struct store *st = open_store();
    (void)state;
    assert_int_equal(store_integrity_check(st, problem), STORE_OK);
    assert_string_equal(problem, "untouched");
    assert_int_equal(store_checkpoint(st), STORE_OK);
    store_close(st);
    damage("port");
    st = open_store();
    assert_int_equal(store_integrity_check(st, problem), STORE_NONE);
    assert_non_null(strstr(problem, "age "));
    assert_null(strchr(problem, '\n'));
    assert_null(strstr(problem, "***"));
    store_close(st);
}

static void newest_time_of_all(void **state)
{
    static const struct {
        const char *sql;
        int64_t newest_s;
    } rows[] = {
        {"UPDATE lease SET last_login_s = 1795802401", 1795802401},
        {"UPDATE lease SET renewed_s = 1795802402", 1795802402},
        {"UPDATE lease SET heartbeat_ms = 1795802403999", 1795802403},
        {"UPDATE lease SET created_s = 1795802404", 1795802404},
        {"UPDATE lease SET expires_s = 1795802499", 1795802404}, /* is to come, of course */
    };
    struct store *st = open_store();
    struct store_conflict conflict;
    struct lease l = make_lease("alice", "pfwd", 1, "127.0.0.1:8009", "");
    int64_t newest_s = -1;
    (void)state;
    assert_int_equal(store_newest_time(st, &newest_s), STORE_OK);
    assert_int_equal(newest_s, 0);
    assert_int_equal(add_at(st, &l, NOW_S, NULL, &conflict), STORE_OK);
    assert_int_equal(store_newest_time(st, &newest_s), STORE_OK);
    assert_int_equal(newest_s, NOW_S);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        raw_sql(rows[i].sql);
        assert_int_equal(store_newest_time(st, &newest_s), STORE_OK);
        assert_int_equal(newest_s, rows[i].newest_s);
    }
    lease_release(&l);
    store_close(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(version_is_read),
        TEST(pages_are_checked),
        TEST(newest_time_of_all),
    };
    return cmocka_run_group_tests_name("integrity", tests, NULL, NULL);
}
