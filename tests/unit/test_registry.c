/* SPDX-License-Identifier: ISC */
/* The session registry: the text of its entries, its directory, its locks, and which files in it
 * are believed. */
#include "lib/session/entry.h"
#include "lib/session/narrowed.h"
#include "lib/session/registry_count.h"
#include "lib/session/registry_lock.h"
#include "lib/session/registry_read.h"
#include "lib/session/registry_remove.h"
#include "lib/session/registry_write.h"

#include "tests/unit/helpers.h"
#include "tests/unit/session_helpers.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/syscall.h>

static char *dir, *sessions, *locks;
static struct registry r;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    sessions = path_in(dir, "sessions");
    locks = path_in(dir, "lock");
    assert_int_equal(mkdir(sessions, 0750), 0);
    assert_int_equal(mkdir(locks, 0700), 0);
    assert_int_equal(registry_open(dir, true, &r), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    registry_close(&r);
    free(sessions);
    free(locks);
    temp_dir_remove(dir);
    return 0;
}

static int64_t soon(void)
{
    return clock_monotonic_ms() + slow_ms(1000);
}

/* Counts the names in a directory, temporary files included and namespace marks not. */
static size_t names_in(const char *path)
{
    size_t n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
             strstr(e->d_name, ".ns") == NULL;
    (void)closedir(d);
    return n;
}

static struct session opening_of(pid_t pid)
{
    struct session s = session_of(pid);
    s.open = false;
    s.lease_id = 0;
    s.lease[0] = '\0';
    return s;
}

/* ---- the text ---- */

static void check_same(const char *what, const struct session *a, const struct session *b)
{
    CHECK(what, a->pid == b->pid && a->start_ticks == b->start_ticks && a->open == b->open);
    CHECK(what, a->lease_id == b->lease_id && a->uid == b->uid && a->since_s == b->since_s);
    CHECK_TEXT(what, a->lease, b->lease);
    CHECK_TEXT(what, a->login, b->login);
    CHECK_TEXT(what, a->fingerprint, b->fingerprint);
    CHECK_TEXT(what, a->source, b->source);
    CHECK(what, (a->opens == NULL) == (b->opens == NULL));
    if (b->opens != NULL) {
        CHECK_TEXT(what, a->opens, b->opens);
        CHECK_TEXT(what, a->listens, b->listens);
    }
}

static void round_trip(void **state)
{
    static char opens[] = "127.0.0.1:8009,[::1]:8009", none[] = "";
    char text[REGISTRY_ENTRY_BYTES];
    struct session rows[] = {session_of(getpid()), opening_of(getpid()), session_of(getpid()),
                             session_of(getpid()), session_of(getpid())};
    (void)state;
    rows[4].lease_id = -INT64_MAX; /* a probe of leasectl verify */
    rows[0].opens = opens;
    rows[0].listens = none;
    rows[2].start_ticks = INT64_MAX;
    rows[2].lease_id = INT64_MAX;
    rows[2].since_s = INT64_MAX;
    rows[2].pid = 1 << 22;
    rows[2].uid = UINT32_MAX - 1;
    rows[3].source[0] = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct session again;
        size_t len = entry_format(&rows[i], text);
        CHECK("fits", len > 0 && len == strlen(text));
        CHECK("is an entry", entry_parse(text, len, &again) == 0);
        check_same("round trip", &again, &rows[i]);
        session_release(&again);
        for (size_t cut = 0; cut < len; cut++) /* a text that was cut off is no entry */
            if (entry_parse(text, cut, &again) == 0) {
                CHECK("cut between two lines only", text[cut - 1] == '\n');
                session_release(&again);
            }
    }
}

/* Both lists are left out if one is too long, so that no session seems to have had fewer
 * permits. */
static void long_lists(void **state)
{
    char text[REGISTRY_ENTRY_BYTES], list[REGISTRY_ENTRY_BYTES], one[] = "127.0.0.1:1";
    struct session s = session_of(getpid()), again;
    (void)state;
    size_t bare = entry_format(&s, text);
    s.opens = list;
    s.listens = one;
    size_t room = REGISTRY_ENTRY_BYTES - 1 - bare - strlen("opens \nlistens \n") - strlen(one);
    for (size_t more = 0; more <= 1; more++) {
        memset(list, 'x', room + more);
        list[room + more] = '\0';
        size_t len = entry_format(&s, text);
        assert_int_equal(len, more ? bare : REGISTRY_ENTRY_BYTES - 1);
        assert_int_equal(entry_parse(text, len, &again), 0);
        assert_true((again.opens == NULL) == (more == 1));
        assert_true((again.listens == NULL) == (more == 1));
        session_release(&again);
    }
}

#define V "v 1\n"
#define PID "pid 9\n"
#define REST "start_ticks 5\nlogin a\nuid 7\nfingerprint f\n"
#define OPEN "lease_id 3\nstate open\n"

static void no_entries(void **state)
{
    static const struct {
        const char *what, *text;
        bool is_entry;
    } rows[] = {
        {"an open one", V PID REST OPEN, true},
        {"an opening one", V PID REST, true},
        {"a later version's line", V PID REST OPEN "colour blue\n", true},
        {"its origin", V PID REST OPEN "boot_id 2f1d7f3e-6c1b-4d5e-9a55-0c3a6f0d8b11\npid_ns 1\n",
         true},
        {"a boot too long", V PID REST OPEN "boot_id 2f1d7f3e-6c1b-4d5e-9a55-0c3a6f0d8b11x\n",
         false},
        {"a namespace that is no number", V PID REST OPEN "pid_ns x\n", false},
        {"nothing", "", false},
        {"a line feed", "\n", false},
        {"no version", PID REST OPEN, false},
        {"another version", "v 2\n" PID REST OPEN, false},
        {"the version last", PID REST OPEN V, false},
        {"no line feed at the end", V PID REST "lease_id 3\nstate open", false},
        {"an empty line", V "\n" PID REST OPEN, false},
        {"a line of one word", V "pid\n" PID REST OPEN, false},
        {"no pid", V REST OPEN, false},
        {"no start", V PID "login a\nuid 7\nfingerprint f\n" OPEN, false},
        {"no login", V PID "start_ticks 5\nuid 7\nfingerprint f\n" OPEN, false},
        {"an empty login", V PID REST "login \n" OPEN, false},
        {"no uid", V PID "start_ticks 5\nlogin a\nfingerprint f\n" OPEN, false},
        {"no fingerprint", V PID "start_ticks 5\nlogin a\nuid 7\n" OPEN, false},
        {"pid 0", V "pid 0\n" REST OPEN, false},
        {"pid -1, which is everybody", V "pid -1\n" REST OPEN, false},
        {"a pid past the largest", V "pid 4194305\n" REST OPEN, false},
        {"a pid with a blank", V "pid  9\n" REST OPEN, false},
        {"a pid with a sign", V "pid +9\n" REST OPEN, false},
        {"a hexadecimal pid", V "pid 0x9\n" REST OPEN, false},
        {"uid 0", V PID REST "uid 0\n" OPEN, false},
        {"uid -1", V PID REST "uid 4294967295\n" OPEN, false},
        {"open without a lease", V PID REST "state open\n", false},
        {"a lease, but opening", V PID REST "lease_id 3\nstate opening\n", false},
        {"lease 0, open", V PID REST "lease_id 0\nstate open\n", false},
        {"another state", V PID REST "lease_id 3\nstate closed\n", false},
        {"a control character", V PID REST OPEN "source \033[2J\n", false},
        {"a blank in a name", V PID REST OPEN "lease a b\n", false},
        {"a byte past ASCII", V PID REST OPEN "lease \xc3\xa9\n", false},
        {"a number past the largest", V PID REST "since_s 9223372036854775808\n" OPEN, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct session s;
        int rc = entry_parse(rows[i].text, strlen(rows[i].text), &s);
        CHECK(rows[i].what, (rc == 0) == rows[i].is_entry);
        if (rc == 0)
            session_release(&s);
    }
    /* A NUL, a text too long, lists said twice. */
    static const char with_nul[] = V PID REST OPEN "lease a\0b\n";
    struct session s;
    assert_int_equal(entry_parse(with_nul, sizeof(with_nul) - 1, &s), -1);
    char large[REGISTRY_ENTRY_BYTES + 1];
    memset(large, 'x', sizeof(large));
    memcpy(large, V PID REST OPEN "y ", strlen(V PID REST OPEN "y "));
    large[REGISTRY_ENTRY_BYTES - 2] = '\n';
    assert_int_equal(entry_parse(large, REGISTRY_ENTRY_BYTES - 1, &s), 0);
    session_release(&s);
    large[REGISTRY_ENTRY_BYTES - 2] = 'x';
    large[REGISTRY_ENTRY_BYTES - 1] = '\n';
    assert_int_equal(entry_parse(large, REGISTRY_ENTRY_BYTES, &s), -1);
    static const char twice[] = V PID REST OPEN "opens a\nopens b\nlistens c\n";
    assert_int_equal(entry_parse(twice, sizeof(twice) - 1, &s), 0);
    CHECK_TEXT("the last one", s.opens, "b");
    session_release(&s);
}

/* ---- one session, from opening to its end ---- */

/* Counts the sessions that registry_read finds; the first of them must be of pid. */
static size_t found(int64_t lease_id, pid_t pid, bool open)
{
    struct session_list list;
    assert_int_equal(registry_read(&r, lease_id, &list), 0);
    size_t n = list.count;
    if (n > 0) {
        assert_int_equal(list.items[0].pid, pid);
        assert_int_equal(list.items[0].open, open);
        assert_int_equal(list.items[0].orphan, 0);
    }
    session_list_release(&list);
    return n;
}

static void life(void **state)
{
    struct session s = opening_of(getpid());
    struct stat st;
    char name[64];
    size_t count = 99;
    (void)state;

    mode_t before = umask(0777); /* the host program may have any */
    assert_int_equal(registry_add_opening(&r, &s, soon()), 0);
    assert_int_equal(found(0, s.pid, false), 1);
    assert_int_equal(found(17, s.pid, false), 1); /* its lease is not known yet */
    assert_int_equal(registry_count(dir, 17, &count), 0);
    assert_int_equal(count, 0); /* and so it is not counted */

    s = session_of(getpid());
    assert_int_equal(registry_open_session(&r, &s), 0);
    (void)umask(before);
    assert_int_equal(found(0, s.pid, true), 1);
    assert_int_equal(found(17, s.pid, true), 1);
    assert_int_equal(found(18, s.pid, true), 0);
    assert_int_equal(found(1, s.pid, true), 0); /* 17 begins with it */
    assert_int_equal(registry_count(dir, 17, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(names_in(sessions), 1);

    (void)snprintf(name, sizeof(name), "17.%d", (int)getpid());
    assert_int_equal(fstatat(r.sessions_fd, name, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_uid, geteuid());

    registry_remove_own(&r, 17, s.pid);
    registry_remove_own(&r, 17, s.pid);
    assert_int_equal(names_in(sessions), 0);
    assert_int_equal(found(0, s.pid, true), 0);
}

/* One session counts once, also while it has both names, and if a crash left both. */
static void two_names(void **state)
{
    struct session opening = opening_of(getpid()), open = session_of(getpid());
    (void)state;
    assert_int_equal(registry_open_session(&r, &open), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    assert_int_equal(names_in(sessions), 2);
    assert_int_equal(found(17, open.pid, true), 1);
    assert_int_equal(found(0, open.pid, true), 1);
    registry_remove_own(&r, 17, open.pid);
    assert_int_equal(names_in(sessions), 0);
}

/* Entries replace what a crash left of a process that had the same pid. */
static void over_leftovers(void **state)
{
    struct session opening = opening_of(getpid()), open = session_of(getpid());
    char name[64], *path;
    (void)state;
    (void)snprintf(name, sizeof(name), "0.%d", (int)getpid());
    path = path_in(sessions, name);
    write_text(path, "rubbish");
    free(path);
    temporary_name(r.here.pid_namespace, getpid(), name);
    assert_int_equal(symlinkat("/etc/hostname", r.sessions_fd, name), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    assert_int_equal(found(0, open.pid, false), 1);
    assert_int_equal(registry_open_session(&r, &open), 0);
    assert_int_equal(found(0, open.pid, true), 1);
    assert_int_equal(names_in(sessions), 1);
    registry_remove_own(&r, 17, open.pid);
}

/* An entry that no reader would accept is not written: nobody could find and revoke its session. */
static void unreadable_refused(void **state)
{
    struct session rows[] = {session_of(getpid()), session_of(getpid()), session_of(getpid()),
                             session_of(getpid())};
    (void)state;
    strcpy(rows[0].lease, "a b");
    strcpy(rows[1].lease, "\033[2J");
    strcpy(rows[2].login, "a\nuid 5");
    rows[3].uid = 0;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(registry_open_session(&r, &rows[i]), -1);
        assert_int_equal(errno, EINVAL);
    }
    assert_int_equal(names_in(sessions), 0);
}

/* ---- dead sessions, and forged entries ---- */

static void put(const char *name, const struct session *s)
{
    char text[REGISTRY_ENTRY_BYTES], *path = path_in(sessions, name);
    assert_true(entry_format(s, text) > 0);
    write_text(path, text);
    free(path);
}

/* Removes the entries that a reader finds dead, which must be so many. Returns how many were
 * removed. */
static size_t remove_all_dead(const struct registry *by, size_t dead)
{
    struct session_list list;
    assert_int_equal(registry_read(by, 0, &list), 0);
    assert_int_equal(list.dead_count, dead);
    size_t n = registry_remove_dead(by, &list, soon());
    session_list_release(&list);
    return n;
}

/* A reader leaves dead entries where they are. They are removed by a call of its own, under the
 * lock. */
static void dead(void **state)
{
    pid_t child = idle_child();
    struct session s = session_of(child), opening = opening_of(child);
    struct registry reader;
    struct session_list list;
    (void)state;
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    end_child(child);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(found(0, 0, false), 0);
        assert_int_equal(names_in(sessions), 2);
    }

    /* A reader that cannot lock removes nothing. */
    assert_int_equal(registry_open(dir, false, &reader), 0);
    (void)close(reader.lock_fd);
    reader.lock_fd = -1;
    assert_int_equal(remove_all_dead(&reader, 2), 0);
    registry_close(&reader);
    assert_int_equal(names_in(sessions), 2);

    /* Entries of a lease that another has locked stay; whoever has the lock can remove them. */
    int lock = registry_lock(&r, 17, soon());
    assert_true(lock >= 0);
    assert_int_equal(remove_all_dead(&r, 2), 1);
    assert_int_equal(names_in(sessions), 1);
    assert_int_equal(registry_read_open(&r, 17, soon(), &list), 0);
    assert_int_equal(registry_remove_dead_locked(&r, 18, &list, 9), 0);
    assert_int_equal(registry_remove_dead_locked(&r, 17, &list, 0), 0);
    assert_int_equal(names_in(sessions), 1);
    assert_int_equal(registry_remove_dead_locked(&r, 17, &list, 9), 1);
    session_list_release(&list);
    assert_int_equal(names_in(sessions), 0);
    (void)close(lock);
}

/* With fewer entries than sessions are allowed, no entry is opened; else each of them is judged. */
static void room(void **state)
{
    struct session mine = session_of(getpid()), dead_one = session_of(getpid());
    struct session_list list;
    char name[64];
    (void)state;
    dead_one.pid = getppid();
    dead_one.start_ticks = 1;
    (void)snprintf(name, sizeof(name), "17.%d", (int)dead_one.pid);
    assert_int_equal(registry_open_session(&r, &mine), 0);
    put(name, &dead_one);
    put("18.1", &mine);                                                 /* another lease's */
    assert_int_equal(registry_has_room(&r, 17, 3, 0, &list), SIGHT_IS); /* with no time left */
    assert_int_equal(list.count + list.dead_count, 0);
    session_list_release(&list);
    assert_int_equal(registry_has_room(&r, 17, 2, soon(), &list), SIGHT_IS);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.dead_count, 1);
    session_list_release(&list);
    assert_int_equal(registry_has_room(&r, 17, 1, soon(), &list), SIGHT_IS_NOT);
    session_list_release(&list);
    assert_int_equal(registry_has_room(&r, 17, 1, 0, &list), SIGHT_CANNOT_TELL);
    assert_int_equal(errno, ETIMEDOUT);
    registry_remove_own(&r, 17, mine.pid);
    registry_remove_own(&r, 17, dead_one.pid);
    registry_remove_own(&r, 18, 1);
}

/* registry_remove_ended removes both names of a session, but not those of a login that got its
 * pid. */
static void reused_meanwhile(void **state)
{
    struct session mine = session_of(getpid()), opening = opening_of(getpid());
    struct session older = mine;
    (void)state;
    older.origin = r.here;
    older.start_ticks--;
    assert_int_equal(registry_open_session(&r, &mine), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    for (int has_lock = 0; has_lock <= 1; has_lock++) {
        registry_remove_ended(&r, &older, has_lock != 0, soon());
        assert_int_equal(names_in(sessions), 2);
    }

    older.start_ticks++; /* that session itself, whose monitor may still be in close_session */
    int lock = registry_lock(&r, 17, soon());
    assert_true(lock >= 0);
    registry_remove_ended(&r, &older, false, clock_monotonic_ms());
    assert_int_equal(found(17, getpid(), true), 1);
    assert_int_equal(names_in(sessions), 1);
    registry_remove_ended(&r, &older, true, soon());
    assert_int_equal(names_in(sessions), 0);
    (void)close(lock);
}

/* What a login had half written when it was ended goes with its opening entry; not before, for that
 * entry's lock keeps others with its pid away. */
static void half_written(void **state)
{
    pid_t child = idle_child();
    struct session s = session_of(child), opening = opening_of(child);
    char name[REGISTRY_NAME_BYTES], *path;
    (void)state;
    temporary_name(r.here.pid_namespace, child, name);
    path = path_in(sessions, name);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    assert_int_equal(registry_open_session(&r, &s), 0);
    write_text(path, "lease 17\n");
    end_child(child);
    assert_int_equal(remove_all_dead(&r, 1), 1);
    assert_int_equal(access(path, F_OK), 0);
    assert_int_equal(unlink(path), 0);

    child = idle_child();
    opening = opening_of(child);
    free(path);
    temporary_name(r.here.pid_namespace, child, name);
    path = path_in(sessions, name);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    write_text(path, "lease 17\n");
    end_child(child);
    assert_int_equal(remove_all_dead(&r, 1), 1);
    assert_int_not_equal(access(path, F_OK), 0);
    free(path);
}

/* A reader that runs out of time fails; it does not say that there are no sessions. */
static void out_of_time(void **state)
{
    struct session s = session_of(getpid());
    struct session_list list;
    (void)state;
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(registry_read_open(&r, 17, clock_monotonic_ms(), &list), -1);
    assert_int_equal(errno, ETIMEDOUT);
    assert_int_equal(registry_read_open(&r, 17, soon(), &list), 0);
    assert_int_equal(list.count, 1);
    session_list_release(&list);
    registry_remove_own(&r, 17, s.pid);
}

/* An entry that was found dead is not removed if another login has got its pid, and so its name,
 * since. */
static void added_meanwhile(void **state)
{
    struct session s = session_of(getpid()), opening = opening_of(getpid());
    struct session_list list;
    (void)state;
    s.start_ticks--;
    opening.start_ticks--;
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    assert_int_equal(registry_read(&r, 0, &list), 0);
    assert_int_equal(list.dead_count, 2);
    s.start_ticks++;
    opening.start_ticks++;
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    assert_int_equal(registry_remove_dead(&r, &list, soon()), 0);
    session_list_release(&list);
    assert_int_equal(names_in(sessions), 2);
    registry_remove_own(&r, 17, getpid());
}

/* Newcomers do not wait for one another, but for whoever removes dead entries; and that one does
 * not wait for them. */
static void newcomers(void **state)
{
    struct session opening = opening_of(getpid());
    (void)state;
    int other = registry_lock_shared(&r, 0, soon());
    assert_true(other >= 0);
    assert_int_equal(registry_add_opening(&r, &opening, 0), 0);
    opening.start_ticks--;
    assert_int_equal(registry_add_opening(&r, &opening, 0), 0);
    assert_int_equal(remove_all_dead(&r, 1), 0);
    (void)close(other);
    int clearing = registry_lock(&r, 0, soon());
    assert_true(clearing >= 0);
    assert_int_equal(registry_add_opening(&r, &opening, 0), -1);
    assert_int_equal(errno, ETIMEDOUT);
    (void)close(clearing);
    assert_int_equal(remove_all_dead(&r, 1), 1);
}

/* The pid belongs to another process now: the entry is dead, and that process is left alone. */
static void number_of_another(void **state)
{
    pid_t child = idle_child();
    struct session s = session_of(child);
    char name[64];
    (void)state;
    (void)snprintf(name, sizeof(name), "17.%d", (int)child);
    s.start_ticks++;
    put(name, &s);
    assert_int_equal(found(0, 0, false), 0);
    s.start_ticks -= 2;
    put(name, &s);
    assert_int_equal(found(0, 0, false), 0);
    assert_int_equal(remove_all_dead(&r, 1), 1);
    assert_true(is_running(child));
    end_child(child);
}

/* ---- what cannot be told ---- */

/* One that is alive, one that is dead, and one whose monitor is dead while its group is not. */
struct three {
    pid_t live, dead, leaderless;
};

static void check_unseen(void *arg)
{
    const struct three *t = arg;
    struct session_list list;
    size_t count = 0;
    assert_int_equal(registry_read(&r, 17, &list), 0);
    assert_int_equal(list.count, 2);
    assert_int_equal(list.unseen, 2);
    for (size_t i = 0; i < list.count; i++) {
        const struct session *s = &list.items[i];
        assert_true(s->pid == t->live || s->pid == t->leaderless);
        assert_int_equal(s->sight, SESSION_UNSEEN);
        assert_int_equal(s->orphan, 0);
        assert_int_equal(s->uid, NOBODY); /* its entry was read */
        assert_true(s->unseen_why == ENOENT || s->unseen_why == EPERM || s->unseen_why == EACCES);
        CHECK_TEXT("why", session_unseen_reason(s->unseen_why), "/proc hides it (hidepid)");
    }
    assert_int_equal(list.dead_count, 1);
    assert_int_equal(list.dead[0].id.pid, t->dead);
    session_list_release(&list);
    assert_int_equal(registry_count(dir, 17, &count), 0);
    assert_int_equal(count, 2); /* every session that is not proven dead */
}

/* In a child of the monitor: changes to uid (if root runs the test), writes its pid to report_fd,
 * and stays. */
static void be_child(uid_t uid, int report_fd)
{
    if (geteuid() == 0)
        (void)!setresuid(uid, uid, uid);
    pid_t pid = getpid();
    (void)!write(report_fd, &pid, sizeof(pid));
    (void)alarm((unsigned)slow_ms(20));
    for (;;)
        (void)pause();
}

/* Starts a monitor, which leads a session and a group, and its children in the order of uids. */
static pid_t monitor_of(const uid_t uids[], size_t count, pid_t children[])
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t monitor = fork();
    if (monitor == 0) {
        (void)setsid();
        for (size_t i = 0; i < count; i++)
            if (fork() == 0)
                be_child(uids[i], fds[1]);
        for (;;)
            (void)pause();
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(read(fds[0], &children[i], sizeof(pid_t)), (ssize_t)sizeof(pid_t));
    (void)close(fds[0]);
    (void)close(fds[1]);
    return monitor;
}

static pid_t leaderless_group(uid_t uid)
{
    pid_t child;
    return monitor_of(&uid, 1, &child);
}

/* Replaces the function of libc, to count the scans of /proc. */
static unsigned scans;

DIR *opendir(const char *path)
{
    scans += strcmp(path, "/proc") == 0;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd >= 0 ? fdopendir(fd) : NULL;
}

/* Dead sessions need no scan of /proc; all sessions whose group answers need one together. */
static void one_scan(void **state)
{
    enum { DEAD = 20, LEADERLESS = 3 };
    pid_t leaders[LEADERLESS];
    struct session s = session_of(getpid());
    char name[64];
    (void)state;
    assert_int_equal(registry_open_session(&r, &s), 0);
    for (int i = 0; i < DEAD; i++) {
        s.pid = (1 << 22) - i; /* a pid that is not in use */
        (void)snprintf(name, sizeof(name), "17.%d", (int)s.pid);
        put(name, &s);
    }
    scans = 0;
    assert_int_equal(remove_all_dead(&r, DEAD), DEAD);
    assert_int_equal(scans, 0);
    for (size_t i = 0; i < LEADERLESS; i++) {
        leaders[i] = leaderless_group(NOBODY - 1);
        s = session_of(leaders[i]);
        s.uid = getuid() == 0 ? NOBODY : getuid();
        assert_int_equal(registry_open_session(&r, &s), 0);
        end_child(leaders[i]);
    }
    struct session_list list;
    assert_int_equal(registry_read(&r, 0, &list), 0);
    assert_int_equal(scans, 1);
    /* Run by root, the children are another user's, so no session is left; else all three are
     * orphans. */
    assert_int_equal(list.count, getuid() == 0 ? 1 : 1 + LEADERLESS);
    assert_int_equal(list.dead_count, getuid() == 0 ? LEADERLESS : 0);
    session_list_release(&list);
    for (size_t i = 0; i < LEADERLESS; i++)
        assert_int_equal(kill(-leaders[i], SIGKILL), 0);
    registry_remove_own(&r, 17, getpid());
}

static void unseen(void **state)
{
    struct three t = {idle_child(), idle_child(), leaderless_group(0)};
    const pid_t pids[] = {t.live, t.dead, t.leaderless};
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(chmod(sessions, 0755), 0);
    for (size_t i = 0; i < COUNT(pids); i++) {
        char name[64];
        struct session s = session_of(pids[i]);
        assert_int_equal(registry_open_session(&r, &s), 0);
        (void)snprintf(name, sizeof(name), "17.%d", (int)pids[i]);
        assert_int_equal(fchmodat(r.sessions_fd, name, 0644, 0), 0);
    }
    end_child(t.dead);
    end_child(t.leaderless);
    for (int hidepid = 1; hidepid <= 4; hidepid *= 2)
        under_hidepid(hidepid, check_unseen, &t);
    assert_int_equal(kill(-t.leaderless, SIGKILL), 0);
    end_child(t.live);
    WAIT_UNTIL("the group is gone", process_group_answers(t.leaderless) == SIGHT_IS_NOT);
    assert_int_equal(remove_all_dead(&r, 3), 3);
}

/* Two containers that share RunDir use the same pids. The entry of one is not overwritten by the
 * other, because its session could not write it again. */
static void same_number_elsewhere(void **state)
{
    struct session mine = session_of(getpid()), opening = opening_of(getpid());
    struct registry other = r;
    struct session_list list;
    (void)state;
    other.here.pid_namespace++;
    assert_int_equal(registry_open_session(&other, &mine), 0);
    assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
    assert_int_equal(registry_open_session(&r, &mine), -1);
    assert_int_equal(errno, EEXIST);
    registry_remove_own(&r, 17, mine.pid);
    assert_int_equal(names_in(sessions), 1);
    assert_int_equal(registry_read(&other, 17, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].sight, SESSION_LIVE);
    session_list_release(&list);
    registry_remove_own(&other, 17, mine.pid);
    assert_int_equal(names_in(sessions), 0);
    assert_int_equal(registry_open_session(&r, &mine), 0);
    registry_remove_own(&r, 17, mine.pid);
}

/* A pid that is unused here may be in use in another namespace, if that one has made entries. */
static void numbers_of_another(void **state)
{
    struct session s = session_of(getpid());
    struct session_list list;
    char mark[64], other[64];
    (void)state;
    (void)snprintf(mark, sizeof(mark), ".%" PRIu64 ".ns", r.here.pid_namespace);
    (void)snprintf(other, sizeof(other), ".%" PRIu64 ".ns", r.here.pid_namespace + 1);
    assert_int_equal(faccessat(r.sessions_fd, mark, F_OK, 0), -1);
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(faccessat(r.sessions_fd, mark, F_OK, 0), 0);
    registry_remove_own(&r, 17, s.pid);

    s.pid = 1 << 22; /* the largest, which the kernel gives to nobody */
    s.origin = r.here;
    s.origin.pid_namespace++;
    put("17.4194304", &s);
    for (int marks = 0; marks < 3; marks++) { /* none, both, ours */
        if (marks == 0)
            assert_int_equal(unlinkat(r.sessions_fd, mark, 0), 0);
        if (marks == 1) {
            assert_int_equal(symlinkat("x", r.sessions_fd, mark), 0);
            assert_int_equal(symlinkat("x", r.sessions_fd, other), 0);
        }
        if (marks == 2)
            assert_int_equal(unlinkat(r.sessions_fd, other, 0), 0);
        assert_int_equal(registry_read(&r, 17, &list), 0);
        assert_int_equal(list.unseen, marks < 2);
        assert_int_equal(list.dead_count, marks == 2);
        assert_int_equal(registry_remove_dead(&r, &list, soon()), 0); /* which opens it */
        session_list_release(&list);
    }
}

static void check_no_room(void *arg)
{
    struct session_list list;
    (void)arg;
    assert_int_equal(registry_read(&r, 0, &list), -1);
    assert_int_equal(errno, EMFILE);
}

static void check_some_room(void *arg)
{
    struct session_list list;
    (void)arg;
    assert_int_equal(registry_read(&r, 0, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].sight, SESSION_LIVE);
    session_list_release(&list);
}

/* Without descriptors no session is taken for dead, whichever step lacks one. */
static void no_room(void **state)
{
    struct session s = session_of(getpid());
    (void)state;
    assert_int_equal(registry_open_session(&r, &s), 0);
    apart(leave_room, 0, check_no_room, NULL);
    apart(leave_room, 1, check_no_room, NULL);
    apart(leave_room, 2, check_some_room, NULL);
    registry_remove_own(&r, 17, s.pid);
}

/* An entry that the reader may not read. */
static void unreadable(void **state)
{
    struct session_list list;
    struct session s = session_of(getpid());
    char name[64];
    (void)state;
    (void)snprintf(name, sizeof(name), "17.%d", (int)getpid());
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(fchmodat(r.sessions_fd, name, 0, 0), 0);
    if (geteuid() == 0)
        assert_int_equal(seteuid(NOBODY), 0);
    int rc = registry_read(&r, 17, &list);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(rc, 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.unseen, 1);
    assert_int_equal(list.unseen_why, EACCES);
    assert_true(list.items[0].open && list.items[0].lease_id == 17);
    assert_int_equal(list.items[0].pid, getpid());
    session_list_release(&list);
    registry_remove_own(&r, 17, s.pid);
}

/* Entries say in which boot and namespace their pid is valid, and are judged by that. */
static void origins(void **state)
{
    static const char other_boot[] = "00000000-1111-2222-3333-444444444444";
    const int64_t now_s = clock_now_s(), before_boot_s = now_s - clock_boot_ms() / 1000 - 100;
    const struct {
        const char *what;
        bool other_boot, other_namespace, unknown;
        int64_t since_s;
        enum { SEEN, NOT_SEEN, GONE } found;
    } rows[] = {
        {"ours", false, false, false, now_s, SEEN},
        {"an older version's", false, false, true, now_s, SEEN},
        {"of another boot", true, false, false, before_boot_s, GONE},
        {"ours, by another mount of /proc", true, false, false, now_s, SEEN},
        {"of another namespace", false, true, false, now_s, NOT_SEEN},
        {"of a container that calls its boot otherwise", true, true, false, now_s, NOT_SEEN},
        {"of another boot's container", true, true, false, before_boot_s, GONE},
    };
    char name[64];
    (void)state;
    (void)snprintf(name, sizeof(name), "17.%d", (int)getpid());
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct session s = session_of(getpid());
        struct session_list list;
        s.since_s = rows[i].since_s;
        if (!rows[i].unknown)
            s.origin = r.here;
        if (rows[i].other_boot)
            strcpy(s.origin.boot_id, other_boot);
        s.origin.pid_namespace += rows[i].other_namespace;
        put(name, &s);
        CHECK(rows[i].what, registry_read(&r, 17, &list) == 0);
        CHECK(rows[i].what, list.count == (rows[i].found != GONE));
        CHECK(rows[i].what, list.dead_count == (rows[i].found == GONE));
        CHECK(rows[i].what, list.unseen == (rows[i].found == NOT_SEEN));
        if (rows[i].found == NOT_SEEN)
            CHECK(rows[i].what, list.items[0].unseen_why == EXDEV);
        (void)registry_remove_dead(&r, &list, soon());
        CHECK(rows[i].what, names_in(sessions) == (rows[i].found != GONE));
        session_list_release(&list);
    }
    /* An entry that is written names our own. */
    struct session s = session_of(getpid());
    struct session_list list;
    assert_int_equal(registry_open_session(&r, &s), 0);
    assert_int_equal(registry_read(&r, 17, &list), 0);
    assert_int_equal(strlen(r.here.boot_id), 36);
    CHECK_TEXT("boot", list.items[0].origin.boot_id, r.here.boot_id);
    assert_true(r.here.pid_namespace != 0);
    assert_true(list.items[0].origin.pid_namespace == r.here.pid_namespace);
    session_list_release(&list);
    registry_remove_own(&r, 17, getpid());
}

static void forged(void **state)
{
    struct session s = session_of(getpid());
    char name[64], right[64], *path;
    (void)state;
    (void)snprintf(right, sizeof(right), "17.%d", (int)getpid());

    static const char *const names[] = {"17.1",
                                        "18.%d",
                                        "0.%d",
                                        "017.%d",
                                        "17.0%d",
                                        "17.+%d",
                                        "17. %d",
                                        "17.%d.1",
                                        "17.%d ",
                                        "-17.%d",
                                        ".17.%d",
                                        "+17.%d",
                                        "17",
                                        "17.",
                                        "x.%d",
                                        "99999999999999999999.%d",
                                        "17.9%d99999999"};
    for (size_t i = 0; i < COUNT(names); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        (void)snprintf(name, sizeof(name), names[i], (int)getpid());
#pragma GCC diagnostic pop
        put(name, &s);
        CHECK(names[i], found(0, s.pid, true) == 0);
        assert_int_equal(unlinkat(r.sessions_fd, name, 0), 0);
    }

    /* Not a regular file of the directory's owner. */
    path = path_in(sessions, right);
    put("elsewhere", &s);
    assert_int_equal(symlinkat("elsewhere", r.sessions_fd, right), 0);
    assert_int_equal(found(0, 0, true), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(found(0, 0, true), 0); /* and it does not wait for a writer */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(found(0, 0, true), 0);
    assert_int_equal(rmdir(path), 0);
    if (geteuid() == 0) {
        put(right, &s);
        assert_int_equal(chown(path, NOBODY, 0), 0);
        assert_int_equal(found(0, 0, true), 0);
        assert_int_equal(unlink(path), 0);
    }

    /* Larger than any entry; and then the true one, to show that the others were refused for their
     * faults. */
    put(right, &s);
    FILE *f = fopen(path, "ae");
    for (size_t i = 0; i < REGISTRY_ENTRY_BYTES / 4; i++)
        (void)fputs("x y\n", f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(found(0, 0, true), 0);
    put(right, &s);
    assert_int_equal(found(0, s.pid, true), 1);
    free(path);
}

/* The monitor was killed: its child is a session until it ends. */
static void check_orphan(uid_t uid)
{
    struct session_list list;
    pid_t child;
    pid_t monitor = monitor_of(&uid, 1, &child);
    struct session s = session_of(monitor);
    s.uid = getuid() == 0 ? NOBODY : getuid();
    assert_int_equal(registry_open_session(&r, &s), 0);
    end_child(monitor);
    assert_int_equal(registry_read(&r, 17, &list), 0);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].orphan, child);
    assert_int_equal(registry_remove_dead(&r, &list, soon()), 0);
    session_list_release(&list);
    assert_int_equal(kill(child, SIGKILL), 0);
    WAIT_UNTIL("the child is dead", !is_running(child));
    assert_int_equal(found(17, monitor, true), 0);
    assert_int_equal(remove_all_dead(&r, 1), 1);
    assert_int_equal(names_in(sessions), 0);
}

static void orphan(void **state)
{
    (void)state;
    check_orphan(NOBODY);
}

/* A child that was born as the monitor died still runs as root. */
static void orphan_of_root(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    check_orphan(0);
}

/* A process of root's in the same session, such as a PAM module's helper, is not taken for the
 * orphan: it has no sockets. */
static void orphan_next_to_root(void **state)
{
    static const uid_t orders[][2] = {{0, NOBODY}, {NOBODY, 0}};
    (void)state;
    if (geteuid() != 0)
        skip();
    for (size_t i = 0; i < COUNT(orders); i++) {
        struct session_list list;
        pid_t said[2];
        struct process p;
        pid_t monitor = monitor_of(orders[i], 2, said);
        struct session s = session_of(monitor);
        assert_int_equal(registry_open_session(&r, &s), 0);
        end_child(monitor);
        assert_int_equal(registry_read(&r, 17, &list), 0);
        assert_int_equal(list.count, 1);
        assert_int_equal(process_read(list.items[0].orphan, &p), SIGHT_IS);
        assert_int_equal(p.uid, NOBODY);
        session_list_release(&list);
        assert_int_equal(kill(-monitor, SIGKILL), 0);
        WAIT_UNTIL("the group is gone", process_group_answers(monitor) == SIGHT_IS_NOT);
        assert_int_equal(remove_all_dead(&r, 1), 1);
    }
}

/* The record of a narrowing applies to logins that began before it, in its boot. */
static void narrowed(void **state)
{
    static const char other_boot[] = "00000000-1111-2222-3333-444444444444";
    const time_t before_boot = clock_now_s() - clock_boot_ms() / 1000 - 100;
    char text[80], *path = path_in(locks, "17.narrowed");
    (void)state;
    assert_false(narrowed_or_unknown_since(&r, 17, 5));
    assert_int_equal(narrowed_record(&r, 17, 100, soon()), 0);
    assert_true(narrowed_or_unknown_since(&r, 17, 100));
    assert_false(narrowed_or_unknown_since(&r, 17, 101));
    const struct {
        const char *text, *boot;
        bool is_old, applies;
    } rows[] = {
        {"100\n", "", false, true}, /* an older version's */
        {"100\n", "", true, true},          {"100\n", r.here.boot_id, true, true},
        {"100\n", other_boot, false, true}, /* a container's, which calls its boot otherwise */
        {"100\n", other_boot, true, false}, {"100", "", false, true}, /* not whole */
        {"x\n", "", false, true},           {"", "", false, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct timespec times[] = {{.tv_sec = before_boot}, {.tv_sec = before_boot}};
        (void)snprintf(text, sizeof(text), "%s%s%s", rows[i].text, rows[i].boot,
                       rows[i].boot[0] != '\0' ? "\n" : "");
        write_text(path, text);
        if (rows[i].is_old)
            assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        CHECK(text, narrowed_or_unknown_since(&r, 17, 100) == rows[i].applies);
    }
    free(path);
}

/* ---- directories that are trusted ---- */

static void directories(void **state)
{
    static const mode_t unsafe[] = {0770, 0707, 0722, 0777, 01777};
    struct registry again;
    char *paths[] = {dir, sessions, locks};
    size_t count;
    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct stat st;
        assert_int_equal(stat(paths[i], &st), 0);
        for (size_t j = 0; j < COUNT(unsafe); j++) {
            assert_int_equal(chmod(paths[i], unsafe[j]), 0);
            assert_int_equal(registry_open(dir, true, &again), -1);
            assert_int_equal(errno, EPERM);
        }
        assert_int_equal(chmod(paths[i], st.st_mode & 07777), 0);
        if (geteuid() == 0) {
            assert_int_equal(chown(paths[i], NOBODY, (gid_t)-1), 0);
            assert_int_equal(registry_open(dir, true, &again), -1);
            assert_int_equal(errno, EPERM);
            assert_int_equal(chown(paths[i], 0, (gid_t)-1), 0);
        }
        if (paths[i] != dir) { /* a link, to what would be good */
            char *kept = path_in(dir, "kept");
            assert_int_equal(rename(paths[i], kept), 0);
            assert_int_equal(registry_open(dir, true, &again), -1);
            assert_int_equal(symlink("kept", paths[i]), 0);
            assert_int_equal(registry_open(dir, true, &again), -1);
            assert_int_equal(unlink(paths[i]), 0);
            assert_int_equal(rename(kept, paths[i]), 0);
            free(kept);
        }
        assert_int_equal(registry_open(dir, true, &again), 0);
        registry_close(&again);
    }
    /* Readers need no lock/. And a registry that cannot be read is not an empty one. */
    assert_int_equal(rmdir(locks), 0);
    assert_int_equal(registry_open(dir, true, &again), -1);
    assert_int_equal(registry_count(dir, 17, &count), 0);
    assert_int_equal(mkdir(locks, 0700), 0);
    assert_int_equal(rmdir(sessions), 0);
    assert_int_equal(registry_count(dir, 17, &count), -1);
    assert_int_equal(mkdir(sessions, 0750), 0);
    assert_int_equal(registry_count("/nonexistent", 17, &count), -1);
}

/* ---- locks ---- */

/* Replaces the function of libc: between openat(2) and flock(2) somebody removes the lock file. */
static int remove_before_flock;

int flock(int fd, int operation)
{
    if (remove_before_flock > 0) {
        remove_before_flock--;
        assert_int_equal(unlinkat(r.lock_fd, "17", 0), 0);
    }
    return (int)syscall(SYS_flock, fd, operation);
}

static void lock_removed_meanwhile(void **state)
{
    struct stat by_name, by_fd;
    (void)state;
    remove_before_flock = 3;
    int lock = registry_lock(&r, 17, soon());
    assert_true(lock >= 0);
    assert_int_equal(remove_before_flock, 0);
    assert_int_equal(fstatat(r.lock_fd, "17", &by_name, 0), 0);
    assert_int_equal(fstat(lock, &by_fd), 0);
    assert_int_equal(by_fd.st_ino, by_name.st_ino); /* the next one waits for this lock */
    assert_int_equal(registry_lock(&r, 17, 0), -1);
    assert_int_equal(close(lock), 0);
}

static void one_lock_holder(void **state)
{
    (void)state;
    int lock = registry_lock(&r, 17, soon());
    assert_true(lock >= 0);
    int64_t before_ms = clock_monotonic_ms();
    assert_int_equal(registry_lock(&r, 17, before_ms + 50), -1);
    assert_int_equal(errno, ETIMEDOUT);
    int64_t waited_ms = clock_monotonic_ms() - before_ms;
    assert_true(waited_ms >= 50 && waited_ms < slow_ms(500));
    assert_int_equal(fcntl(lock, F_GETFD), FD_CLOEXEC);

    int other = registry_lock(&r, 18, 0); /* another lease's is free */
    assert_true(other >= 0);
    registry_remove_lock_file(&r, 17); /* not while it is held */
    assert_int_equal(names_in(locks), 2);
    (void)close(lock);
    (void)close(other);
    registry_remove_lock_file(&r, 17);
    registry_remove_lock_file(&r, 18);
    assert_int_equal(names_in(locks), 0);

    assert_int_equal(symlinkat("/tmp", r.lock_fd, "17"), 0);
    assert_int_equal(registry_lock(&r, 17, soon()), -1);
    assert_int_equal(unlinkat(r.lock_fd, "17", 0), 0);
}

enum { RACERS = 4, RACE_MS = 400 };
static atomic_int holders, most, turns;

static void *lock_and_remove(void *arg)
{
    int64_t end_ms = clock_monotonic_ms() + slow_ms(RACE_MS);
    while (clock_monotonic_ms() < end_ms) {
        if (arg != NULL) {
            registry_remove_lock_file(&r, 17);
            continue;
        }
        int lock = registry_lock(&r, 17, end_ms);
        if (lock < 0)
            continue;
        int now = atomic_fetch_add(&holders, 1) + 1;
        if (now > most)
            most = now;
        turns++;
        (void)sched_yield();
        atomic_fetch_sub(&holders, 1);
        (void)close(lock);
    }
    return NULL;
}

/* The lock file is removed all the time, and still two never have the lock of lease 17. */
static void lock_against_removal(void **state)
{
    pthread_t threads[RACERS + 1];
    static char removes;
    (void)state;
    for (size_t i = 0; i <= RACERS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, lock_and_remove, i == RACERS ? &removes : NULL), 0);
    for (size_t i = 0; i <= RACERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(most, 1);
    assert_true(turns > 20);
}

/* A reader always finds one session, and never two, while it changes its name all the time. */
static atomic_bool is_reopening;

static void *reopen_for_ever(void *unused)
{
    struct session opening = opening_of(getpid()), open = session_of(getpid());
    (void)unused;
    while (is_reopening) {
        assert_int_equal(registry_add_opening(&r, &opening, soon()), 0);
        assert_int_equal(registry_open_session(&r, &open), 0);
    }
    return NULL;
}

static void read_while_opening(void **state)
{
    struct session open = session_of(getpid());
    pthread_t thread;
    (void)state;
    assert_int_equal(registry_open_session(&r, &open), 0);
    is_reopening = true;
    assert_int_equal(pthread_create(&thread, NULL, reopen_for_ever, NULL), 0);
    int64_t end_ms = clock_monotonic_ms() + slow_ms(RACE_MS);
    while (clock_monotonic_ms() < end_ms) {
        struct session_list list;
        assert_int_equal(registry_read(&r, 17, &list), 0);
        assert_int_equal(list.count, 1);
        session_list_release(&list);
    }
    is_reopening = false;
    assert_int_equal(pthread_join(thread, NULL), 0);
    registry_remove_own(&r, 17, open.pid);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(long_lists),
        cmocka_unit_test(no_entries),
        TEST(life),
        TEST(two_names),
        TEST(over_leftovers),
        TEST(unreadable_refused),
        TEST(dead),
        TEST(room),
        TEST(reused_meanwhile),
        TEST(half_written),
        TEST(out_of_time),
        TEST(added_meanwhile),
        TEST(newcomers),
        TEST(number_of_another),
        TEST(one_scan),
        TEST(unseen),
        TEST(same_number_elsewhere),
        TEST(numbers_of_another),
        TEST(no_room),
        TEST(unreadable),
        TEST(origins),
        TEST(forged),
        TEST(orphan),
        TEST(orphan_of_root),
        TEST(orphan_next_to_root),
        TEST(narrowed),
        TEST(directories),
        TEST(lock_removed_meanwhile),
        TEST(one_lock_holder),
        TEST(lock_against_removal),
        TEST(read_while_opening),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
