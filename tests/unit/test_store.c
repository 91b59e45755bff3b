/* SPDX-License-Identifier: ISC */
/* The store: creating, opening and refusing it; adding, finding and ending leases; damaged rows. */
#include "lib/store/audit_verify.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/counts.h"
#include "lib/store/freezes.h"
#include "lib/store/handle.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"
#include "lib/store/open_read.h"
#include "lib/store/open_write.h"
#include "lib/store/port_choice.h"
#include "lib/store/probes.h"
#include "lib/store/prune.h"
#include "lib/store/store.h"
#include "lib/store/transaction.h"
#include "lib/store/version.h"
#include "lib/store/walk.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"

#include "tests/unit/helpers.h"
#include "tests/unit/store_helpers.h"

#include <ctype.h>
#include <sys/types.h>

static const char *const suffixes[] = {"", "-wal", "-shm"};

static char *file_of(const char *suffix)
{
    char *name = NULL;
    assert_true(asprintf(&name, "%s%s", path, suffix) > 0);
    return name;
}

/* ---- opening ---- */

static void check_modes(const char *what)
{
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        char *name = file_of(suffixes[i]);
        struct stat sb;
        CHECK(what, lstat(name, &sb) == 0);
        if ((sb.st_mode & 07777) != 0640 || !S_ISREG(sb.st_mode))
            fail_msg("%s: mode of '%s' is %o", what, name, sb.st_mode);
        free(name);
    }
}

static void created_with_modes(void **state)
{
    static const mode_t masks[] = {0, 022, 077, 0777};
    (void)state;
    for (size_t i = 0; i < COUNT(masks); i++) {
        mode_t saved = umask(masks[i]);
        struct store *st = open_store();
        (void)umask(saved);
        check_modes("open");
        grant(st, "alice", "pfwd", 1, "8009", "");
        store_close(st);
        check_modes("closed: -wal and -shm stay");
        store_close(open_store());
        check_modes("opened again");
        for (size_t k = 0; k < COUNT(suffixes); k++) {
            char *name = file_of(suffixes[k]);
            assert_int_equal(unlink(name), 0);
            free(name);
        }
    }
    store_close(NULL);
}

static void group_of_directory(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(dir, 0, 65534), 0);
    assert_int_equal(chmod(dir, 02755), 0);
    store_close(open_store());
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        char *name = file_of(suffixes[i]);
        struct stat sb;
        assert_int_equal(stat(name, &sb), 0);
        assert_int_equal(sb.st_gid, 65534);
        free(name);
    }
}

/* Removes comments, replaces white space by one blank, and removes blanks next to punctuation. */
static void normalise(const char *sql, struct buf *out)
{
    char last = ' ';
    for (; *sql != '\0'; sql++) {
        char c = *sql;
        if (c == '-' && sql[1] == '-') {
            sql += strcspn(sql, "\n");
            c = ' ';
        }
        if (isspace((unsigned char)c) != 0)
            c = ' ';
        if (c == ' ' && (last == ' ' || strchr("(),;", last) != NULL))
            continue;
        if (strchr("(),;", c) != NULL && last == ' ' && out->len > 0 &&
            out->data[out->len - 1] == ' ')
            out->data[--out->len] = '\0';
        buf_add_mem(out, &c, 1);
        last = c;
        if (*sql == '\0')
            break;
    }
}

static void read_schema(sqlite3 *db, struct buf *out)
{
    sqlite3_stmt *s = NULL;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT type, name, tbl_name, coalesce(sql, '') "
                                        "FROM sqlite_schema ORDER BY type, name",
                                        -1, &s, NULL),
                     SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        buf_addf(out, "%s %s %s: ", sqlite3_column_text(s, 0), sqlite3_column_text(s, 1),
                 sqlite3_column_text(s, 2));
        normalise((const char *)sqlite3_column_text(s, 3), out);
        buf_add(out, "\n");
    }
    (void)sqlite3_finalize(s);
}

static void migrates_to_the_schema(void **state)
{
    struct buf made = {0}, written = {0};
    char *file = source_file("sql/schema.sql"), *sql = read_whole(file, NULL);
    sqlite3 *db = NULL;
    struct store *st = open_store();
    (void)state;
    read_schema(st->db, &made);
    store_close(st);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    read_schema(db, &written);
    (void)sqlite3_close(db);
    assert_true(written.len > 1000);
    assert_string_equal(buf_text(&made), buf_text(&written));
    assert_int_equal(raw_number("PRAGMA user_version"), STORE_VERSION);
    assert_int_equal(raw_number("SELECT count(*) FROM pragma_journal_mode WHERE "
                                "journal_mode = 'wal'"),
                     1);
    buf_release(&made);
    buf_release(&written);
    free(sql);
    free(file);
}

static void back_to_version_3(void)
{
    char *file = source_file("tests/to_version_3.sql"), *sql = read_whole(file, NULL);
    raw_sql(sql);
    free(sql);
    free(file);
}

static void back_to_version_2(void)
{
    back_to_version_3();
    raw_sql("DROP TRIGGER audit_insert; PRAGMA user_version=2");
}

static void migrates_under_a_backup(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = open_store(), *reader = NULL;
    char *backup = path_in(dir, "leases.db-before-4"), *live = path;
    struct stat sb;
    int64_t found;
    (void)state;
    assert_int_equal(store_migrated_from(st), 0);
    int64_t id = grant(st, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(id, 1);
    store_close(st);
    back_to_version_3();
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK); /* as it is */
    store_close(reader);
    assert_int_not_equal(access(backup, F_OK), 0);

    /* A broken audit chain is in the backup as it is in the store. */
    raw_sql("DROP TRIGGER audit_update; UPDATE audit SET detail = 'x';"
            "CREATE TRIGGER audit_update BEFORE UPDATE ON audit BEGIN"
            "  SELECT RAISE(ABORT, 'audit rows never change'); END");
    st = open_store();
    assert_int_equal(store_migrated_from(st), 3);
    assert_int_equal(find(st, "pfwd", 1, &found), STORE_OK);
    store_close(st);
    assert_int_equal(raw_number("PRAGMA user_version"), STORE_VERSION);
    assert_int_equal(stat(backup, &sb), 0);
    assert_int_equal(sb.st_mode & 07777, 0640);
    path = backup;
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK);
    assert_int_equal(find(reader, "pfwd", 1, &found), STORE_OK);
    store_close(reader);
    assert_int_equal(raw_number("PRAGMA user_version"), 3);
    path = live;
    free(backup);
}

static void not_migrated_without_a_backup(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = open_store();
    char *backup = path_in(dir, "leases.db-before-4");
    int64_t found;
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    store_close(st);
    back_to_version_3();
    st = NULL;
    assert_int_equal(mkdir(backup, 0755), 0); /* its name is taken */
    assert_int_equal(store_open_write(path, &st, err), STORE_FAIL);
    assert_null(st);
    CHECK_PROBLEM("the name is taken", err, "not done without a backup");
    CHECK_PROBLEM("the name is taken", err, backup);
    assert_int_equal(raw_number("PRAGMA user_version"), 3);
    assert_int_equal(rmdir(backup), 0);

    raw_sql("CREATE INDEX ours ON lease(login)");
    assert_int_equal(store_open_write(path, &st, err), STORE_OK); /* or nobody could revoke */
    store_close(st);
    st = NULL;
    assert_int_equal(raw_number("PRAGMA user_version"), STORE_VERSION);
    assert_int_equal(unlink(backup), 0);
    raw_sql("DROP INDEX ours");
    back_to_version_3();

    /* A migration that fails leaves no backup: it would only take room. */
    raw_sql("PRAGMA user_version=1");
    assert_int_equal(store_open_write(path, &st, err), STORE_FAIL);
    assert_int_not_equal(access(backup, F_OK), 0);
    raw_sql("PRAGMA user_version=3");
    assert_int_equal(store_open_read(path, &st, err), STORE_OK);
    assert_int_equal(find(st, "pfwd", 1, &found), STORE_OK);
    store_close(st);
    free(backup);
}

/* One change from there makes all that the versions between have. */
static void migrates_over_two_versions(void **state)
{
    struct store *st = open_store();
    struct buf before = {0}, after = {0};
    int64_t found;
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    read_schema(st->db, &before);
    store_close(st);
    back_to_version_2();
    st = open_store();
    assert_int_equal(store_migrated_from(st), 2);
    read_schema(st->db, &after);
    assert_string_equal(buf_text(&after), buf_text(&before));
    assert_int_equal(find(st, "pfwd", 1, &found), STORE_OK);
    store_close(st);
    buf_release(&before);
    buf_release(&after);
}

static void opened_again(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct store *st = open_store(), *reader = NULL;
    int64_t found;
    (void)state;
    int64_t id = grant(st, "alice", "pfwd", 1, "8009", "");
    store_close(st);
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK);
    assert_int_equal(find(reader, "pfwd", 1, &found), STORE_OK);
    assert_int_equal(found, id);
    /* A reader cannot write, whatever statement it runs. */
    assert_int_not_equal(sqlite3_exec(reader->db, "DELETE FROM lease", NULL, NULL, NULL),
                         SQLITE_OK);
    store_close(reader);
    st = open_store();
    assert_int_equal(find(st, "pfwd", 1, &found), STORE_OK);
    assert_int_equal(found, id);
    store_close(st);
}

struct opened {
    struct store *writer;
    int64_t id;
};

static enum store_rc query_twice(void *ctx, struct store *reader)
{
    const struct opened *o = ctx;
    int64_t found;
    assert_int_equal(sqlite3_txn_state(reader->db, "main"), SQLITE_TXN_READ);
    assert_int_not_equal(sqlite3_exec(reader->db, "DELETE FROM lease", NULL, NULL, NULL),
                         SQLITE_OK);
    assert_int_equal(find(reader, "pfwd", 1, &found), STORE_OK);
    assert_int_equal(found, o->id);
    assert_int_equal(sqlite3_txn_state(reader->db, "main"), SQLITE_TXN_NONE);
    /* The next lookup has a transaction of its own: it sees what was written since. */
    grant(o->writer, "bob", "pfwd", 2, "8009", "");
    assert_int_equal(find(reader, "pfwd", 2, NULL), STORE_OK);
    assert_int_equal(sqlite3_txn_state(reader->db, "main"), SQLITE_TXN_NONE);
    return STORE_OK;
}

/* One lock from the opening to the answer, then none: a reader that keeps a lock prevents the log
 * from being emptied. */
static void query_takes_one_lock(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct opened o = {.writer = open_store()};
    (void)state;
    o.id = grant(o.writer, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(store_query(path, clock_monotonic_ms(), query_twice, &o, err), STORE_OK);
    store_close(o.writer);
}

/* A query that fails with this code `failures` times; asked: how often it was called. */
struct failing {
    int code;
    bool transient;
    unsigned failures, asked;
};

static enum store_rc fail_first(void *ctx, struct store *st)
{
    struct failing *f = ctx;
    if (f->asked++ >= f->failures)
        return STORE_NONE;
    st->failed_code = f->code;
    st->transient = f->transient;
    (void)snprintf(st->error, sizeof(st->error), "made by the test");
    return STORE_FAIL;
}

static void query_until_final(void **state)
{
    static const struct {
        const char *what;
        int until_ms;
        struct failing f;
        enum store_rc rc;
        unsigned asked;
    } rows[] = {
        {"the schema was changed", 700, {SQLITE_SCHEMA, .failures = 5}, STORE_NONE, 6},
        {"the index was being changed",
         700,
         {SQLITE_READONLY_RECOVERY, .failures = 5},
         STORE_NONE,
         6},
        {"written while it was read", 700, {SQLITE_CORRUPT, true, .failures = 5}, STORE_NONE, 6},
        {"damage", 700, {SQLITE_CORRUPT, .failures = 5}, STORE_FAIL, 1},
        {"the time is over", 0, {SQLITE_SCHEMA, .failures = 5}, STORE_FAIL, 1},
        /* the pauses 1 + 2 + 4 .. + 32 + 50: 113 ms, and what is left */
        {"transient for ever", 130, {SQLITE_SCHEMA, .failures = 1000}, STORE_FAIL, 9},
    };
    struct store *st = open_store();
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char err[STORE_ERROR_BYTES] = "";
        struct failing f = rows[i].f;
        enum store_rc rc =
            store_query(path, clock_monotonic_ms() + rows[i].until_ms, fail_first, &f, err);
        CHECK(rows[i].what, rc == rows[i].rc);
        CHECK(rows[i].what,
              f.asked == rows[i].asked || (f.failures == 1000 && f.asked < 9 && f.asked > 2));
        if (rc == STORE_FAIL)
            CHECK_PROBLEM(rows[i].what, err, "made by the test");
    }
    store_close(st);
}

/* Its contents are lost; only the admin can say that there were none. */
static void empty_is_not_recreated(void **state)
{
    static const char *const sql[] = {NULL, "PRAGMA journal_mode=WAL", "PRAGMA user_version=0"};
    (void)state;
    for (size_t i = 0; i < COUNT(sql); i++) {
        char err[STORE_ERROR_BYTES];
        struct store *st = NULL;
        struct stat before, after;
        if (i == 2)
            store_close(open_store());
        else
            write_file(path, "", 0, 0640);
        if (sql[i] != NULL)
            raw_sql(sql[i]);
        assert_int_equal(stat(path, &before), 0);
        for (int write = 0; write <= 1; write++) {
            enum store_rc rc =
                write ? store_open_write(path, &st, err) : store_open_read(path, &st, err);
            CHECK(sql[i], rc == STORE_FAIL && st == NULL);
            CHECK_PROBLEM(sql[i], err, "it is empty: 'leasectl restore' a backup");
        }
        assert_int_equal(stat(path, &after), 0);
        assert_true(after.st_size == before.st_size && after.st_ino == before.st_ino);
        for (size_t k = 0; k < COUNT(suffixes); k++) {
            char *name = file_of(suffixes[k]);
            (void)unlink(name);
            free(name);
        }
    }
}

/* A process that was killed while it created a store left files next to its place, and no store. */
static void created_after_a_kill(void **state)
{
    static const char *const left[] = {"-new", "-new-wal", "-new-shm", "-new-journal"};
    struct store *st;
    (void)state;
    for (size_t i = 0; i < COUNT(left); i++) {
        char *name = file_of(left[i]);
        write_file(name, "SQLite format 3, or half of it", 20, 0600);
        free(name);
    }
    st = open_store();
    grant(st, "alice", "pfwd", 1, "8009", "");
    check_modes("made");
    for (size_t i = 0; i < COUNT(left); i++) {
        char *name = file_of(left[i]);
        CHECK(left[i], access(name, F_OK) != 0);
        free(name);
    }
    store_close(st);
}

/* All of them open the same store, and each finds what the others wrote. */
static void created_by_many_at_once(void **state)
{
    enum { MAKERS = 8 };
    pid_t pids[MAKERS];
    int status, go[2];
    char c;
    (void)state;
    assert_int_equal(pipe(go), 0);
    for (unsigned char i = 0; i < MAKERS; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            char err[STORE_ERROR_BYTES], name[] = {'m', (char)('a' + i), '\0'};
            struct store *st = NULL;
            (void)close(go[1]);
            (void)!read(go[0], &c, 1);
            if (store_open_write(path, &st, err) != STORE_OK) {
                (void)fprintf(stderr, "%s\n", err);
                _exit(1);
            }
            grant(st, name, "pfwd", (unsigned char)(i + 1), "8009", "");
            store_close(st);
            _exit(0);
        }
    }
    (void)close(go[0]);
    (void)close(go[1]);
    for (size_t i = 0; i < MAKERS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(raw_number("SELECT count(*) FROM lease"), MAKERS);
}

static void without_wal_or_shm(void **state)
{
    (void)state;
    for (int which = 1; which <= 3; which++) {
        struct store *st = open_store();
        if (which == 1)
            grant(st, "alice", "pfwd", 1, "8009", "");
        assert_int_equal(
            sqlite3_wal_checkpoint_v2(st->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL),
            SQLITE_OK);
        store_close(st);
        for (int i = 1; i <= 2; i++) {
            char *name = file_of(suffixes[i]);
            if ((which & i) != 0)
                assert_int_equal(unlink(name), 0);
            free(name);
        }
        st = open_store();
        check_modes("made anew");
        assert_int_equal(find(st, "pfwd", 1, NULL), STORE_OK);
        store_close(st);
    }
}

/* Opens the store in a child without root's rights, as akc's user would. */
static enum store_rc open_as_nobody(char err[static STORE_ERROR_BYTES])
{
    int pipe_fds[2];
    enum store_rc rc = STORE_BUSY;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct store *st = NULL;
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(9);
        rc = store_open_read(path, &st, err);
        if (rc == STORE_OK && find(st, "pfwd", 1, NULL) != STORE_OK)
            rc = STORE_NONE;
        if (rc == STORE_OK)
            err[0] = '\0';
        ssize_t n = write(pipe_fds[1], err, STORE_ERROR_BYTES);
        _exit(n == STORE_ERROR_BYTES ? (int)rc : 9);
    }
    int status = 0;
    (void)close(pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], err, STORE_ERROR_BYTES), STORE_ERROR_BYTES);
    (void)close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return (enum store_rc)WEXITSTATUS(status);
}

static enum store_rc query_immutable(void *ctx, struct store *st)
{
    unsigned *asked = ctx;
    int64_t id;
    (*asked)++;
    return st->immutable_fd >= 0 ? find(st, "pfwd", 1, &id) : STORE_OK;
}

/* The store is read without its log while nobody writes: then damage is final. */
static void damage_read_immutable_is_final(void **state)
{
    enum { PATIENCE_MS = 60000 };
    char junk[4096], err[STORE_ERROR_BYTES];
    int status = 0;
    (void)state;
    if (geteuid() != 0)
        skip();
    struct store *st = open_store();
    grant(st, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(store_checkpoint(st), STORE_OK);
    store_close(st);
    int64_t page = raw_number("SELECT rootpage FROM sqlite_schema WHERE type = 'index' AND "
                              "tbl_name = 'key' LIMIT 1");
    assert_true(page > 1);
    for (size_t i = 1; i < COUNT(suffixes); i++) {
        char *name = file_of(suffixes[i]);
        assert_int_equal(unlink(name), 0);
        free(name);
    }
    memset(junk, 0xa5, sizeof(junk));
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, junk, sizeof(junk), (page - 1) * 4096), sizeof(junk));
    (void)close(fd);
    assert_int_equal(chmod(path, 0644), 0);
    pid_t pid = fork();
    if (pid == 0) {
        unsigned asked = 0;
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(9);
        int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
        enum store_rc rc = store_query(path, until_ms, query_immutable, &asked, err);
        (void)fprintf(stderr, "%s\n", err);
        _exit(rc == STORE_FAIL && asked == 1 && strstr(err, "it is corrupt") != NULL &&
                      clock_monotonic_ms() < until_ms
                  ? 0
                  : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void reader_without_write_access(void **state)
{
    char err[STORE_ERROR_BYTES] = "";
    (void)state;
    if (geteuid() != 0)
        skip();
    struct store *st = open_store();
    grant(st, "alice", "pfwd", 1, "8009", "");
    store_close(st);
    CHECK("0640: not for others", open_as_nobody(err) == STORE_FAIL);
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        char *name = file_of(suffixes[i]);
        assert_int_equal(chmod(name, 0644), 0);
        free(name);
    }
    CHECK(err, open_as_nobody(err) == STORE_OK);
    /* Its log was empty, so all data is in the main file (immutable.h). */
    for (int i = 2; i >= 1; i--) {
        char *name = file_of(suffixes[i]);
        assert_int_equal(unlink(name), 0);
        CHECK(suffixes[i], open_as_nobody(err) == STORE_OK);
        free(name);
    }
    /* A log with changes and no index to read it by: it may contain a revocation. */
    char *wal = file_of("-wal");
    char something[1000];
    memset(something, 'x', sizeof(something) - 1);
    something[sizeof(something) - 1] = '\0';
    write_text(wal, "only a header");
    assert_int_equal(chmod(wal, 0644), 0);
    CHECK("a log without a frame", open_as_nobody(err) == STORE_OK);
    write_text(wal, something);
    assert_int_equal(chmod(wal, 0644), 0);
    CHECK("a log without its index", open_as_nobody(err) == STORE_FAIL);
    CHECK(err, strstr(err, path) != NULL);
    assert_int_equal(unlink(wal), 0);
    free(wal);
    store_close(open_store()); /* the writer creates them again */
    for (size_t i = 0; i < COUNT(suffixes); i++) {
        char *name = file_of(suffixes[i]);
        CHECK("created again", access(name, F_OK) == 0);
        free(name);
    }
}

/* What is at each path instead of a file of a store. */
enum thing { NOTHING, EMPTY, GARBAGE, FIFO, DIRECTORY, LINK, DANGLING };

static void put(const char *name, enum thing what)
{
    switch (what) {
    case NOTHING:
        return;
    case EMPTY:
        write_file(name, "", 0, 0640);
        return;
    case GARBAGE:
        write_text(name, "this is no database, but it is long enough to be looked at as one; "
                         "this is no database, but it is long enough to be looked at as one");
        return;
    case FIFO:
        assert_int_equal(mkfifo(name, 0640), 0);
        return;
    case DIRECTORY:
        assert_int_equal(mkdir(name, 0755), 0);
        return;
    case LINK: {
        char *target = path_in(dir, "target");
        write_file(target, "", 0, 0640);
        free(target);
        assert_int_equal(symlink("target", name), 0);
        return;
    }
    case DANGLING:
        assert_int_equal(symlink("target", name), 0);
        return;
    }
}

static void refused_places(void **state)
{
    static const struct {
        const char *what;
        enum thing things[COUNT(suffixes)]; /* database, -wal, -shm */
        const char *written, *read;         /* part of the reason; NULL: not checked */
    } rows[] = {
        {"nothing, to read", {NOTHING}, NULL, "there is none"},
        {"stray -wal", {NOTHING, GARBAGE}, "it is gone", "there is none"},
        {"stray -shm", {NOTHING, NOTHING, GARBAGE}, "it is gone", "there is none"},
        {"stray -wal and -shm", {NOTHING, GARBAGE, EMPTY}, "it is gone", "there is none"},
        {"link", {LINK}, "not a regular file", NULL},
        {"link to nothing", {DANGLING}, "not a regular file", "there is none"},
        {"-wal a link", {EMPTY, LINK}, "not a regular file", NULL},
        {"-shm a link", {EMPTY, NOTHING, LINK}, "not a regular file", NULL},
        {"-wal a link to nothing", {EMPTY, DANGLING}, "not a regular file", NULL},
        {"FIFO", {FIFO}, "not a regular file", "not a regular file"},
        {"-wal a FIFO", {EMPTY, FIFO}, "not a regular file", NULL},
        {"-shm a FIFO", {EMPTY, NOTHING, FIFO}, "not a regular file", NULL},
        {"directory", {DIRECTORY}, "not a regular file", "not a regular file"},
        {"-wal a directory", {EMPTY, DIRECTORY}, "not a regular file", NULL},
        {"no database", {GARBAGE}, "not a lease store", "not a lease store"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char err[STORE_ERROR_BYTES];
        char *outer = dir, *outer_path = path;
        struct store *st = NULL;
        dir = path_in(outer, "place");
        path = path_in(dir, "leases.db");
        assert_int_equal(mkdir(dir, 0755), 0);
        for (size_t k = 0; k < COUNT(suffixes); k++) {
            char *name = file_of(suffixes[k]);
            put(name, rows[i].things[k]);
            free(name);
        }
        (void)alarm((unsigned)slow_ms(10)); /* none of the calls may hang */
        if (rows[i].read != NULL) {
            CHECK(rows[i].what, store_open_read(path, &st, err) == STORE_FAIL && st == NULL);
            CHECK_PROBLEM(rows[i].what, err, rows[i].read);
            CHECK_PROBLEM(rows[i].what, err, path);
        }
        if (rows[i].written != NULL) {
            CHECK(rows[i].what, store_open_write(path, &st, err) == STORE_FAIL && st == NULL);
            CHECK_PROBLEM(rows[i].what, err, rows[i].written);
            CHECK_PROBLEM(rows[i].what, err, path);
        }
        (void)alarm(0);
        free(path);
        temp_dir_remove(dir);
        dir = outer;
        path = outer_path;
    }
}

static void refused_by_content(void **state)
{
    char err[STORE_ERROR_BYTES], sql[64];
    struct store *st = open_store();
    (void)state;
    store_close(st);
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", STORE_VERSION + 1);
    raw_sql(sql);
    st = NULL;
    assert_int_equal(store_open_write(path, &st, err), STORE_FAIL);
    CHECK_PROBLEM("a newer version", err, "newer");
    assert_int_equal(store_open_read(path, &st, err), STORE_FAIL);
    CHECK_PROBLEM("a newer version, to read", err, "install that one");
    assert_null(st);
    raw_sql("PRAGMA user_version=-1");
    assert_int_equal(store_open_read(path, &st, err), STORE_FAIL);
    CHECK_PROBLEM("no version", err, "no tunlease has");
    /* A reader reads the oldest version unchanged. */
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", STORE_VERSION_OLDEST);
    raw_sql(sql);
    assert_int_equal(store_open_read(path, &st, err), STORE_OK);
    assert_int_equal(find(st, "pfwd", 1, NULL), STORE_NONE);
    store_close(st);
    st = NULL;
    (void)snprintf(sql, sizeof(sql), "PRAGMA user_version=%d", STORE_VERSION);
    raw_sql(sql);
    store_close(open_store());

    raw_sql("ALTER TABLE key RENAME TO keys");
    assert_int_equal(store_open_write(path, &st, err), STORE_FAIL);
    assert_int_equal(store_open_read(path, &st, err), STORE_FAIL);
    assert_null(st);

    char *missing = path;
    path = path_in(dir, "nowhere/leases.db");
    assert_int_equal(store_open_write(path, &st, err), STORE_FAIL);
    CHECK_PROBLEM("no directory", err, "No such file");
    free(path);
    path = missing;
}

/* ---- leases ---- */

static void added_and_read(void **state)
{
    struct store *st = open_store();
    struct store_conflict conflict;
    const struct pubkey second = key_number(2), first = key_number(1);
    int64_t id = 0;
    (void)state;
    struct lease l = make_lease("alice", "pfwd", 1, "127.0.0.1:8009 [::1]:1-9", "127.0.0.1:20001"),
                 got = {0};
    struct lease_key key = {.pub = second};
    (void)snprintf(key.pub.comment, sizeof(key.pub.comment), "li@laptop");
    assert_int_equal(lease_add_key(&l, &key), 0);
    assert_null(source_list_parse("10.0.0.0/8,2001:db8::1", &l.from));
    l.max_sessions = 3;
    l.fixed_end = true;
    (void)snprintf(l.note, sizeof(l.note), "it's \"hers\"; DROP TABLE lease");
    l.id = 99; /* ignored */
    assert_int_equal(add_at(st, &l, NOW_S, &id, &conflict), STORE_OK);
    assert_int_equal(id, 1);

    assert_int_equal(store_find_key(st, "pfwd", second.fingerprint, &got), STORE_OK);
    assert_int_equal(got.id, id);
    assert_string_equal(got.name, "alice");
    assert_string_equal(got.login, "pfwd");
    assert_int_equal(got.open.count, 2);
    assert_string_equal(got.open.items[1].host, "::1");
    assert_int_equal(got.open.items[1].high, 9);
    assert_int_equal(got.listen.count, 1);
    assert_int_equal(got.listen.items[0].low, 20001);
    assert_int_equal(got.from.count, 2);
    assert_int_equal(got.max_sessions, 3);
    assert_int_equal(got.expires_s, NOW_S + 3600);
    lease_release(&got);

    for (int by_name = 0; by_name <= 1; by_name++) {
        assert_int_equal(by_name != 0 ? store_lease_by_name(st, "alice", &got)
                                      : store_lease_by_id(st, id, &got),
                         STORE_OK);
        assert_int_equal(got.id, id);
        assert_string_equal(got.note, l.note);
        assert_int_equal(got.created_s, NOW_S);
        assert_int_equal(got.renewed_s, 0);
        assert_int_equal(got.revoked_s, 0);
        assert_int_equal(got.last_login_s, 0);
        assert_true(got.fixed_end);
        assert_int_equal(got.key_count, 2);
        for (size_t i = 0; i < got.key_count; i++) {
            const struct pubkey *pub = &got.keys[i].pub;
            bool is_first = strcmp(pub->fingerprint, first.fingerprint) == 0;
            assert_string_equal(pub->base64, is_first ? first.base64 : second.base64);
            assert_string_equal(pub->comment, is_first ? "" : "li@laptop");
            assert_int_equal(got.keys[i].added_s, NOW_S);
        }
        lease_release(&got);
    }
    CHECK("case counts", store_lease_by_name(st, "Alice", &got) == STORE_NONE);
    CHECK("no such name", store_lease_by_name(st, "bob", &got) == STORE_NONE);
    CHECK("no such number", store_lease_by_id(st, 2, &got) == STORE_NONE);
    CHECK("another login", find(st, "other", 1, NULL) == STORE_NONE);
    CHECK("another key", find(st, "pfwd", 3, NULL) == STORE_NONE);
    CHECK("expired or not", find(st, "pfwd", 1, NULL) == STORE_OK);
    lease_release(&l);
    store_close(st);
}

static int add_name(void *ctx, const struct lease *l)
{
    buf_addf(ctx, "%s%s/%zu", ((struct buf *)ctx)->len > 0 ? " " : "", l->name, l->key_count);
    return strcmp(l->name, "stop") == 0;
}

static int64_t grant_until(struct store *st, const char *name, const char *login, unsigned char key,
                           int64_t expires_s)
{
    struct lease l = make_lease(name, login, key, "8009", "");
    struct store_conflict conflict;
    int64_t id = 0;
    l.expires_s = expires_s;
    assert_int_equal(add_at(st, &l, NOW_S, &id, &conflict), STORE_OK);
    lease_release(&l);
    return id;
}

static enum store_rc revoke_at(struct store *st, int64_t id, bool keep_sessions, int64_t now_s)
{
    const struct store_actor by = actor_at(now_s);
    struct lease l = {0};
    assert_int_equal(store_lease_by_id(st, id, &l), STORE_OK);
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_lease_revoke(st, &l, keep_sessions, &by);
    assert_int_equal(store_commit(st), STORE_OK);
    lease_release(&l);
    return rc;
}

static enum store_rc delete_at(struct store *st, int64_t id, int64_t now_s)
{
    const struct store_actor by = actor_at(now_s);
    const struct lease l = {.id = id, .name = "deleted"};
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_lease_delete(st, &l, false, &by);
    assert_int_equal(store_commit(st), STORE_OK);
    return rc;
}

static void listed(void **state)
{
    static const struct {
        const char *what;
        struct store_filter filter;
        const char *names;
    } rows[] = {
        {"active", {.now_s = NOW_S, .before_s = INT64_MAX}, "alice/1 bob/1 late/1"},
        {"all",
         {.all = true, .now_s = NOW_S, .before_s = INT64_MAX},
         "alice/1 ended/1 bob/1 gone/1 late/1"},
        {"one login", {.login = "other", .now_s = NOW_S, .before_s = INT64_MAX}, "bob/1"},
        {"one login, all",
         {.all = true, .login = "other", .now_s = NOW_S, .before_s = INT64_MAX},
         "bob/1 gone/1"},
        {"no such login", {.all = true, .login = "x", .now_s = NOW_S, .before_s = INT64_MAX}, ""},
        {"ending by then", {.now_s = NOW_S, .before_s = NOW_S + 100}, "alice/1"},
        {"ending a second earlier", {.now_s = NOW_S, .before_s = NOW_S + 99}, ""},
        {"ending by then, all",
         {.all = true, .now_s = NOW_S, .before_s = NOW_S + 100},
         "alice/1 ended/1"},
        {"a second before the end",
         {.now_s = NOW_S + 99, .before_s = INT64_MAX},
         "alice/1 bob/1 late/1"},
        {"at the end", {.now_s = NOW_S + 100, .before_s = INT64_MAX}, "bob/1 late/1"},
    };
    struct store *st = open_store();
    (void)state;
    grant_until(st, "alice", "pfwd", 1, NOW_S + 100);
    grant_until(st, "ended", "pfwd", 2, NOW_S);
    grant_until(st, "bob", "other", 3, NOW_S + 1000);
    int64_t gone = grant_until(st, "gone", "other", 4, NOW_S + 1000);
    grant_until(st, "late", "pfwd", 5, NOW_S + 5000);
    assert_int_equal(revoke_at(st, gone, false, NOW_S), STORE_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf names = {0};
        CHECK(rows[i].what, store_lease_list(st, &rows[i].filter, add_name, &names) == STORE_OK);
        CHECK_TEXT(rows[i].what, buf_text(&names), rows[i].names);
        buf_release(&names);
    }
    struct buf names = {0};
    grant_until(st, "stop", "pfwd", 6, NOW_S + 5000);
    grant_until(st, "unseen", "pfwd", 7, NOW_S + 5000);
    assert_int_equal(store_lease_list(st, &rows[0].filter, add_name, &names), STORE_FAIL);
    assert_string_equal(buf_text(&names), "alice/1 bob/1 late/1 stop/1");
    buf_release(&names);
    store_close(st);
}

static void conflicts(void **state)
{
    static const struct {
        const char *what, *name, *login;
        unsigned char key;
        const char *listen;
        int conflict; /* -1: none */
        const char *holder;
        bool expired;
    } rows[] = {
        {"nothing of it taken", "bob", "pfwd", 9, "", -1, NULL, false},
        {"name", "alice", "pfwd", 9, "", CONFLICT_NAME, "alice", false},
        {"name, on another login", "alice", "other", 9, "", CONFLICT_NAME, "alice", false},
        {"name in another case", "Alice", "pfwd", 9, "", -1, NULL, false},
        {"name of an expired lease", "ended", "pfwd", 9, "", CONFLICT_NAME, "ended", true},
        {"key on the same login", "bob", "pfwd", 1, "", CONFLICT_KEY, "alice", false},
        {"key on another login", "bob", "other", 1, "", -1, NULL, false},
        {"key of an expired lease", "bob", "pfwd", 2, "", CONFLICT_KEY, "ended", true},
        {"port", "bob", "gw-tunnel", 9, "127.0.0.1:20001", CONFLICT_PORT, "agent", false},
        {"port on another address", "bob", "gw-tunnel", 9, "[::1]:20001", CONFLICT_PORT, "agent",
         false},
        {"another port", "bob", "gw-tunnel", 9, "127.0.0.1:20002", -1, NULL, false},
        {"second of two ports", "bob", "gw-tunnel", 9, "127.0.0.1:20002 127.0.0.1:20001",
         CONFLICT_PORT, "agent", false},
        {"last of a range", "bob", "gw-tunnel", 9, "127.0.0.1:19999-20001", CONFLICT_PORT, "agent",
         false},
        {"a range before it", "bob", "gw-tunnel", 9, "127.0.0.1:19999-20000", -1, NULL, false},
        {"both families of one port", "bob", "gw-tunnel", 9, "127.0.0.1:20002 [::1]:20002", -1,
         NULL, false},
    };
    struct store *st = open_store();
    (void)state;
    grant(st, "alice", "pfwd", 1, "8009", "");
    grant_until(st, "ended", "pfwd", 2, NOW_S - 1);
    grant(st, "agent", "gw-tunnel", 3, "", "127.0.0.1:20001");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct store_actor by = actor_at(NOW_S);
        struct lease l = make_lease(rows[i].name, rows[i].login, rows[i].key, "", rows[i].listen);
        struct store_conflict conflict = {.port = 0};
        int64_t id = -1;
        assert_int_equal(store_begin(st), STORE_OK);
        enum store_rc rc = store_lease_add(st, &l, QUARANTINE_S, &by, &id, &conflict);
        CHECK(rows[i].what, rc == (rows[i].conflict < 0 ? STORE_OK : STORE_CONFLICT));
        if (rows[i].conflict >= 0) {
            CHECK(rows[i].what, (int)conflict.what == rows[i].conflict);
            CHECK_TEXT(rows[i].what, conflict.lease, rows[i].holder);
            CHECK(rows[i].what, conflict.expired == rows[i].expired);
            CHECK(rows[i].what, conflict.lease_id > 0 && conflict.lease_id <= 3);
            CHECK(rows[i].what, conflict.port == (conflict.what == CONFLICT_PORT ? 20001U : 0U));
        }
        store_rollback(st);
        lease_release(&l);
    }
    assert_int_equal(raw_number("SELECT count(*) FROM lease"), 3);
    assert_int_equal(raw_number("SELECT count(*) FROM key"), 3);
    assert_int_equal(raw_number("SELECT count(*) FROM port"), 1);
    assert_int_equal(raw_number("SELECT count(*) FROM audit"), 3);
    store_close(st);
}

/* Whether the port can be granted later: to which lease, how long after it was freed. */
static void port_after_revoke(void **state)
{
    static const struct {
        const char *what, *name;
        int64_t after_s;
        enum store_rc rc;
    } rows[] = {
        {"its former holder at once", "agent", 0, STORE_OK},
        {"another at once", "other", 0, STORE_CONFLICT},
        {"another, a second before the quarantine ends", "other", QUARANTINE_S - 1, STORE_CONFLICT},
        {"another, when it ends", "other", QUARANTINE_S, STORE_OK},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store *st = open_store();
        struct store_conflict conflict = {.port = 0};
        int64_t id = grant(st, "agent", "gw-tunnel", 1, "", "127.0.0.1:20001-20003");
        assert_int_equal(raw_number("SELECT count(*) FROM port WHERE freed_s = 0"), 3);
        assert_int_equal(revoke_at(st, id, false, NOW_S), STORE_OK);
        struct lease l = make_lease(rows[i].name, "gw-tunnel", 1, "", "127.0.0.1:20003");
        CHECK(rows[i].what, add_at(st, &l, NOW_S + rows[i].after_s, NULL, &conflict) == rows[i].rc);
        if (rows[i].rc == STORE_CONFLICT) {
            CHECK(rows[i].what, conflict.what == CONFLICT_PORT && conflict.port == 20003);
            CHECK_TEXT(rows[i].what, conflict.lease, "agent");
            CHECK(rows[i].what, conflict.expired);
        }
        lease_release(&l);
        store_close(st);
        for (size_t k = 0; k < COUNT(suffixes); k++) {
            char *name = file_of(suffixes[k]);
            assert_int_equal(unlink(name), 0);
            free(name);
        }
    }
}

static void revoked(void **state)
{
    struct store *st = open_store();
    struct lease got = {0};
    (void)state;
    int64_t id = grant(st, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(revoke_at(st, id, true, NOW_S + 5), STORE_OK);
    assert_int_equal(find(st, "pfwd", 1, NULL), STORE_NONE);
    assert_int_equal(store_lease_by_name(st, "alice", &got), STORE_OK); /* the newest */
    assert_int_equal(got.revoked_s, NOW_S + 5);
    assert_true(got.keep_sessions);
    assert_int_equal(got.key_count, 1);
    lease_release(&got);
    CHECK("revoked is final", revoke_at(st, id, false, NOW_S + 6) == STORE_NONE);

    int64_t again = grant(st, "alice", "pfwd", 1, "8009", ""); /* name and key are free at once */
    assert_int_not_equal(again, id);
    assert_int_equal(store_lease_by_name(st, "alice", &got), STORE_OK); /* not revoked */
    assert_int_equal(got.id, again);
    assert_int_equal(got.revoked_s, 0);
    lease_release(&got);
    assert_int_equal(revoke_at(st, again, false, NOW_S + 7), STORE_OK);
    assert_int_equal(store_lease_by_name(st, "alice", &got), STORE_OK); /* the newer */
    assert_int_equal(got.id, again);
    assert_false(got.keep_sessions);
    lease_release(&got);
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'revoke'"), 2);
    store_close(st);
}

static void deleted(void **state)
{
    struct store *st = open_store();
    struct lease got = {0};
    (void)state;
    int64_t id = grant(st, "alice", "pfwd", 1, "8009", "");
    CHECK("active", delete_at(st, id, NOW_S) == STORE_NONE);
    CHECK("a second before its end", delete_at(st, id, NOW_S + 3599) == STORE_NONE);
    CHECK("active stays", find(st, "pfwd", 1, NULL) == STORE_OK);
    CHECK("at its end", delete_at(st, id, NOW_S + 3600) == STORE_OK);
    CHECK("gone", store_lease_by_id(st, id, &got) == STORE_NONE);
    CHECK("gone twice", delete_at(st, id, NOW_S + 3600) == STORE_NONE);
    CHECK("gone for the login path", find(st, "pfwd", 1, NULL) == STORE_NONE);

    int64_t agent = grant(st, "agent", "gw-tunnel", 1, "", "127.0.0.1:20001");
    CHECK("a number is never used again", agent == id + 1);
    assert_int_equal(revoke_at(st, agent, false, NOW_S), STORE_OK);
    CHECK("revoked, before its end", delete_at(st, agent, NOW_S) == STORE_OK);
    assert_int_equal(raw_number("SELECT count(*) FROM key"), 0);
    assert_int_equal(raw_number("SELECT count(*) FROM port"), 0);
    CHECK("no such number", delete_at(st, 99, NOW_S) == STORE_NONE);
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'delete'"), 2);
    store_close(st);
}

static void history(void **state)
{
    static const struct {
        const char *what, *login;
        unsigned char key;
        enum store_rc rc;
        const char *lease;
        bool other_login, revoked;
    } rows[] = {
        {"never held", "pfwd", 9, STORE_NONE, NULL, false, false},
        {"held and live", "pfwd", 1, STORE_OK, "alice", false, false},
        {"revoked", "pfwd", 2, STORE_OK, "bob", false, true},
        {"revoked and granted again", "pfwd", 3, STORE_OK, "carol2", false, false},
        {"on another login", "other", 1, STORE_OK, "alice", true, false},
        {"revoked here, newer elsewhere: here counts", "pfwd", 4, STORE_OK, "dave", false, true},
    };
    struct store *st = open_store();
    (void)state;
    grant(st, "alice", "pfwd", 1, "8009", "");
    revoke_at(st, grant(st, "bob", "pfwd", 2, "8009", ""), false, NOW_S);
    revoke_at(st, grant(st, "carol", "pfwd", 3, "8009", ""), false, NOW_S);
    grant(st, "carol2", "pfwd", 3, "8009", "");
    revoke_at(st, grant(st, "dave", "pfwd", 4, "8009", ""), false, NOW_S);
    grant(st, "dave2", "other", 4, "8009", "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_key_history h = {.lease_id = 0};
        const struct pubkey key = key_number(rows[i].key);
        CHECK(rows[i].what,
              store_key_history(st, rows[i].login, key.fingerprint, &h) == rows[i].rc);
        if (rows[i].rc != STORE_OK)
            continue;
        CHECK_TEXT(rows[i].what, h.lease, rows[i].lease);
        CHECK(rows[i].what, h.other_login == rows[i].other_login);
        CHECK(rows[i].what, h.revoked == rows[i].revoked);
        CHECK(rows[i].what, h.expires_s == NOW_S + 3600);
    }
    store_close(st);
}

static int count_key(void *ctx, const struct lease *l, const struct pubkey *key)
{
    (void)key;
    buf_addf(ctx, "%s ", l->name);
    return strcmp(l->name, "stop") == 0;
}

static void keys_of_login(void **state)
{
    struct store *st = open_store();
    struct buf names = {0};
    (void)state;
    grant(st, "alice", "pfwd", 1, "8009", "");
    grant_until(st, "ended", "pfwd", 2, NOW_S);
    grant(st, "bob", "other", 1, "8009", "");
    revoke_at(st, grant(st, "gone", "pfwd", 3, "8009", ""), false, NOW_S);
    grant(st, "carol", "pfwd", 4, "8009", "");
    assert_int_equal(store_login_keys(st, "pfwd", NOW_S, count_key, &names), STORE_OK);
    assert_string_equal(buf_text(&names), "alice carol ");
    buf_clear(&names);
    assert_int_equal(store_login_keys(st, "nobody", NOW_S, count_key, &names), STORE_OK);
    assert_string_equal(buf_text(&names), "");
    grant(st, "stop", "pfwd", 5, "8009", "");
    assert_int_equal(store_login_keys(st, "pfwd", NOW_S, count_key, &names), STORE_FAIL);
    buf_clear(&names);
    raw_sql("UPDATE key SET base64 = 'AAAA' WHERE lease_id = 1");
    assert_int_equal(store_login_keys(st, "pfwd", NOW_S, count_key, &names), STORE_FAIL);
    assert_string_equal(buf_text(&names), "");
    assert_int_equal(find(st, "other", 1, NULL), STORE_OK); /* and lookups still work */
    buf_release(&names);
    store_close(st);
}

#define LEASE_COLUMNS                                                                              \
    "kind,name,live,login,open,listen,sources,max_sessions,note,created_s,renewed_s,expires_s,"    \
    "fixed_end,revoked_s,keep_sessions,last_login_s,heartbeat_ms,secret_used,agent_facts"

static void frozen(void **state)
{
    static const struct {
        const char *what, *login; /* the frozen one */
        enum store_rc pfwd, other;
    } rows[] = {
        {"one login", "pfwd", STORE_NONE, STORE_OK},
        {"another login", "other", STORE_OK, STORE_NONE},
        {"a login with no lease", "third", STORE_OK, STORE_OK},
        {"all", "*", STORE_NONE, STORE_NONE},
    };
    struct store *st = open_store();
    (void)state;
    grant(st, "alice", "pfwd", 1, "8009", "");
    grant(st, "bob", "other", 1, "8009", "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char sql[1024];
        struct buf names = {0};
        struct lease got;
        const struct store_filter all = {.all = true, .before_s = INT64_MAX};
        (void)snprintf(sql, sizeof(sql),
                       "INSERT INTO lease(" LEASE_COLUMNS
                       ") VALUES('freeze','!%s',1,'%s','','','',0,'',0,0,0,0,0,0,0,0,0,'');"
                       "INSERT INTO key VALUES(last_insert_rowid(),'!','%s',1,'','','',0)",
                       rows[i].login, rows[i].login, rows[i].login);
        raw_sql(sql);
        CHECK(rows[i].what, find(st, "pfwd", 1, NULL) == rows[i].pfwd);
        CHECK(rows[i].what, find(st, "other", 1, NULL) == rows[i].other);
        assert_int_equal(store_login_keys(st, "pfwd", NOW_S, count_key, &names), STORE_OK);
        CHECK_TEXT(rows[i].what, buf_text(&names), rows[i].pfwd == STORE_OK ? "alice " : "");
        buf_clear(&names);
        /* No call that reads leases returns a freeze. */
        assert_int_equal(store_lease_list(st, &all, add_name, &names), STORE_OK);
        CHECK_TEXT(rows[i].what, buf_text(&names), "alice/1 bob/1");
        (void)snprintf(sql, sizeof(sql), "!%s", rows[i].login);
        CHECK(rows[i].what, store_lease_by_name(st, sql, &got) == STORE_NONE);
        int64_t id = raw_number("SELECT id FROM lease WHERE kind = 'freeze'");
        CHECK(rows[i].what, store_lease_by_id(st, id, &got) == STORE_NONE);
        CHECK(rows[i].what, delete_at(st, id, NOW_S) == STORE_NONE);
        raw_sql("DELETE FROM key WHERE fingerprint = '!'; DELETE FROM lease WHERE kind = 'freeze'");
        CHECK("thawed", find(st, "pfwd", 1, NULL) == STORE_OK);
        CHECK("thawed", find(st, "other", 1, NULL) == STORE_OK);
        buf_release(&names);
    }
    store_close(st);
}

/* The leases of leasectl verify: their numbers are none that admins see. */
static void probes(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store_conflict conflict;
    struct lease_range range = {0};
    struct audit_report report;
    struct store *st = open_store();
    struct lease l = make_lease("verify-1", "pfwd", 9, "8009", "127.0.0.1:20001"), again = {0};
    int64_t ids[PROBES_AT_ONCE];
    size_t count = 99;
    (void)state;
    assert_int_equal(grant(st, "alice", "pfwd", 1, "8009", ""), 1);
    l.id = -5;
    l.expires_s = NOW_S + 60;
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_probe_add(st, &l, QUARANTINE_S, &by, &conflict), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    assert_int_equal(store_lease_by_name(st, "verify-1", &again), STORE_OK);
    assert_int_equal(again.id, -5);
    lease_release(&again);
    assert_int_equal(grant(st, "bob", "pfwd", 2, "8009", ""), 2);
    assert_int_equal(store_range_next(st, 100, &range), STORE_OK);
    assert_true(range.after == 0 && range.last == 2);
    assert_int_equal(raw_number("SELECT lease_id FROM audit WHERE lease = 'verify-1'"), -5);

    /* A verify that runs may need it a little longer than it lasts. */
    assert_int_equal(store_probes_abandoned(st, NOW_S + 60 + PROBE_ABANDONED_S, ids, &count),
                     STORE_OK);
    assert_int_equal(count, 0);
    const struct store_actor later = actor_at(NOW_S + 61 + PROBE_ABANDONED_S);
    assert_int_equal(store_probes_abandoned(st, later.now_s, ids, &count), STORE_OK);
    assert_int_equal(count, 1);
    assert_int_equal(ids[0], -5);
    for (int twice = 0; twice < 2; twice++) {
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_probes_delete(st, ids, count, &later), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
        assert_int_equal(raw_number("SELECT count(*) FROM lease"), 2);
        assert_int_equal(raw_number("SELECT count(*) FROM key"), 2);
        assert_int_equal(raw_number("SELECT count(*) FROM port"), 0);
    }
    assert_int_equal(audit_verify(st, &report), STORE_OK);
    assert_int_equal(grant(st, "carol", "pfwd", 3, "8009", ""), 3);
    lease_release(&l);
    store_close(st);
}

static void rolled_back(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store_conflict conflict;
    struct store *st = open_store();
    struct lease l = make_lease("alice", "gw-tunnel", 1, "8009", "127.0.0.1:20001");
    int64_t id;
    (void)state;
    for (int closed = 0; closed <= 1; closed++) {
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_lease_add(st, &l, QUARANTINE_S, &by, &id, &conflict), STORE_OK);
        if (closed == 0) {
            store_rollback(st);
            store_rollback(st); /* a second call does no harm */
        } else {
            store_close(st); /* rolls back the open transaction */
            st = open_store();
        }
        assert_int_equal(raw_number("SELECT (SELECT count(*) FROM lease) + (SELECT count(*) FROM "
                                    "key) + (SELECT count(*) FROM port) + (SELECT count(*) FROM "
                                    "audit)"),
                         0);
    }
    assert_int_equal(add_at(st, &l, NOW_S, &id, &conflict), STORE_OK);
    lease_release(&l);
    store_close(st);
}

static void two_connections(void **state)
{
    char err[STORE_ERROR_BYTES];
    struct store *first = open_store(), *second = open_store(), *reader = NULL;
    sqlite3 *raw = NULL;
    (void)state;
    grant(first, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK);
    (void)sqlite3_busy_timeout(second->db, 20);

    assert_int_equal(store_begin(first), STORE_OK);
    CHECK("the second writer", store_begin(second) == STORE_BUSY);
    CHECK_PROBLEM("and why", store_error(second), "lock");
    store_rollback(second);
    CHECK("a reader meanwhile", find(reader, "pfwd", 1, NULL) == STORE_OK);
    CHECK("the waiting writer may still read", find(second, "pfwd", 1, NULL) == STORE_OK);
    assert_int_equal(store_commit(first), STORE_OK);
    CHECK("the second writer after that", store_begin(second) == STORE_OK);
    store_rollback(second);

    /* A foreign program that holds the write lock prevents no login. */
    assert_int_equal(sqlite3_open(path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, "BEGIN IMMEDIATE; DELETE FROM key;", NULL, NULL, NULL),
                     SQLITE_OK);
    CHECK("foreign lock", store_begin(second) == STORE_BUSY);
    CHECK("a reader sees what was committed", find(reader, "pfwd", 1, NULL) == STORE_OK);
    struct store *late = NULL;
    assert_int_equal(store_open_read(path, &late, err), STORE_OK);
    CHECK("a reader that comes now", find(late, "pfwd", 1, NULL) == STORE_OK);
    store_close(late);
    assert_int_equal(sqlite3_exec(raw, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    (void)sqlite3_close(raw);

    int64_t id = grant(second, "bob", "pfwd", 2, "8009", "");
    CHECK("a reader sees the next commit", find(reader, "pfwd", 2, NULL) == STORE_OK);
    assert_int_equal(revoke_at(first, id, false, NOW_S), STORE_OK);
    CHECK("and a revocation", find(reader, "pfwd", 2, NULL) == STORE_NONE);
    store_close(reader);
    store_close(second);
    store_close(first);
}

static void damaged_rows(void **state)
{
    static const struct {
        const char *what, *set;
        enum store_rc rc;
        const char *reason;
    } rows[] = {
        {"untouched", "note = 'x'", STORE_OK, NULL},
        {"port out of range", "open = '127.0.0.1:65536'", STORE_FAIL, "open permit"},
        {"any port", "open = '127.0.0.1:*'", STORE_FAIL, "open permit"},
        {"quote within a permit", "open = '127.0.0.1:80\",permitopen=\"*:*'", STORE_FAIL, "open"},
        {"no host", "open = '*:80'", STORE_FAIL, "open permit"},
        {"blank at the end", "open = '127.0.0.1:80 '", STORE_FAIL, "open permit"},
        {"listen", "listen = 'x'", STORE_FAIL, "listen permit"},
        {"listen, no permits is none", "listen = ''", STORE_OK, NULL},
        {"from", "sources = '10.0.0.0/40'", STORE_FAIL, "from list"},
        {"from, a name", "sources = 'gw.example'", STORE_FAIL, "from list"},
        {"from, a blank", "sources = ' '", STORE_FAIL, "from list"},
        {"from, anywhere", "sources = ''", STORE_OK, NULL},
        {"name with a line feed", "name = 'a' || char(10) || 'ssh-ed25519'", STORE_FAIL, "name"},
        {"name empty", "name = ''", STORE_FAIL, "name"},
        {"name with a blank", "name = 'a b'", STORE_FAIL, "name"},
        {"name of 64", "name = printf('%064d', 0)", STORE_OK, NULL},
        {"name of 65", "name = printf('%065d', 0)", STORE_FAIL, "name"},
        {"no limit of sessions", "max_sessions = 0", STORE_OK, NULL},
        {"largest limit of sessions", "max_sessions = 1000", STORE_OK, NULL},
        {"a session more", "max_sessions = 1001", STORE_FAIL, "session limit"},
        {"frozen, since a copy was seen", "max_sessions = -1", STORE_OK, NULL},
        {"negative limit", "max_sessions = -2", STORE_FAIL, "session limit"},
        {"limit past 32 bits", "max_sessions = 4294967297", STORE_FAIL, "session limit"},
        {"not live", "live = NULL", STORE_NONE, NULL},
        {"live is another number", "live = 2", STORE_NONE, NULL},
    };
    char err[STORE_ERROR_BYTES];
    struct store *st = open_store(), *reader = NULL;
    const struct pubkey key = key_number(1);
    (void)state;
    int64_t id = grant(st, "alice", "pfwd", 1, "8009", "");
    grant(st, "bob", "pfwd", 2, "8009", "");
    assert_int_equal(store_open_read(path, &reader, err), STORE_OK);
    raw_sql("CREATE TABLE saved AS SELECT * FROM lease");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char sql[256];
        struct lease got = {.id = 77};
        (void)snprintf(sql, sizeof(sql), "UPDATE lease SET %s WHERE id = %lld", rows[i].set,
                       (long long)id);
        raw_sql(sql);
        CHECK(rows[i].what, store_find_key(reader, "pfwd", key.fingerprint, &got) == rows[i].rc);
        if (rows[i].rc == STORE_FAIL)
            CHECK_PROBLEM(rows[i].what, store_error(reader), rows[i].reason);
        if (rows[i].rc != STORE_OK)
            CHECK(rows[i].what, got.id == 77 && got.open.items == NULL);
        if (rows[i].rc == STORE_OK)
            lease_release(&got);
        CHECK("its neighbour is answered", find(reader, "pfwd", 2, NULL) == STORE_OK);
        raw_sql("DELETE FROM lease; INSERT INTO lease SELECT * FROM saved");
    }
    store_close(reader);
    store_close(st);
}

/* ---- ports ---- */

static bool usable(void *ctx, uint16_t port)
{
    return port != *(uint16_t *)ctx; /* something else listens on this one */
}

static void ports_picked(void **state)
{
    static const struct {
        const char *what, *ports; /* rows of the table port: (port, lease, freed) */
        uint16_t low, high, in_use;
        enum store_rc rc;
        uint16_t port;
    } rows[] = {
        {"nothing leased: the lowest", NULL, 100, 102, 0, STORE_OK, 100},
        {"the lowest is in use", NULL, 100, 102, 100, STORE_OK, 101},
        {"one held", "(100,1,0)", 100, 102, 0, STORE_OK, 101},
        {"a gap", "(100,1,0),(102,1,0)", 100, 103, 0, STORE_OK, 101},
        {"after all that are held", "(100,1,0),(101,1,0)", 100, 102, 0, STORE_OK, 102},
        {"held outside the range", "(99,1,0),(103,1,0)", 100, 102, 0, STORE_OK, 100},
        {"all held", "(100,1,0),(101,1,0),(102,1,0)", 100, 102, 0, STORE_NONE, 0},
        {"never leased before quarantine over", "(100,1,1),(101,1,0)", 100, 102, 0, STORE_OK, 102},
        {"the oldest whose quarantine is over", "(100,1,20),(101,1,10),(102,1,30)", 100, 102, 0,
         STORE_OK, 101},
        {"the oldest is in use", "(100,1,20),(101,1,10),(102,1,30)", 100, 102, 101, STORE_OK, 100},
        {"a range of one, in use", NULL, 100, 100, 100, STORE_NONE, 0},
        {"the last port there is", NULL, 65535, 65535, 0, STORE_OK, 65535},
        {"the last port there is, held", "(65535,1,0)", 65535, 65535, 0, STORE_NONE, 0},
    };
    struct store *st = open_store();
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint16_t port = 0, in_use = rows[i].in_use;
        raw_sql("DELETE FROM port");
        if (rows[i].ports != NULL) {
            char sql[256];
            (void)snprintf(
                sql, sizeof(sql),
                "INSERT INTO port SELECT column1, column2, 'x', column3 FROM (VALUES %s)",
                rows[i].ports);
            raw_sql(sql);
        }
        CHECK(rows[i].what, store_port_pick(st, rows[i].low, rows[i].high, QUARANTINE_S, NOW_S,
                                            usable, &in_use, &port) == rows[i].rc);
        CHECK(rows[i].what, port == rows[i].port);
    }
    for (int64_t age = QUARANTINE_S - 1; age <= QUARANTINE_S; age++) {
        char sql[128];
        uint16_t port = 0, in_use = 0;
        raw_sql("DELETE FROM port");
        (void)snprintf(sql, sizeof(sql), "INSERT INTO port VALUES(100,1,'x',%lld)",
                       (long long)(NOW_S - age));
        raw_sql(sql);
        CHECK("quarantined, a second before its end and at it",
              store_port_pick(st, 100, 100, QUARANTINE_S, NOW_S, usable, &in_use, &port) ==
                  (age < QUARANTINE_S ? STORE_NONE : STORE_OK));
    }
    store_close(st);
}

/* One walk: how many leases each step of at most `limit` leases pruned, one digit a step. */
static const char *prune_at(struct store *st, int64_t before_s, int64_t limit)
{
    static char pieces[32];
    const struct store_actor by = actor_at(before_s + 1000);
    struct lease_range range = {0};
    size_t n = 0;
    while (store_range_next(st, limit, &range) == STORE_OK && n < sizeof(pieces) - 1) {
        int64_t pruned = -1;
        assert_true(range.last > range.after);
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_prune_dead(st, &range, before_s, &by, &pruned), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
        assert_in_range(pruned, 0, limit);
        pieces[n++] = (char)('0' + pruned);
    }
    pieces[n] = '\0';
    return pieces;
}

static void pruned_in_pieces(void **state)
{
    char name[16], listen[32];
    struct audit_report report;
    struct store *st = open_store();
    (void)state;
    for (unsigned char i = 1; i <= 10; i++) {
        (void)snprintf(name, sizeof(name), "agent-%u", i);
        (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", 20000U + i);
        (void)grant(st, name, "gw-tunnel", i, "", listen);
    }
    assert_int_equal(revoke_at(st, 10, false, NOW_S), STORE_OK);
    assert_string_equal(prune_at(st, NOW_S, 4), "000");
    /* The revoked lease is the last of ten; the others are at their end, not past it. */
    assert_string_equal(prune_at(st, NOW_S + 1, 4), "001");
    assert_string_equal(prune_at(st, NOW_S + 3600, 4), "000");
    raw_sql("UPDATE lease SET expires_s = expires_s + 3600 WHERE id = 2");
    assert_string_equal(prune_at(st, NOW_S + 3601, 4), "341");
    assert_int_equal(raw_number("SELECT count(*) FROM key"), 1);
    assert_int_equal(raw_number("SELECT sum(id) FROM lease"), 2);
    assert_string_equal(prune_at(st, NOW_S + 7201, 4), "1");
    assert_string_equal(prune_at(st, NOW_S + 7201, 4), "");
    raw_sql(
        "INSERT INTO lease(id, kind, name, live, login, open, listen, sources, max_sessions, note,"
        " created_s, renewed_s, expires_s, fixed_end, revoked_s, keep_sessions, last_login_s,"
        " heartbeat_ms, secret_used, agent_facts) VALUES(99, 'agent', 'barred', NULL, 'gw-tunnel',"
        " '', '127.0.0.1:20099', '', 0, '', 1, 0, 2, 0, 2, 0, 0, 0, 0, '')");
    assert_string_equal(prune_at(st, NOW_S + 7201, 4), "0"); /* a revoked agent is not pruned */
    raw_sql("DELETE FROM lease");
    assert_int_equal(raw_number("SELECT count(*) FROM key"), 0);
    CHECK("their ports are in quarantine",
          raw_number("SELECT count(*) FROM port WHERE freed_s <> 0") == 10);
    CHECK("from when they were freed, however long ago their leases ended",
          raw_number("SELECT freed_s FROM port WHERE port = 20001") == NOW_S + 3601 + 1000);
    CHECK("a row for each piece in which there were any",
          raw_number("SELECT count(*) FROM audit WHERE action = 'prune'") == 5);
    assert_int_equal(audit_verify(st, &report), STORE_OK);
    assert_int_equal(report.broken_seq, 0);
    store_close(st);
}

static void unused_agents_deleted(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct audit_report report;
    struct lease_range range = {0};
    struct store *st = open_store();
    (void)state;
    (void)add_agent(st, "unused", 1, "", NOW_S - 1);
    (void)add_agent(st, "young", 2, "", NOW_S);
    (void)add_agent(st, "of-an-admin", 3, "admin 1\n", NOW_S - 1);
    int64_t used = add_agent(st, "used", 4, "", NOW_S - 1);
    (void)grant(st, "grant", "pfwd", 5, "8009", "");
    (void)add_agent(st, "unused-too", 6, "", NOW_S - 1);
    assert_int_equal(store_login_seen(st, used, NOW_S), STORE_OK);
    while (store_range_next(st, 4, &range) == STORE_OK) {
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_agents_unused(st, &range, NOW_S), STORE_OK);
        assert_int_equal(store_agents_delete_unused(st, &range, NOW_S, &by), STORE_OK);
        assert_int_equal(store_agents_unused(st, &range, NOW_S), STORE_NONE);
        assert_int_equal(store_commit(st), STORE_OK);
    }
    CHECK("both of two pieces", raw_number("SELECT count(*) FROM lease") == 4);
    CHECK("nobody else", raw_number("SELECT count(*) FROM lease WHERE name LIKE 'unused%'") == 0);
    CHECK("their keys", raw_number("SELECT count(*) FROM key") == 4);
    CHECK("their ports, with no quarantine", raw_number("SELECT count(*) FROM port") == 3);
    CHECK("the audit names each",
          raw_number("SELECT count(*) FROM audit WHERE action = 'delete'") == 2);
    assert_int_equal(audit_verify(st, &report), STORE_OK);
    assert_int_equal(report.broken_seq, 0);
    store_close(st);
}

static int sum_ids(void *ctx, int64_t id, const char *name, int64_t expires_s)
{
    (void)name;
    (void)expires_s;
    *(int64_t *)ctx += id;
    return 0;
}

static void ending_soon(void **state)
{
    struct lease_range range = {0};
    int64_t sum = 0;
    struct store *st = open_store();
    (void)state;
    for (unsigned char i = 1; i <= 9; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "lease-%u", i);
        (void)grant(st, name, "pfwd", i, "8009", "");
    }
    assert_int_equal(revoke_at(st, 5, false, NOW_S), STORE_OK);
    raw_sql("UPDATE lease SET expires_s = 1000 + id");
    while (store_range_next(st, 4, &range) == STORE_OK)
        assert_int_equal(store_leases_ending(st, &range, 1002, 1007, sum_ids, &sum), STORE_OK);
    assert_int_equal(sum, 3 + 4 + 6 + 7);
    store_close(st);
}

static void counted(void **state)
{
    struct store *st = open_store();
    (void)state;
    for (unsigned char i = 1; i <= 9; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "lease-%u", i);
        (void)(i % 2 == 0 ? add_agent(st, name, i, "", NOW_S)
                          : grant(st, name, "pfwd", i, "8009", ""));
    }
    raw_sql("UPDATE lease SET expires_s = 1000 + id");
    assert_int_equal(revoke_at(st, 5, false, NOW_S), STORE_OK);
    assert_int_equal(revoke_at(st, 8, false, NOW_S), STORE_OK);
    /* At time 1003 leases 1 to 3 have expired; 5 and 8 are revoked. */
    for (int64_t limit = 1; limit <= 10; limit++) {
        struct lease_range range = {0};
        struct store_counts c = {.audit_rows = 0};
        while (store_range_next(st, limit, &range) == STORE_OK)
            assert_int_equal(store_count_leases(st, &range, 1003, &c), STORE_OK);
        assert_int_equal(store_count_rest(st, &c), STORE_OK);
        CHECK("grants", c.active[0] == 2 && c.expired[0] == 2 && c.revoked[0] == 1);
        CHECK("agents", c.active[1] == 2 && c.expired[1] == 1 && c.revoked[1] == 1);
        CHECK("the next end", c.next_expiry_s == 1004);
        CHECK("ports", c.ports_held == 3 && c.ports_quarantined == 1);
        CHECK("the audit", c.audit_rows == 11);
    }
    store_close(st);
}

static void frozen_and_thawed(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    struct login_freeze freeze;
    int64_t since_s = 0;
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    (void)grant(st, "agent", "gw-tunnel", 2, "8009", "");
    for (int round = 0; round < 2; round++) {
        const char *what = round == 0 ? "pfwd" : "*";
        assert_int_equal(store_begin(st), STORE_OK);
        CHECK(what, store_thaw(st, what, &by) == STORE_NONE);
        CHECK(what, store_freeze(st, what, &by) == STORE_OK);
        CHECK(what, store_frozen_since(st, what, &since_s) == STORE_OK && since_s == NOW_S);
        CHECK(what, store_login_frozen(st, "pfwd", &freeze) == STORE_OK &&
                        freeze.is_of_all == (round == 1) && freeze.since_s == NOW_S);
        CHECK(what,
              store_login_frozen(st, "gw-tunnel", &freeze) == (round == 0 ? STORE_NONE : STORE_OK));
        assert_int_equal(store_commit(st), STORE_OK);
        CHECK(what, find(st, "pfwd", 1, NULL) == STORE_NONE);
        CHECK(what, find(st, "gw-tunnel", 2, NULL) == (round == 0 ? STORE_OK : STORE_NONE));
        assert_int_equal(store_begin(st), STORE_OK);
        CHECK(what, store_freeze(st, what, &by) == STORE_CONFLICT);
        store_rollback(st);
        assert_int_equal(store_begin(st), STORE_OK);
        CHECK(what, store_thaw(st, what, &by) == STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
        CHECK(what, store_frozen_since(st, what, &since_s) == STORE_NONE);
        CHECK(what, store_login_frozen(st, "pfwd", &freeze) == STORE_NONE);
        CHECK(what, find(st, "pfwd", 1, NULL) == STORE_OK);
    }
    CHECK("a freeze is no lease",
          raw_number("SELECT count(*) FROM lease WHERE kind = 'freeze'") == 2);
    const struct store_actor later = actor_at(NOW_S + 1);
    assert_int_equal(store_begin(st), STORE_OK);
    CHECK("its own", store_freeze(st, "pfwd", &by) == STORE_OK);
    CHECK("and all", store_freeze(st, "*", &later) == STORE_OK);
    CHECK("that of all is named", store_login_frozen(st, "pfwd", &freeze) == STORE_OK &&
                                      freeze.is_of_all && freeze.since_s == NOW_S + 1);
    store_rollback(st);
    store_close(st);
}

static void log_emptied(void **state)
{
    struct stat before, after;
    struct store *st = open_store();
    char *wal = path_in(dir, "leases.db-wal");
    (void)state;
    (void)grant(st, "alice", "pfwd", 1, "8009", "");
    assert_int_equal(stat(wal, &before), 0);
    assert_int_equal(store_checkpoint(st), STORE_OK);
    assert_int_equal(stat(wal, &after), 0);
    CHECK("something was in it", before.st_size > 0);
    CHECK("and is in the store now", after.st_size == 0);
    CHECK("readable", find(st, "pfwd", 1, NULL) == STORE_OK);
    free(wal);
    store_close(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(created_with_modes),
        TEST(group_of_directory),
        TEST(migrates_to_the_schema),
        TEST(migrates_under_a_backup),
        TEST(not_migrated_without_a_backup),
        TEST(migrates_over_two_versions),
        TEST(opened_again),
        TEST(query_takes_one_lock),
        TEST(query_until_final),
        TEST(empty_is_not_recreated),
        TEST(created_after_a_kill),
        TEST(created_by_many_at_once),
        TEST(without_wal_or_shm),
        TEST(damage_read_immutable_is_final),
        TEST(reader_without_write_access),
        TEST(refused_places),
        TEST(refused_by_content),
        TEST(added_and_read),
        TEST(listed),
        TEST(conflicts),
        TEST(port_after_revoke),
        TEST(revoked),
        TEST(deleted),
        TEST(history),
        TEST(keys_of_login),
        TEST(frozen),
        TEST(probes),
        TEST(rolled_back),
        TEST(two_connections),
        TEST(damaged_rows),
        TEST(ports_picked),
        TEST(pruned_in_pieces),
        TEST(counted),
        TEST(unused_agents_deleted),
        TEST(ending_soon),
        TEST(frozen_and_thawed),
        TEST(log_emptied),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
