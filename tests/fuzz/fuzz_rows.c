/* SPDX-License-Identifier: ISC */
/*
 * A hostile store, as akc reads it. The first byte of an input says how it is made of a sound one
 * with one lease: even: bytes of the file are replaced, as OFFSET (3 bytes), LENGTH (1) and the
 * bytes; odd: columns of the lease and its key get values of any type. akc then refuses, or prints
 * a line that has `restrict`, limits both directions and permits what the row it read says.
 */
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/lease/keyline.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/login.h"
#include "lib/store/open_read.h"
#include "lib/store/open_write.h"
#include "lib/store/transaction.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/keyline_check.h"

#include <bsd/string.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

enum { NOW_S = 1795802400, QUARANTINE_S = 7 * 86400, TEMPLATE_MAX = 1 << 20 };

static char dir[64], path[80], wal[96], shm[96];
static uint8_t template[TEMPLATE_MAX];
static size_t template_len;

static const struct pubkey key = {.type = "ssh-ed25519",
                                  .base64 = "AAAAkey",
                                  .fingerprint =
                                      "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};

static void remove_files(void)
{
    (void)unlink(path);
    (void)unlink(wal);
    (void)unlink(shm);
    (void)rmdir(dir);
}

static void must_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
        abort();
    }
}

static sqlite3 *open_raw(void)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        abort();
    return db;
}

/* The pages of a store with one lease, all in the main file. */
static void make_template(void)
{
    char err[STORE_ERROR_BYTES];
    struct store *st;
    struct store_conflict conflict;
    const struct store_actor by = {.who = "fuzz", .source = "", .now_s = NOW_S};
    struct lease l = {
        .name = "alice", .login = "pfwd", .expires_s = NOW_S + 86400, .max_sessions = 2};
    struct lease_key lease_key = {.pub = key};
    struct permit p;
    int64_t id;
    fuzz_make_dir(dir);
    (void)snprintf(path, sizeof(path), "%s/leases.db", dir);
    (void)snprintf(wal, sizeof(wal), "%s-wal", path);
    (void)snprintf(shm, sizeof(shm), "%s-shm", path);
    (void)atexit(remove_files);
    if (permit_parse("127.0.0.1:8009", PERMIT_RANGE, &p) != NULL ||
        permit_list_add(&l.open, &p) != 0 || source_list_parse("10.0.0.0/8", &l.from) != NULL ||
        lease_add_key(&l, &lease_key) != 0)
        abort();
    if (store_open_write(path, &st, err) != STORE_OK || store_begin(st) != STORE_OK ||
        store_lease_add(st, &l, QUARANTINE_S, &by, &id, &conflict) != STORE_OK ||
        store_commit(st) != STORE_OK) {
        (void)fprintf(stderr, "no template\n");
        abort();
    }
    store_close(st);
    lease_release(&l);
    sqlite3 *db = open_raw();
    must_sql(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close(db);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, template, sizeof(template)) : -1;
    if (n <= 0 || (size_t)n == sizeof(template))
        abort();
    template_len = (size_t)n;
    (void)close(fd);
}

static void write_store(const uint8_t *bytes)
{
    (void)unlink(wal);
    (void)unlink(shm);
    fuzz_write_file(path, bytes, template_len);
}

static void patch(const uint8_t *data, size_t size)
{
    static uint8_t bytes[TEMPLATE_MAX];
    memcpy(bytes, template, template_len);
    while (size > 4) {
        const size_t at = ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % template_len;
        size_t len = data[3];
        data += 4;
        size -= 4;
        len = len < size ? len : size;
        len = len < template_len - at ? len : template_len - at;
        memcpy(bytes + at, data, len);
        data += len;
        size -= len;
    }
    write_store(bytes);
}

/* ---- rows ---- */

static const char *const columns[] = {
    "UPDATE lease SET name = ?",         "UPDATE lease SET login = ?",
    "UPDATE lease SET open = ?",         "UPDATE lease SET listen = ?",
    "UPDATE lease SET sources = ?",      "UPDATE lease SET max_sessions = ?",
    "UPDATE lease SET expires_s = ?",    "UPDATE lease SET live = ?",
    "UPDATE lease SET kind = ?",         "UPDATE lease SET id = ?",
    "UPDATE lease SET revoked_s = ?",    "UPDATE key SET login = ?",
    "UPDATE key SET live = ?",           "UPDATE key SET fingerprint = ?",
    "UPDATE key SET lease_id = ?",       "UPDATE lease SET open = open || ?",
    "UPDATE lease SET name = name || ?", "UPDATE lease SET keep_sessions = ?",
};

static void bind_value(sqlite3_stmt *s, unsigned type, const uint8_t *data, size_t len)
{
    int64_t number = 0;
    for (size_t i = 0; i < len && i < sizeof(number); i++)
        number = (int64_t)((uint64_t)number << 8 | data[i]);
    switch (type % 5) {
    case 0:
        (void)sqlite3_bind_null(s, 1);
        break;
    case 1:
        (void)sqlite3_bind_int64(s, 1, number);
        break;
    case 2:
        (void)sqlite3_bind_double(s, 1, (double)number / 3);
        break;
    case 3:
        (void)sqlite3_bind_text(s, 1, (const char *)data, (int)len, SQLITE_STATIC);
        break;
    default:
        (void)sqlite3_bind_blob(s, 1, data, (int)len, SQLITE_STATIC);
        break;
    }
}

/* COLUMN, TYPE, LENGTH and the bytes, again and again. What STRICT or an index refuses is not
 * there: the first half of this file has what only a damaged file can have. */
static void set_columns(const uint8_t *data, size_t size)
{
    write_store(template);
    sqlite3 *db = open_raw();
    must_sql(db, "PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = 1");
    while (size >= 3) {
        sqlite3_stmt *s = NULL;
        const char *sql = columns[data[0] % (sizeof(columns) / sizeof(columns[0]))];
        const size_t len = data[2] < size - 3 ? data[2] : size - 3;
        if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
            abort();
        bind_value(s, data[1], data + 3, len);
        (void)sqlite3_step(s);
        (void)sqlite3_finalize(s);
        data += 3 + len;
        size -= 3 + len;
    }
    (void)sqlite3_close(db);
}

/* ---- what akc does ---- */

struct asked {
    struct key_judgement judgement;
    struct lease lease;
    bool admitted;
};

static enum store_rc judge(void *ctx, struct store *st)
{
    struct asked *asked = ctx;
    lease_release(&asked->lease);
    asked->lease = (struct lease){0};
    enum store_rc rc =
        store_judge_key(st, "pfwd", key.fingerprint, NOW_S, &asked->judgement, &asked->lease);
    asked->admitted = rc == STORE_OK && asked->judgement.verdict == KEY_ADMITTED;
    return rc;
}

static void check_admitted(const struct lease *l)
{
    struct buf line = {0};
    MUST(l->expires_s > NOW_S && lease_name_problem(l->name) == NULL, l->name);
    MUST(strcmp(l->login, "pfwd") == 0, l->name);
    keyline_format(l, &key, &line);
    MUST(!line.failed, l->name);
    check_keyline(l, &key, buf_text(&line), line.len, l->name);
    buf_release(&line);
}

/* With sound columns alone: the lease that was read is the row's. */
static void check_row(const struct lease *l)
{
    sqlite3 *db = open_raw();
    sqlite3_stmt *s = NULL;
    if (sqlite3_prepare_v2(db,
                           "SELECT l.name, l.expires_s, l.live, k.live FROM lease l, key k ON "
                           "k.lease_id = l.id WHERE k.login = 'pfwd'",
                           -1, &s, NULL) != SQLITE_OK)
        abort();
    MUST(sqlite3_step(s) == SQLITE_ROW, l->name);
    MUST(strcmp((const char *)sqlite3_column_text(s, 0), l->name) == 0, l->name);
    MUST(sqlite3_column_int64(s, 1) == l->expires_s, l->name);
    MUST(sqlite3_column_type(s, 3) != SQLITE_NULL, l->name);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char err[STORE_ERROR_BYTES] = "";
    struct asked asked = {.admitted = false};
    if (dir[0] == '\0')
        make_template();
    const bool is_rows = size > 0 && (data[0] & 1) != 0;
    if (is_rows)
        set_columns(data + 1, size - 1);
    else
        patch(data + 1, size > 0 ? size - 1 : 0);
    const enum store_rc rc = store_query(path, clock_monotonic_ms() + 2, judge, &asked, err);
    MUST(rc == STORE_OK || rc == STORE_NONE || *err != '\0', "a refusal without a reason");
    MUST(size > 1 || asked.admitted, "the sound store");
    if (rc == STORE_OK && asked.admitted) {
        check_admitted(&asked.lease);
        if (is_rows)
            check_row(&asked.lease);
    }
    lease_release(&asked.lease);
    return 0;
}
