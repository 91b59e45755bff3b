/* SPDX-License-Identifier: ISC */
/*
 * chaos: runs the installed akc again and again while the worst writers change the store.
 *   chaos turns DATABASE LOGIN COUNT     COUNT grants and revocations of one lease. Each is made by
 *                                        a process that, after its commit, closes, dies, vacuums,
 *                                        checkpoints or rolls back, while another process does so
 *                                        all the time. Every akc that is started after a commit
 *                                        must see it.
 *   chaos hammer DATABASE LOGIN SECONDS  commits as fast as possible (synchronous=NORMAL); every
 *                                        akc must answer
 * Run as root: writers become _tunlease, akc becomes _tunlease-akc. Exit 1: an answer was wrong or
 * missing. TEST_SEED repeats the choices of an earlier run.
 */
#include "lib/base/buf.h"
#include "lib/lease/keyline.h"
#include "lib/lease/lease.h"
#include "lib/store/audit_verify.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/leases.h"
#include "lib/store/open_read.h"
#include "lib/store/open_write.h"
#include "lib/store/store.h"
#include "lib/store/transaction.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <err.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char akc_path[] = "/usr/libexec/tunlease/akc";
static const char lease_name[] = "judged";

enum { ANSWER_BYTES = 4096, WRONG_SHOWN = 5 };

/* Counts of all processes, in shared memory. */
struct tally {
    long lookups, wrong, refused;
    long kills, turns;
    long noise, noise_busy; /* steps of the other writer, and how many were busy */
    long commits;
};
static struct tally *tally;

static const char *database, *login;
static struct passwd owner, reader;
static struct lease_key key;
static int64_t now_s;

/* ---- processes ---- */

static void become(const struct passwd *who)
{
    if (setgroups(0, NULL) != 0 || setresgid(who->pw_gid, who->pw_gid, who->pw_gid) != 0 ||
        setresuid(who->pw_uid, who->pw_uid, who->pw_uid) != 0)
        err(1, "cannot become uid %u", who->pw_uid);
}

static pid_t start(unsigned seed)
{
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        srandom(seed);
        become(&owner);
    }
    return pid;
}

/* Returns 0 when the process exited with 0 or was killed with SIGKILL, else -1. */
static int reap(pid_t pid)
{
    int status;
    if (waitpid(pid, &status, 0) != pid)
        err(1, "waitpid");
    return (WIFEXITED(status) && WEXITSTATUS(status) == 0) ||
                   (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
               ? 0
               : -1;
}

static void nap_us(long us)
{
    const struct timespec t = {.tv_nsec = us * 1000};
    (void)nanosleep(&t, NULL);
}

/* ---- akc ---- */

struct lookup {
    pid_t pid;
    int fd;
};

static struct lookup start_akc(void)
{
    int fds[2];
    if (pipe(fds) != 0)
        err(1, "pipe");
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0) {
        char *const argv[] = {(char *)(uintptr_t)akc_path, (char *)(uintptr_t)login, key.pub.type,
                              key.pub.base64, NULL};
        char *const none[] = {NULL};
        (void)dup2(fds[1], STDOUT_FILENO);
        (void)close(fds[0]);
        (void)close(fds[1]);
        become(&reader);
        (void)execve(akc_path, argv, none);
        _exit(127);
    }
    (void)close(fds[1]);
    return (struct lookup){.pid = pid, .fd = fds[0]};
}

/* akc must print `want` or `or_else`. */
static void check_answer(struct lookup q, const char *want, const char *or_else, const char *when)
{
    char got[ANSWER_BYTES];
    size_t len = 0;
    ssize_t n;
    int status;
    while (len < sizeof(got) - 1 && (n = read(q.fd, got + len, sizeof(got) - 1 - len)) > 0)
        len += (size_t)n;
    got[len] = '\0';
    (void)close(q.fd);
    if (waitpid(q.pid, &status, 0) != q.pid)
        err(1, "waitpid");
    tally->lookups++;
    bool answered = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (answered && (strcmp(got, want) == 0 || strcmp(got, or_else) == 0))
        return;
    if (answered || len > 0)
        tally->wrong++;
    else
        tally->refused++;
    if (tally->wrong + tally->refused <= WRONG_SHOWN)
        (void)printf("turn %ld, %s: status %#x, got '%.80s', want '%.80s'\n", tally->turns, when,
                     (unsigned)status, got, want);
}

static void lookup(const char *want, const char *when)
{
    check_answer(start_akc(), want, want, when);
}

/* ---- the lease that akc is asked for ---- */

static void make_key(void)
{
    static const char base64[] =
        "AAAAC3NzaC1lZDI1NTE5AAAAIFwB5mkFi/rj0hTa0BW+CDOnLjGGtENqi0c6XnUmwgT8";
    const char *problem = pubkey_parse("ssh-ed25519", base64, &key.pub);
    if (problem != NULL)
        errx(1, "the key %s", problem);
}

/* Each turn has another port, so that an old line differs from a new one. */
static void fill_lease(struct lease *l, const char *name, long turn, const struct lease_key *with)
{
    struct permit permit;
    char port[8];
    *l = (struct lease){.expires_s = now_s + 86400};
    (void)snprintf(port, sizeof(port), "%ld", 10000 + turn % 50000);
    (void)strlcpy(l->name, name, sizeof(l->name));
    (void)strlcpy(l->login, login, sizeof(l->login));
    if (permit_parse(port, PERMIT_PORT, &permit) != NULL ||
        permit_list_add(&l->open, &permit) != NULL || (with != NULL && lease_add_key(l, with) != 0))
        errx(1, "cannot make a lease");
}

static void line_of(long turn, char out[static ANSWER_BYTES])
{
    struct buf line = {0};
    struct lease l;
    fill_lease(&l, lease_name, turn, &key);
    keyline_format(&l, &key.pub, &line);
    if (buf_text(&line) == NULL || strlcpy(out, buf_text(&line), ANSWER_BYTES) >= ANSWER_BYTES)
        errx(1, "no line");
    buf_release(&line);
    lease_release(&l);
}

static struct store *open_store(void)
{
    char why[STORE_ERROR_BYTES];
    struct store *st = NULL;
    if (store_open_write(database, &st, why) != STORE_OK)
        errx(1, "turn %ld: %s", tally->turns, why);
    return st;
}

static enum store_rc grant_lease(struct store *st, const char *name, long turn,
                                 const struct lease_key *with)
{
    const struct store_actor by = {.who = "chaos", .source = "", .now_s = now_s};
    struct store_conflict conflict;
    struct lease l;
    int64_t id;
    fill_lease(&l, name, turn, with);
    enum store_rc rc = store_lease_add(st, &l, 0, &by, &id, &conflict);
    lease_release(&l);
    return rc;
}

static enum store_rc revoke_lease(struct store *st, const char *name)
{
    const struct store_actor by = {.who = "chaos", .source = "", .now_s = now_s};
    struct lease l = {0};
    enum store_rc rc = store_lease_by_name(st, name, &l);
    if (rc == STORE_OK)
        rc = store_lease_revoke(st, &l, false, &by);
    lease_release(&l);
    return rc;
}

static enum store_rc apply_turn(struct store *st, long turn)
{
    return turn % 2 == 0 ? grant_lease(st, lease_name, turn, &key) : revoke_lease(st, lease_name);
}

/* ---- writers that use SQLite directly ---- */

static sqlite3 *open_sqlite(void)
{
    sqlite3 *db;
    int persist = 1;
    if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        errx(1, "%s: %s", database, sqlite3_errmsg(db));
    (void)sqlite3_busy_timeout(db, 5000);
    (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    return db;
}

/* SQLITE_BUSY is no failure: other writers are there. */
static int execute(sqlite3 *db, const char *sql)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
        errx(1, "turn %ld: %s: %s", tally->turns, sql, sqlite3_errmsg(db));
    return rc;
}

/* Makes the table again and copies its rows, as a migration does. */
static void rebuild(sqlite3 *db)
{
    char *make = NULL;
    sqlite3_stmt *s;
    if (sqlite3_prepare_v2(db,
                           "SELECT replace(sql, 'CREATE TABLE key(', 'CREATE TABLE key_new(') "
                           "FROM sqlite_schema WHERE name = 'key'",
                           -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW)
        make = strdup((const char *)sqlite3_column_text(s, 0));
    (void)sqlite3_finalize(s);
    if (make == NULL)
        return;
    /* SQLite puts the name in quotes once the table was renamed. */
    char *name = strstr(make, "\"key\"");
    if (name != NULL)
        memcpy(name, "key_2", 5);
    if (execute(db, "BEGIN IMMEDIATE") == SQLITE_OK) {
        (void)execute(db, make);
        (void)execute(db, name != NULL ? "INSERT INTO key_2 SELECT * FROM key; DROP TABLE key;"
                                         "ALTER TABLE key_2 RENAME TO key"
                                       : "INSERT INTO key_new SELECT * FROM key; DROP TABLE key;"
                                         "ALTER TABLE key_new RENAME TO key");
        (void)execute(db, "COMMIT");
    }
    free(make);
}

static void spill(sqlite3 *db)
{
    (void)execute(db, "PRAGMA cache_size=2");
    if (execute(db, "BEGIN IMMEDIATE") == SQLITE_OK) {
        (void)execute(
            db, "UPDATE lease SET live = NULL; DELETE FROM key;"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
                "INSERT INTO token(hash, name, uses_left, created_s, expires_s) "
                "SELECT randomblob(100), '', 1, 1, 1 FROM n");
        (void)execute(db, "ROLLBACK");
    }
}

static void run_sqlite_step(long what)
{
    static const char *const sql[] = {"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)",
                                      "PRAGMA wal_checkpoint(PASSIVE)"};
    sqlite3 *db = open_sqlite();
    if (what < 3)
        (void)execute(db, sql[what]);
    else if (what == 3)
        rebuild(db);
    else
        spill(db);
    (void)sqlite3_close(db);
}

/* ---- turns ---- */

/* The other writer, until it is killed. */
static void make_noise(void)
{
    for (long i = 0;; i++) {
        tally->noise++;
        long what = random() % 8;
        if (what < 5) {
            run_sqlite_step(what);
            continue;
        }
        struct store *st = open_store();
        enum store_rc rc = store_begin(st);
        if (rc == STORE_OK)
            rc = i % 2 == 0 ? grant_lease(st, "noise", 1, NULL) : revoke_lease(st, "noise");
        if (rc == STORE_OK)
            rc = store_commit(st);
        if (rc == STORE_BUSY)
            tally->noise_busy++;
        else if (rc == STORE_FAIL)
            errx(1, "turn %ld: noise: %s", tally->turns, store_error(st));
        store_close(st);
        nap_us(random() % 3000);
    }
}

enum after {
    AFTER_CLOSE,
    AFTER_KILL,
    AFTER_UNCOMMITTED,
    AFTER_ROLLBACK,
    AFTER_SQLITE_STEP,
    AFTER__MAX
};

static void commit_turn(long turn, int tell_fd, enum after after)
{
    struct store *st = open_store();
    if (store_begin(st) != STORE_OK || apply_turn(st, turn) != STORE_OK ||
        store_commit(st) != STORE_OK)
        errx(1, "turn %ld: %s", turn, store_error(st));
    if (write(tell_fd, "c", 1) != 1)
        err(1, "write");
    switch (after) {
    case AFTER_KILL:
        (void)kill(getpid(), SIGKILL);
        break;
    case AFTER_UNCOMMITTED: /* begins to undo the change, and is killed before a commit */
    case AFTER_ROLLBACK:
        if (store_begin(st) == STORE_OK)
            (void)apply_turn(st, turn + 1);
        if (after == AFTER_UNCOMMITTED)
            (void)pause();
        nap_us(random() % 2000);
        store_rollback(st);
        break;
    case AFTER_SQLITE_STEP:
        run_sqlite_step(random() % 5);
        break;
    case AFTER_CLOSE:
    case AFTER__MAX:
        break;
    }
    store_close(st);
}

static int one_turn(long turn, const char *before, const char *now)
{
    int fds[2];
    char byte;
    enum after after = (enum after)(random() % AFTER__MAX);

    if (pipe(fds) != 0)
        err(1, "pipe");
    unsigned seed = (unsigned)random();
    pid_t pid = start(seed);
    if (pid == 0) {
        (void)close(fds[0]);
        commit_turn(turn, fds[1], after);
        _exit(0);
    }
    (void)close(fds[1]);
    struct lookup early = start_akc();
    if (read(fds[0], &byte, 1) != 1)
        errx(1, "turn %ld: the writer did not commit", turn);
    lookup(now, "just after the commit");
    nap_us(random() % 1500);
    lookup(now, "a little later");
    check_answer(early, before, now, "during the commit");
    if (after == AFTER_UNCOMMITTED)
        (void)kill(pid, SIGKILL);
    tally->kills += after == AFTER_UNCOMMITTED || after == AFTER_KILL;
    if (reap(pid) != 0)
        errx(1, "turn %ld: the writer failed", turn);
    (void)close(fds[0]);
    lookup(now, "after the writer ended");
    return 0;
}

static void check_end(long turns)
{
    char why[STORE_ERROR_BYTES];
    struct audit_report report;
    struct store *st = NULL;
    sqlite3_stmt *s = NULL;

    if (store_open_read(database, &st, why) != STORE_OK)
        errx(1, "%s", why);
    if (audit_verify(st, &report) != STORE_OK || report.broken_seq != 0)
        errx(1, "the audit chain is broken at row %lld", (long long)report.broken_seq);
    store_close(st);
    sqlite3 *db = open_sqlite();
    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM audit WHERE lease = 'judged'", -1, &s, NULL) !=
            SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW)
        errx(1, "%s", sqlite3_errmsg(db));
    if (sqlite3_column_int64(s, 0) != turns)
        errx(1, "%lld audit rows for %ld turns", (long long)sqlite3_column_int64(s, 0), turns);
    (void)sqlite3_finalize(s);
    if (sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW || strcmp((const char *)sqlite3_column_text(s, 0), "ok") != 0)
        errx(1, "the store is damaged");
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
}

static void turns(long count)
{
    char before[ANSWER_BYTES] = "", now[ANSWER_BYTES];
    pid_t noise = -1;
    for (long turn = 0; turn < count && tally->wrong + tally->refused < WRONG_SHOWN; turn++) {
        tally->turns = turn;
        if (noise < 0 && (noise = start((unsigned)turn)) == 0)
            make_noise();
        if (turn % 2 == 0)
            line_of(turn, now);
        else
            now[0] = '\0';
        (void)one_turn(turn, before, now);
        (void)strlcpy(before, now, sizeof(before));
        if (waitpid(noise, NULL, WNOHANG) != 0)
            errx(1, "the other writer failed");
        if (random() % 3 == 0) {
            (void)kill(noise, SIGKILL);
            (void)reap(noise);
            tally->kills++;
            noise = -1;
            lookup(now, "when the other writer was killed");
        }
    }
    if (noise > 0) {
        (void)kill(noise, SIGKILL);
        (void)reap(noise);
    }
    if (tally->wrong + tally->refused == 0)
        check_end(count);
}

/* ---- hammer ---- */

static void commit_for_ever(void)
{
    sqlite3_stmt *s;
    sqlite3 *db = open_sqlite();
    (void)execute(db, "PRAGMA synchronous=NORMAL");
    if (sqlite3_prepare_v2(db,
                           "UPDATE lease SET last_login_s = ?1 WHERE name = 'judged' AND live = 1",
                           -1, &s, NULL) != SQLITE_OK)
        errx(1, "%s", sqlite3_errmsg(db));
    for (int64_t i = 1;; i++) {
        (void)sqlite3_bind_int64(s, 1, i);
        if (sqlite3_step(s) != SQLITE_DONE || sqlite3_reset(s) != SQLITE_OK)
            errx(1, "%s", sqlite3_errmsg(db));
        tally->commits++;
    }
}

static void hammer(long seconds)
{
    char line[ANSWER_BYTES];
    struct timespec t;
    struct store *st = open_store();
    (void)revoke_lease(st, lease_name);
    if (store_begin(st) != STORE_OK || grant_lease(st, lease_name, 0, &key) != STORE_OK ||
        store_commit(st) != STORE_OK)
        errx(1, "%s", store_error(st));
    store_close(st);
    line_of(0, line);
    pid_t pid = start(1);
    if (pid == 0)
        commit_for_ever();
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    time_t end = t.tv_sec + seconds;
    while (t.tv_sec < end) {
        lookup(line, "under the hammer");
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
    }
    if (waitpid(pid, NULL, WNOHANG) != 0)
        errx(1, "the writer failed");
    (void)kill(pid, SIGKILL);
    (void)reap(pid);
}

static void find_user(const char *name, struct passwd *ret)
{
    const struct passwd *pw = getpwnam(name);
    if (pw == NULL)
        errx(1, "no user %s", name);
    *ret = *pw;
}

int main(int argc, char **argv)
{
    const char *problem = NULL, *seed_text = getenv("TEST_SEED");
    if (argc != 5)
        errx(2, "usage: chaos turns|hammer DATABASE LOGIN COUNT|SECONDS");
    database = argv[2];
    login = argv[3];
    long n = (long)strtonum(argv[4], 1, 10000000, &problem);
    if (problem != NULL)
        errx(2, "'%s' is %s", argv[4], problem);
    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (tally == MAP_FAILED)
        err(1, "mmap");
    find_user("_tunlease", &owner);
    find_user("_tunlease-akc", &reader);
    now_s = time(NULL);
    unsigned seed = seed_text != NULL ? (unsigned)strtonum(seed_text, 0, UINT32_MAX, &problem)
                                      : (unsigned)now_s;
    srandom(seed);
    make_key();
    if (strcmp(argv[1], "turns") == 0)
        turns(n);
    else
        hammer(n);
    (void)printf("TEST_SEED=%u: %ld lookups, %ld wrong, %ld refused; %ld killed, %ld noises "
                 "(%ld busy), %ld commits\n",
                 seed, tally->lookups, tally->wrong, tally->refused, tally->kills, tally->noise,
                 tally->noise_busy, tally->commits);
    return tally->wrong + tally->refused == 0 && tally->lookups > 0 ? 0 : 1;
}
