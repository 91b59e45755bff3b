/* SPDX-License-Identifier: ISC */
/* A store whose files are moved, deleted, replaced or cut while it is open. */
#include "lib/store/connection.h"
#include "lib/store/leases.h"
#include "lib/store/leave.h"
#include "lib/store/note.h"
#include "lib/store/open_read.h"
#include "lib/store/open_write.h"
#include "lib/store/place.h"

#include "lib/session/session_list.h"
#include "lib/store/session_verdict.h"
#include "lib/store/transaction.h"

#include "tests/unit/store_helpers.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void rename_to(const char *suffix, const char *new_suffix)
{
    char *from = NULL, *to = NULL;
    assert_true(asprintf(&from, "%s%s", path, suffix) > 0);
    assert_true(asprintf(&to, "%s%s", path, new_suffix) > 0);
    if (rename(from, to) != 0)
        fail_msg("rename '%s': %m", from);
    free(from);
    free(to);
}

/* Moves all changes into the main file, and copies that file. */
static void copy_main(struct store *st, const char *suffix)
{
    char command[1024];
    assert_int_equal(store_checkpoint(st), STORE_OK);
    (void)snprintf(command, sizeof(command), "cp '%s' '%s%s'", path, path, suffix);
    assert_int_equal(system(command), 0);
}

static bool has(struct store *st, const char *name)
{
    struct lease l = {0};
    enum store_rc rc = store_lease_by_name(st, name, &l);
    lease_release(&l);
    return rc == STORE_OK;
}

static struct store *reopen(struct store *st)
{
    char err[STORE_ERROR_BYTES];
    struct store *ret = NULL;
    if (store_leave(st) != STORE_OK)
        fail_msg("%s", store_error(st));
    if (store_open_existing(path, &ret, err) != STORE_OK)
        fail_msg("%s", err);
    store_close(st);
    return ret;
}

/* Adds the leases n0 to n39, so that the file has some pages. */
static void grant_many(struct store *st, unsigned char first_key)
{
    for (unsigned char i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%u", i);
        (void)grant(st, name, "pfwd", (unsigned char)(first_key + i), "8009", "");
    }
}

static void nothing_begins_elsewhere(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    CHECK("in place", store_place_check(st) == STORE_IN_PLACE);
    rename_to("", ".away");
    CHECK("moved", store_place_check(st) == STORE_MISSING);
    CHECK("nothing begins", store_begin(st) == STORE_FAIL);
    CHECK("and store_error says why", strstr(store_error(st), "missing") != NULL);
    rename_to(".away", "");
    CHECK("back", store_place_check(st) == STORE_IN_PLACE && store_begin(st) == STORE_OK);
    store_rollback(st);
    store_close(st);
}

static void nothing_is_committed_elsewhere(void **state)
{
    static const char *const parts[] = {"", "-wal"};
    const struct store_actor by = actor_at(NOW_S);
    (void)state;
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct store *st = open_store();
        int64_t rows = raw_number("SELECT count(*) FROM audit");
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_note(st, &by, "test", 0, "", ""), STORE_OK);
        rename_to(parts[i], ".away");
        CHECK(parts[i], store_commit(st) == STORE_FAIL);
        store_rollback(st);
        rename_to(".away", parts[i]);
        CHECK(parts[i], raw_number("SELECT count(*) FROM audit") == rows);
        store_close(st);
    }
}

static void nobody_is_judged_elsewhere(void **state)
{
    struct store *st = open_store(), *reader = NULL;
    struct session_list list = {.items = NULL};
    enum session_verdict verdicts[1];
    char err[STORE_ERROR_BYTES];
    (void)state;
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK);
    CHECK("in place", store_judge_sessions(st, &list, NOW_S, verdicts, NULL) == STORE_OK);
    CHECK("a reader, too", store_judge_sessions(reader, &list, NOW_S, verdicts, NULL) == STORE_OK);
    rename_to("", ".away");
    CHECK("moved", store_judge_sessions(st, &list, NOW_S, verdicts, NULL) == STORE_FAIL);
    CHECK("a reader, too",
          store_judge_sessions(reader, &list, NOW_S, verdicts, NULL) == STORE_FAIL);
    rename_to(".away", "");
    store_close(reader);
    store_close(st);
}

static void missing_is_not_recreated(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = open_store(), *none = NULL;
    struct stat sb;
    (void)state;
    rename_to("", ".away");
    assert_int_equal(store_leave(st), STORE_OK);
    CHECK("no store is opened", store_open_existing(path, &none, err) == STORE_FAIL);
    CHECK("and none is created", lstat(path, &sb) != 0);
    CHECK("its place can still be checked", store_place_check(st) == STORE_MISSING);
    store_close(st);
}

static void cut_or_emptied(void **state)
{
    struct store *st = open_store();
    (void)state;
    grant_many(st, 1);
    copy_main(st, ".copy");
    CHECK("whole", store_place_check(st) == STORE_IN_PLACE);
    assert_int_equal(truncate(path, 8192), 0);
    CHECK("cut", store_place_check(st) == STORE_CUT);
    CHECK("and stays so", store_in_place(st) == STORE_FAIL && store_begin(st) == STORE_FAIL);
    assert_int_equal(truncate(path, 0), 0);
    CHECK("empty", store_place_check(st) == STORE_EMPTY);
    rename_to(".copy", "");
    CHECK("replaced", store_place_check(st) == STORE_REPLACED);
    st = reopen(st);
    CHECK("read anew", has(st, "n39") && store_place_check(st) == STORE_IN_PLACE);
    store_close(st);
}

/* A VACUUM by another process makes the file shorter too. */
static void shorter_but_whole(void **state)
{
    struct store *st = open_store();
    struct stat before, after;
    (void)state;
    raw_sql("CREATE TABLE bulk (b); INSERT INTO bulk VALUES (zeroblob(100000));"
            "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(store_place_check(st), STORE_IN_PLACE);
    assert_int_equal(stat(path, &before), 0);
    raw_sql("DROP TABLE bulk; VACUUM; PRAGMA wal_checkpoint(TRUNCATE)");
    assert_int_equal(stat(path, &after), 0);
    CHECK("it is shorter", after.st_size < before.st_size);
    CHECK("and in place", store_place_check(st) == STORE_IN_PLACE && store_begin(st) == STORE_OK);
    store_rollback(st);
    store_close(st);
}

/* The log next to the new file is the old one's: SQLite would read its pages as the new file's. */
static void main_file_replaced(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    copy_main(st, ".older");
    grant_many(st, 2);
    rename_to("", ".away");
    rename_to(".older", "");
    CHECK("replaced", store_place_check(st) == STORE_REPLACED);
    st = reopen(st);
    CHECK("it has the lease of the new file", has(st, "alice"));
    CHECK("and no other", !has(st, "n39") && raw_number("SELECT count(*) FROM lease") == 1);
    CHECK("writable", grant(st, "bob", "pfwd", 99, "8009", "") > 0);
    store_close(st);
    free(path);
    path = path_in(dir, "leases.db.away");
    CHECK("changes of the log are in the old file", raw_number("SELECT count(*) FROM lease") == 41);
}

static void log_written_since(void **state)
{
    struct store *st = open_store();
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    copy_main(st, ".older");
    (void)grant(st, "bob", "pfwd", 2, "8009", "");
    rename_to(".older", "");
    (void)poll(NULL, 0, 50); /* longer than a clock tick of the file system */
    char *wal = path_in(dir, "leases.db-wal");
    assert_int_equal(utimensat(AT_FDCWD, wal, NULL, 0), 0);
    CHECK("the log may belong to either file", store_leave(st) == STORE_FAIL);
    CHECK("and store_error says why", strstr(store_error(st), "-wal") != NULL);
    CHECK("and the log stays", access(wal, F_OK) == 0);
    free(wal);
    store_close(st);
}

/* cp -a of a whole copy overwrites the old log in place, and sets its modification time to the
 * copy's. */
static void copied_back_whole(void **state)
{
    struct store *st = open_store();
    struct stat copied, there;
    char *wal = path_in(dir, "leases.db-wal"), err[STORE_ERROR_BYTES], command[2048];
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(store_checkpoint(st), STORE_OK);
    (void)grant(st, "bob", "pfwd", 2, "8009", ""); /* only in the log */
    (void)snprintf(command, sizeof(command), "mkdir '%s/copy' && cp -a '%s'* '%s/copy'", dir, path,
                   dir);
    assert_int_equal(system(command), 0);
    (void)grant(st, "carol", "pfwd", 3, "8009", "");
    (void)poll(NULL, 0, 50); /* longer than a clock tick of the file system */
    rename_to("", ".away");
    (void)snprintf(command, sizeof(command),
                   "for s in '' -wal -shm; do cp -a '%s/copy/leases.db'$s '%s'$s; sleep 0.05; done",
                   dir, path);
    assert_int_equal(system(command), 0);
    assert_int_equal(stat(wal, &copied), 0);
    CHECK("replaced", store_place_check(st) == STORE_REPLACED);
    CHECK("the log may belong to either file", store_leave(st) == STORE_FAIL);
    store_close(st);
    assert_int_equal(stat(wal, &there), 0);
    CHECK("it is as it was copied", there.st_size == copied.st_size && copied.st_size > 0);
    assert_int_equal(store_open_write(path, &st, err), STORE_OK);
    CHECK("and its changes are there", has(st, "bob") && !has(st, "carol"));
    store_close(st);
    free(wal);
}

static void log_deleted(void **state)
{
    struct store *st = open_store();
    char *wal = path_in(dir, "leases.db-wal");
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(unlink(wal), 0);
    CHECK("seen", store_place_check(st) == STORE_REPLACED && store_begin(st) == STORE_FAIL);
    st = reopen(st);
    CHECK("nothing is lost", has(st, "alice"));
    CHECK("and the log is back", access(wal, F_OK) == 0);
    CHECK("writable", grant(st, "bob", "pfwd", 2, "8009", "") > 0);
    free(wal);
    store_close(st);
}

/* The last connection to close empties the log, but not into the file of another store. */
static void closed_elsewhere(void **state)
{
    struct store *st = open_store();
    struct stat before, after;
    char *wal = path_in(dir, "leases.db-wal");
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    copy_main(st, ".other");
    (void)grant(st, "bob", "pfwd", 2, "8009", "");
    rename_to(".other", "");
    assert_int_equal(stat(wal, &before), 0);
    store_close(st);
    assert_int_equal(stat(wal, &after), 0);
    CHECK("the log is as it was", before.st_size > 0 && before.st_size == after.st_size);
    free(wal);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_begins_elsewhere),
        TEST(nothing_is_committed_elsewhere),
        TEST(nobody_is_judged_elsewhere),
        TEST(missing_is_not_recreated),
        TEST(cut_or_emptied),
        TEST(shorter_but_whole),
        TEST(main_file_replaced),
        TEST(log_written_since),
        TEST(copied_back_whole),
        TEST(log_deleted),
        TEST(closed_elsewhere),
    };
    return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
