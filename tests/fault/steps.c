/* SPDX-License-Identifier: ISC */
/*
 * steps: stops a writer before each of its writes (and in the middle of a page), while a reader
 * opens the store at one stop and asks at the same or a later one.
 *   steps DATABASE LOGIN TYPE BASE64
 * Run as root. The key has the lease "stepped" on LOGIN, which each writer revokes; a part of the
 * store must be in its log. At every pair of stops: a failure must be a transient one; a lease that
 * was revoked before the reader opened the store must not be admitted; and the log must not be
 * deleted while a reader reads the database without it.
 */
#include "lib/base/clock.h"
#include "lib/lease/lease.h"
#include "lib/lease/pubkey.h"
#include "lib/store/handle.h"
#include "lib/store/login.h"
#include "lib/store/open_read.h"

#include <bsd/string.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILES = 3, PATIENCE_MS = 10, SHOWN = 10, PAGE = 4096, ASKS = 20, OPENINGS = 6 };

static const char *const suffixes[FILES] = {"", "-wal", "-shm"};
static const char *database, *login;
static struct pubkey key;
static struct passwd owner, reader;
static int shown;

static void name_of_file(int i, char out[static 512])
{
    (void)snprintf(out, 512, "%s%s", database, suffixes[i]);
}

static void become(const struct passwd *who)
{
    if (seteuid(0) != 0 || setegid(who != NULL ? who->pw_gid : 0) != 0 ||
        (who != NULL && seteuid(who->pw_uid) != 0))
        err(1, "seteuid");
}

/* ---- images ---- */

struct image {
    unsigned char *bytes[FILES];
    size_t len[FILES];
    bool there[FILES];
    struct stat main; /* of the database, when it was last restored */
};

static void image_save(struct image *m)
{
    char name[512];
    for (int i = 0; i < FILES; i++) {
        struct stat sb;
        name_of_file(i, name);
        m->there[i] = stat(name, &sb) == 0;
        if (!m->there[i])
            continue;
        int fd = open(name, O_RDONLY);
        m->len[i] = (size_t)sb.st_size;
        m->bytes[i] = malloc(m->len[i] + 1);
        if (fd < 0 || m->bytes[i] == NULL || read(fd, m->bytes[i], m->len[i]) != (ssize_t)m->len[i])
            err(1, "%s", name);
        (void)close(fd);
    }
}

static bool main_untouched(const struct image *m)
{
    struct stat sb;
    return stat(database, &sb) == 0 && sb.st_ino == m->main.st_ino &&
           sb.st_ctim.tv_sec == m->main.st_ctim.tv_sec &&
           sb.st_ctim.tv_nsec == m->main.st_ctim.tv_nsec;
}

/* The database gets an old time: right after a change of it a reader waits before it reads without
 * the log. */
static void image_restore(struct image *m)
{
    static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    char name[512];
    for (int i = 0; i < FILES; i++) {
        if (i == 0 && main_untouched(m))
            continue;
        name_of_file(i, name);
        (void)unlink(name);
        if (!m->there[i])
            continue;
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0640);
        if (fd < 0 || fchown(fd, owner.pw_uid, owner.pw_gid) != 0 || fchmod(fd, 0640) != 0 ||
            write(fd, m->bytes[i], m->len[i]) != (ssize_t)m->len[i] ||
            (i == 0 && (futimens(fd, old) != 0 || fstat(fd, &m->main) != 0)))
            err(1, "%s", name);
        (void)close(fd);
    }
}

/* ---- the writer ---- */

static int stops_left; /* in the writer: stops unless 0 */

static void stop_here(void)
{
    if (stops_left != 0)
        (void)raise(SIGSTOP);
}

static ssize_t stop_pwrite(int fd, const void *p, size_t n, off_t at)
{
    stop_here();
    if (n != PAGE)
        return pwrite(fd, p, n, at);
    if (pwrite(fd, p, n / 2, at) != (ssize_t)n / 2)
        return -1;
    stop_here();
    return pwrite(fd, (const char *)p + n / 2, n / 2, at + (off_t)n / 2) == (ssize_t)n / 2
               ? (ssize_t)n
               : -1;
}
static int stop_ftruncate(int fd, off_t n)
{
    stop_here();
    return ftruncate(fd, n);
}
static int stop_unlink(const char *name)
{
    stop_here();
    return unlink(name);
}
static int stop_open(const char *name, int flags, int mode)
{
    if ((flags & O_CREAT) != 0)
        stop_here();
    return open(name, flags, mode);
}

static void hook(const char *name, sqlite3_syscall_ptr fn)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (vfs->xSetSystemCall(vfs, name, fn) != SQLITE_OK)
        errx(1, "SQLite has no system call %s", name);
}

static void execute(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        errx(1, "%s: %s", sql, sqlite3_errmsg(db));
}

static const char revoke_sql[] =
    "UPDATE lease SET live = NULL, revoked_s = 1 WHERE name = 'stepped';"
    "UPDATE key SET live = NULL WHERE lease_id ="
    " (SELECT id FROM lease WHERE name = 'stepped')";

struct writer {
    const char *what;
    bool persist;
    const char *before, *after; /* the commit */
};
static const struct writer writers[] = {
    {"a plain shell", false, NULL, NULL},
    {"a shell that keeps the log and empties it", true, NULL, "PRAGMA wal_checkpoint(TRUNCATE)"},
    {"one that vacuums", true, NULL, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)"},
};

/* Writes a byte to tell_fd after the commit. */
static void run_writer(const struct writer *w, int tell_fd)
{
    int persist = 1;
    sqlite3 *db;
    if (setregid(owner.pw_gid, owner.pw_gid) != 0 || setreuid(owner.pw_uid, owner.pw_uid) != 0)
        err(1, "cannot become _tunlease");
    hook("pwrite", (sqlite3_syscall_ptr)stop_pwrite);
    hook("pwrite64", (sqlite3_syscall_ptr)stop_pwrite);
    hook("ftruncate", (sqlite3_syscall_ptr)stop_ftruncate);
    hook("unlink", (sqlite3_syscall_ptr)stop_unlink);
    hook("open", (sqlite3_syscall_ptr)stop_open);
    if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        errx(1, "%s", sqlite3_errmsg(db));
    (void)sqlite3_busy_timeout(db, 5); /* hardly waits for the reader, who may wait for it */
    if (w->persist)
        (void)sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    if (w->before != NULL)
        execute(db, w->before);
    execute(db, "BEGIN IMMEDIATE");
    execute(db, revoke_sql);
    execute(db, "COMMIT");
    if (write(tell_fd, "c", 1) != 1)
        err(1, "write");
    if (w->after != NULL)
        execute(db, w->after);
    (void)sqlite3_close(db);
    _exit(0);
}

struct writer_run {
    pid_t pid;
    int tell_fd;
    int stops; /* so far */
    bool ended, committed;
};

static void wait_for_stop(struct writer_run *r)
{
    int status;
    char byte;
    if (waitpid(r->pid, &status, WUNTRACED) != r->pid)
        err(1, "waitpid");
    r->ended = !WIFSTOPPED(status);
    r->stops++;
    if (r->ended && status != 0)
        errx(1, "the writer failed after %d stops: %#x", r->stops, (unsigned)status);
    if (read(r->tell_fd, &byte, 1) == 1)
        r->committed = true;
}

static struct writer_run start_writer(const struct writer *w)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        err(1, "pipe");
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    (void)fflush(stdout);
    struct writer_run r = {.pid = fork(), .tell_fd = fds[0]};
    if (r.pid < 0)
        err(1, "fork");
    if (r.pid == 0) {
        stops_left = -1;
        run_writer(w, fds[1]);
    }
    (void)close(fds[1]);
    wait_for_stop(&r);
    return r;
}

static void continue_to(struct writer_run *r, int stop)
{
    while (!r->ended && r->stops < stop) {
        (void)kill(r->pid, SIGCONT);
        wait_for_stop(r);
    }
}

static void end_writer(struct writer_run *r)
{
    if (!r->ended) {
        (void)kill(r->pid, SIGKILL);
        (void)waitpid(r->pid, NULL, 0);
    }
    (void)close(r->tell_fd);
}

/* ---- the reader ---- */

enum answer { LINE, NONE, TRANSIENT, FINAL };
static const char *const answer_names[] = {"admitted", "revoked", "a transient failure",
                                           "a final failure"};

/* Once the reader has opened the store, the writer continues to `stop`, and then the reader asks.
 */
struct question {
    struct writer_run *writer;
    int stop;
    bool asked, immutable, log_deleted, final;
    struct key_judgement j;
};

/* The lock of a reader without the log keeps the last process that closes the store from deleting
 * the log. */
static bool log_is_gone(const struct writer_run *r)
{
    char name[512];
    name_of_file(1, name);
    return r->ended && access(name, F_OK) != 0;
}

static enum store_rc judge_when_stopped(void *ctx, struct store *st)
{
    struct question *q = ctx;
    struct lease l = {0};
    q->immutable = q->immutable || st->immutable_fd >= 0;
    q->asked = true;
    bool gone = q->writer->ended;
    become(NULL);
    continue_to(q->writer, q->stop);
    q->log_deleted |= st->immutable_fd >= 0 && !gone && log_is_gone(q->writer);
    become(&reader);
    enum store_rc rc = store_judge_key(st, login, key.fingerprint, clock_now_s(), &q->j, &l);
    lease_release(&l);
    q->final = rc != STORE_OK && !store_failure_is_transient(st);
    return rc;
}

/* The reader opens the store at the writer's present stop, and asks at `stop`. */
static enum answer answer_at(struct writer_run *r, int stop, bool *ret_immutable,
                             char why[static STORE_ERROR_BYTES])
{
    struct question q = {.writer = r, .stop = stop};
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    become(&reader);
    enum store_rc rc = store_query(database, until_ms, judge_when_stopped, &q, why);
    *ret_immutable = q.immutable;
    if (q.log_deleted) {
        (void)snprintf(why, STORE_ERROR_BYTES, "the log was deleted during a read without it");
        become(NULL);
        return FINAL;
    }
    bool final = q.asked ? q.final : clock_monotonic_ms() < until_ms;
    become(NULL);
    if (rc == STORE_OK)
        return q.j.verdict == KEY_ADMITTED ? LINE : NONE;
    return final ? FINAL : TRANSIENT;
}

static int report(const char *state, const struct writer *w, int opened, int asked, enum answer got,
                  const char *why)
{
    if (shown++ < SHOWN)
        (void)printf("%s, %s: opened at stop %d, asked at %d: %s %s\n", state, w->what, opened,
                     asked, answer_names[got], got >= TRANSIENT ? why : "");
    return 1;
}

struct tally {
    long pairs, immutable, transient;
    int wrong;
};

static int count_stops(struct image *m, const struct writer *w)
{
    image_restore(m);
    struct writer_run r = start_writer(w);
    continue_to(&r, INT_MAX);
    end_writer(&r);
    return r.stops;
}

/* A reader that reads without the log asks at many stops, since the writer does not wait for it;
 * any other asks where it opened the store, one stop later, and after the writer has ended. */
static int next_stop(int asked, int opened, int stops, bool immutable)
{
    int next = immutable ? asked + 1 + stops / ASKS : asked == opened ? asked + 1 : stops;
    return asked == stops ? stops + 1 : next < stops ? next : stops;
}

static void try_all_pairs(const char *state, struct image *m, const struct writer *w,
                          struct tally *t)
{
    int stops = count_stops(m, w);
    bool immutable = true;
    for (int opened = 1; opened <= stops;
         opened += immutable || opened < OPENINGS ? 1 : 1 + stops / OPENINGS) {
        immutable = false;
        for (int at = opened; at <= stops; at = next_stop(at, opened, stops, immutable)) {
            char why[STORE_ERROR_BYTES] = "";
            image_restore(m);
            struct writer_run r = start_writer(w);
            continue_to(&r, opened);
            bool committed_at_open = r.committed;
            enum answer got = answer_at(&r, at, &immutable, why);
            t->pairs++;
            t->immutable += immutable;
            t->transient += got == TRANSIENT;
            if (got == FINAL || (got == LINE && committed_at_open))
                t->wrong += report(state, w, opened, at, got, why);
            end_writer(&r);
        }
    }
}

static void find_user(const char *name, struct passwd *ret)
{
    const struct passwd *pw = getpwnam(name);
    if (pw == NULL)
        errx(1, "no user %s", name);
    *ret = *pw;
}

static void remove_files(bool wal, bool shm)
{
    char name[512];
    name_of_file(1, name);
    if (wal)
        (void)unlink(name);
    name_of_file(2, name);
    if (shm)
        (void)unlink(name);
}

int main(int argc, char **argv)
{
    struct image with_log = {0}, no_log = {0}, begun = {0}, empty = {0};
    struct tally t = {0};
    if (argc != 5)
        errx(2, "usage: steps DATABASE LOGIN TYPE BASE64");
    database = argv[1];
    login = argv[2];
    const char *problem = pubkey_parse(argv[3], argv[4], &key);
    if (problem != NULL)
        errx(1, "the key %s", problem);
    find_user("_tunlease", &owner);
    find_user("_tunlease-akc", &reader);

    char wal[512];
    name_of_file(1, wal);
    image_save(&with_log);
    if (!with_log.there[1] || with_log.len[1] <= PAGE)
        errx(1, "the log must have frames");
    sqlite3 *db;
    if (sqlite3_open_v2(database, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
        errx(1, "%s", sqlite3_errmsg(db));
    execute(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close(db);
    remove_files(true, true);
    image_save(&no_log);
    begun = no_log; /* the log is its header alone, as after the death of a writer */
    begun.there[1] = begun.there[2] = true;
    begun.bytes[1] = with_log.bytes[1];
    begun.len[1] = 32;
    begun.bytes[2] = with_log.bytes[2];
    begun.len[2] = with_log.len[2];
    empty = begun; /* as tmpfiles.d makes them */
    empty.len[1] = empty.len[2] = 0;

    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        try_all_pairs("no log", &no_log, &writers[i], &t);
        try_all_pairs("a log begun", &begun, &writers[i], &t);
        try_all_pairs("an empty log", &empty, &writers[i], &t);
        try_all_pairs("a log", &with_log, &writers[i], &t);
    }
    (void)printf("%ld pairs of stops, %ld read without the log, %ld transient failures, %d wrong\n",
                 t.pairs, t.immutable, t.transient, t.wrong);
    return t.wrong == 0 && t.pairs > 0 ? 0 : 1;
}
