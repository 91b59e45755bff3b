/* SPDX-License-Identifier: ISC */
/*
 * SQLite in its arena: it answers, and fails when the arena is used up. SQLite accepts an allocator
 * only once in a process, so each test runs in a child; this process never uses SQLite.
 */
#include "lib/store/arena.h"
#include "lib/store/connection.h"
#include "lib/store/open_read.h"
#include "lib/store/store.h"

#include "tests/unit/helpers.h"
#include "tests/unit/store_helpers.h"

/* Runs f in a child: 0, or the line of the check that failed. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            return __LINE__;                                                                       \
    } while (0)

static void in_child(const char *what, int (*fn)(void))
{
    int status = 0;
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int line = fn();
        if (line != 0)
            (void)fprintf(stderr, "%s: line %d\n", what, line);
        _exit(line != 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("%s: status 0x%x", what, (unsigned)status);
}

/* Three leases: the permits of the second do not fit into the arena, the third is ordinary. */
static int make_store(void)
{
    struct store *st = open_store();
    grant(st, "alice", "pfwd", 1, "8009", "");
    grant(st, "huge", "pfwd", 2, "8009", "");
    grant(st, "carol", "pfwd", 3, "1-256 [::1]:1-256", "");
    store_close(st);
    raw_sql("UPDATE lease SET open = printf('%.*c', 9000000, '8') WHERE name = 'huge'");
    return 0;
}

static int find_key_once(void)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = NULL;
    store_use_arena();
    MUST(store_open_read(path, &st, err) == STORE_OK);
    void *p = sqlite3_malloc(STORE_ARENA_BYTES);
    MUST(p == NULL); /* otherwise this would not be the arena */
    for (int i = 0; i < 10; i++) {
        MUST(find(st, "pfwd", 1, NULL) == STORE_OK);
        MUST(find(st, "pfwd", 3, NULL) == STORE_OK);
        MUST(find(st, "pfwd", 9, NULL) == STORE_NONE);
    }
    /* Little is freed, so at some time the arena is full: that must be a failure, not "none". */
    enum store_rc rc = STORE_OK;
    for (int i = 0; i < 100000 && rc == STORE_OK; i++)
        rc = find(st, "pfwd", 1, NULL);
    MUST(rc == STORE_FAIL && strstr(store_error(st), "memory") != NULL);
    store_close(st);
    return 0;
}

static int without_arena(void)
{
    void *p = sqlite3_malloc(STORE_ARENA_BYTES);
    MUST(p != NULL);
    sqlite3_free(p);
    return 0;
}

static int huge_row(void)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = NULL;
    store_use_arena();
    MUST(store_open_read(path, &st, err) == STORE_OK);
    MUST(find(st, "pfwd", 2, NULL) == STORE_FAIL);
    MUST(strstr(store_error(st), "memory") != NULL);
    enum store_rc rc = find(st, "pfwd", 1, NULL); /* an answer or a failure, never a wrong "none" */
    MUST(rc == STORE_OK || rc == STORE_FAIL);
    store_close(st);
    return 0;
}

static int opened_until_full(void)
{
    enum { TRIES = 200 };
    static struct store *stores[TRIES];
    char err[STORE_ERROR_BYTES] = "";
    int opened = 0;
    store_use_arena();
    while (opened < TRIES && store_open_read(path, &stores[opened], err) == STORE_OK)
        opened++;
    MUST(opened > 0 && opened < TRIES);
    MUST(strstr(err, path) != NULL);
    for (int i = 0; i < 3; i++) {
        enum store_rc rc = find(stores[opened - 1], "pfwd", 1, NULL);
        MUST(rc == STORE_OK || rc == STORE_FAIL);
    }
    for (int i = 0; i < opened; i++)
        store_close(stores[i]);
    return 0;
}

/* Tests the arena itself, through SQLite's allocator. */
static int pieces(void)
{
    store_use_arena();
    MUST(sqlite3_initialize() == SQLITE_OK);
    unsigned char *a = sqlite3_malloc(100), *b = sqlite3_malloc(1);
    MUST(a != NULL && b != NULL && (uintptr_t)a % 16 == 0 && (uintptr_t)b % 16 == 0);
    memset(a, 'a', 100);
    *b = 'b';
    unsigned char *c = sqlite3_realloc(b, 5000); /* the newest block grows in place */
    MUST(c == b && *c == 'b');
    unsigned char *d = sqlite3_realloc(a, 200); /* an older block moves, with its contents */
    MUST(d != NULL && d != a && d[0] == 'a' && d[99] == 'a');
    memset(d, 'd', 200);
    MUST(c[0] == 'b' && a[99] == 'a');
    MUST(sqlite3_realloc(d, 2 * STORE_ARENA_BYTES) == NULL && d[199] == 'd');
    MUST(sqlite3_malloc(STORE_ARENA_BYTES) == NULL);
    sqlite3_free(d);
    unsigned char *e = sqlite3_malloc(150); /* the newest block, when freed, is used again */
    MUST(e == d);
    int count = 0;
    while (sqlite3_malloc(1000) != NULL)
        count++;
    MUST(count > STORE_ARENA_BYTES / 1300 && count < STORE_ARENA_BYTES / 1000);
    MUST(sqlite3_malloc(1000) == NULL);
    return 0;
}

static void arena(void **state)
{
    (void)state;
    in_child("make the store", make_store);
    in_child("without the arena", without_arena);
    in_child("look up", find_key_once);
    in_child("a row larger than the arena", huge_row);
    in_child("opened until it is full", opened_until_full);
    in_child("pieces", pieces);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(arena, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
