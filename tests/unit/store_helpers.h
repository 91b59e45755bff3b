/* SPDX-License-Identifier: ISC */
/* Shared by the tests of the store: a store for each test, leases to add, raw SQL on its file. */
#ifndef TUNLEASE_TESTS_UNIT_STORE_HELPERS_H
#define TUNLEASE_TESTS_UNIT_STORE_HELPERS_H

#include "lib/lease/lease.h"
#include "lib/store/agents.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/login.h"
#include "lib/store/open_write.h"
#include "lib/store/store.h"
#include "lib/store/transaction.h"

#include "tests/made_key.h"
#include "tests/unit/helpers.h"

#include <netinet/in.h>
#include <resolv.h>
#include <sqlite3.h>
#include <stdbool.h>

enum { NOW_S = 1795802400, QUARANTINE_S = 7 * 86400 };

static char *dir, *path; /* dir/leases.db */

static inline int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    path = path_in(dir, "leases.db");
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    free(path);
    temp_dir_remove(dir);
    return 0;
}

static inline struct store *open_store(void)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = NULL;
    if (store_open_write(path, &st, err) != STORE_OK)
        fail_msg("%s", err);
    return st;
}

static inline struct store_actor actor_at(int64_t now_s)
{
    return (struct store_actor){.who = "uid=0", .source = "192.0.2.7", .now_s = now_s};
}

/* Changes the file as any other program with write access could; -wal and -shm stay. */
static inline void raw_sql(const char *sql)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    int persist = 1;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The first column of the first row as a number; -1 when there is no row or it is NULL. */
static inline int64_t raw_number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    int64_t value = -1;
    int persist = 1;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_type(s, 0) != SQLITE_NULL)
        value = sqlite3_column_int64(s, 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return value;
}

static inline struct pubkey key_number(unsigned char n)
{
    struct pubkey key;
    assert_true(made_key(n, &key));
    return key;
}

/* Ends an hour from now; release it with lease_release. */
static inline struct lease make_lease(const char *name, const char *login, unsigned char key,
                                      const char *open, const char *listen)
{
    struct lease l = {.expires_s = NOW_S + 3600};
    struct lease_key k = {.pub = key_number(key)};
    (void)snprintf(l.name, sizeof(l.name), "%s", name);
    (void)snprintf(l.login, sizeof(l.login), "%s", login);
    assert_int_equal(permit_list_parse(open, &l.open), 0);
    assert_int_equal(permit_list_parse(listen, &l.listen), 0);
    assert_int_equal(lease_add_key(&l, &k), 0);
    return l;
}

/* Adds a lease in its own transaction; rolls back on failure. *ret_id may be NULL. */
static inline enum store_rc add_at(struct store *st, const struct lease *l, int64_t now_s,
                                   int64_t *ret_id, struct store_conflict *ret)
{
    const struct store_actor by = actor_at(now_s);
    int64_t id = 0;
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_lease_add(st, l, QUARANTINE_S, &by, &id, ret);
    if (rc == STORE_OK)
        assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    if (rc == STORE_OK && ret_id != NULL)
        *ret_id = id;
    return rc;
}

/* Grants a lease, which must succeed. Returns its id. */
static inline int64_t grant(struct store *st, const char *name, const char *login,
                            unsigned char key, const char *open, const char *listen)
{
    struct lease l = make_lease(name, login, key, open, listen);
    struct store_conflict conflict;
    int64_t id = 0;
    if (add_at(st, &l, NOW_S, &id, &conflict) != STORE_OK)
        fail_msg("grant %s: %s", name, store_error(st));
    lease_release(&l);
    return id;
}

/* Adds an agent in its own transaction. Returns the id of its lease. */
static inline int64_t add_agent(struct store *st, const char *name, unsigned char key,
                                const char *facts, int64_t now_s)
{
    const struct store_actor by = actor_at(now_s);
    char listen[32];
    struct store_conflict conflict;
    int64_t id = 0;
    (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", 20000U + key);
    struct lease l = make_lease(name, "gw-tunnel", key, "", listen);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_agent_add(st, &l, 0, facts, QUARANTINE_S, &by, &id, &conflict),
                     STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    lease_release(&l);
    return id;
}

static inline enum store_rc find(struct store *st, const char *login, unsigned char key,
                                 int64_t *ret_id)
{
    struct lease l = {0};
    struct pubkey k = key_number(key);
    enum store_rc rc = store_find_key(st, login, k.fingerprint, &l);
    if (ret_id != NULL)
        *ret_id = l.id;
    lease_release(&l);
    return rc;
}

#endif
