/* SPDX-License-Identifier: ISC */
/* Which live sessions may stay: for each verdict also a session that is allowed. */
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"
#include "lib/store/session_verdict.h"
#include "lib/store/store.h"

#include "lib/lease/lease.h"
#include "lib/session/session_list.h"
#include "lib/store/transaction.h"

#include "tests/unit/helpers.h"
#include "tests/unit/store_helpers.h"

#include <bsd/string.h>

enum { SESSIONS_MAX = 8 };

/* ---- sessions without processes ---- */

struct live {
    struct session items[SESSIONS_MAX];
    enum session_verdict verdicts[SESSIONS_MAX];
    struct session_list list;
    int64_t next_s; /* the next end of a lease among the sessions that may stay */
};

static void add_session(struct live *l, pid_t pid, int64_t lease_id, const char *login,
                        unsigned char key)
{
    struct session *s = &l->items[l->list.count++];
    *s = (struct session){.pid = pid,
                          .start_ticks = (uint64_t)pid,
                          .open = lease_id != 0,
                          .lease_id = lease_id,
                          .uid = 1000,
                          .source = "192.0.2.7",
                          .since_s = NOW_S};
    (void)strlcpy(s->login, login, sizeof(s->login));
    (void)strlcpy(s->fingerprint, key_number(key).fingerprint, sizeof(s->fingerprint));
    l->list.items = l->items;
}

static void judge_at(struct live *l, int64_t now_s)
{
    struct store *st = open_store();
    assert_int_equal(store_judge_sessions(st, &l->list, now_s, l->verdicts, &l->next_s), STORE_OK);
    store_close(st);
}

/* The verdict on the session with this pid. */
static enum session_verdict of(const struct live *l, pid_t pid)
{
    for (size_t i = 0; i < l->list.count; i++)
        if (l->items[i].pid == pid)
            return l->verdicts[i];
    fail_msg("no session of %d", (int)pid);
    return SESSION_NOT_JUDGED;
}

#define CHECK_VERDICT(l, pid, want)                                                                \
    check_text(#pid " of " #l, session_verdict_name(of(l, pid)), session_verdict_name(want),       \
               __FILE__, __LINE__)

/* Changes one lease in its own transaction. */
enum change { REVOKE, REVOKE_KEEP, DELETE_LEASE };

static void change(int64_t id, enum change what)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    struct lease l = {0};
    assert_int_equal(store_lease_by_id(st, id, &l), STORE_OK);
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = what == DELETE_LEASE ? store_lease_delete(st, &l, false, &by)
                                            : store_lease_revoke(st, &l, what == REVOKE_KEEP, &by);
    assert_int_equal(rc, STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    lease_release(&l);
    store_close(st);
}

static int64_t grant_lease(const char *name, unsigned char key, const char *open,
                           const char *listen)
{
    struct store *st = open_store();
    int64_t id = grant(st, name, "pfwd", key, open, listen);
    store_close(st);
    return id;
}

/* ---- verdicts ---- */

static void ended_leases(void **state)
{
    struct live l = {.list.count = 0};
    int64_t keep = grant_lease("keep", 1, "127.0.0.1:1", "");
    int64_t revoked = grant_lease("revoked", 2, "127.0.0.1:1", "");
    int64_t kept = grant_lease("kept", 3, "127.0.0.1:1", "");
    int64_t gone = grant_lease("gone", 4, "127.0.0.1:1", "");
    (void)state;
    change(revoked, REVOKE);
    change(kept, REVOKE_KEEP);
    change(gone, REVOKE);
    change(gone, DELETE_LEASE);
    add_session(&l, 11, keep, "pfwd", 1);
    add_session(&l, 12, revoked, "pfwd", 2);
    add_session(&l, 13, kept, "pfwd", 3);
    add_session(&l, 14, gone, "pfwd", 4);
    add_session(&l, 15, 4711, "pfwd", 1);      /* no such lease */
    add_session(&l, 16, keep, "gw-tunnel", 1); /* another login than the lease's */
    add_session(&l, 17, keep, "pfwd", 2);      /* a key that the lease does not have */

    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 11, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 12, SESSION_REVOKED);
    CHECK_VERDICT(&l, 13, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 14, SESSION_DELETED);
    CHECK_VERDICT(&l, 15, SESSION_DELETED);
    CHECK_VERDICT(&l, 16, SESSION_NOT_JUDGED);
    CHECK_VERDICT(&l, 17, SESSION_KEY_REMOVED);

    assert_int_equal(l.next_s, NOW_S + 3600);
    judge_at(&l, NOW_S + 3599);
    CHECK_VERDICT(&l, 11, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 13, SESSION_ALLOWED);
    judge_at(&l, NOW_S + 3600);
    assert_int_equal(l.next_s, INT64_MAX);
    CHECK_VERDICT(&l, 11, SESSION_EXPIRED);
    CHECK_VERDICT(&l, 13, SESSION_REVOKED); /* kept until the lease would have expired */
}

static void frozen(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct live l = {.list.count = 0};
    struct store *st = open_store();
    int64_t one = grant(st, "one", "pfwd", 1, "127.0.0.1:1", "");
    int64_t other = grant(st, "other", "gw-tunnel", 2, "127.0.0.1:1", "");
    int64_t kept = grant(st, "kept", "pfwd", 3, "127.0.0.1:1", "");
    (void)state;
    change(kept, REVOKE_KEEP);
    add_session(&l, 11, one, "pfwd", 1);
    add_session(&l, 12, other, "gw-tunnel", 2);
    add_session(&l, 13, kept, "pfwd", 3);
    add_session(&l, 14, 0, "pfwd", 1); /* opening */

    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_freeze(st, "pfwd", &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 11, SESSION_FROZEN);
    CHECK_VERDICT(&l, 12, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 13, SESSION_FROZEN);
    CHECK_VERDICT(&l, 14, SESSION_FROZEN);

    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_thaw(st, "pfwd", &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 11, SESSION_ALLOWED);

    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_freeze(st, "*", &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    judge_at(&l, NOW_S);
    for (pid_t pid = 11; pid <= 14; pid++)
        CHECK_VERDICT(&l, pid, SESSION_FROZEN);
    store_close(st);
}

/* An agent of which a copy was seen: alone, whatever else its login has. */
static void frozen_alone(void **state)
{
    struct live l = {.list.count = 0};
    struct store *st = open_store();
    struct key_judgement j;
    struct lease lease = {0};
    const struct pubkey key = key_number(1);
    int64_t one = grant(st, "one", "gw-tunnel", 1, "127.0.0.1:1", "");
    int64_t other = grant(st, "other", "gw-tunnel", 2, "127.0.0.1:1", "");
    (void)state;
    add_session(&l, 11, one, "gw-tunnel", 1);
    add_session(&l, 12, other, "gw-tunnel", 2);
    add_session(&l, 13, 0, "gw-tunnel", 1); /* opening */
    for (int frozen = 1; frozen >= 0; frozen--) {
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_agent_freeze(st, one, frozen), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
        judge_at(&l, NOW_S);
        CHECK_VERDICT(&l, 11, frozen ? SESSION_FROZEN : SESSION_ALLOWED);
        CHECK_VERDICT(&l, 12, SESSION_ALLOWED);
        CHECK_VERDICT(&l, 13, frozen ? SESSION_FROZEN : SESSION_ALLOWED);
        assert_int_equal(store_judge_key(st, "gw-tunnel", key.fingerprint, NOW_S, &j, &lease),
                         STORE_OK);
        lease_release(&lease);
        assert_int_equal(j.verdict, frozen ? KEY_FROZEN : KEY_ADMITTED);
        if (frozen)
            assert_true(j.history.is_copied && strcmp(j.history.lease, "one") == 0);
    }
    store_close(st);
}

/* Sessions that have no lease yet are judged by login and key, as akc would answer. */
static void opening(void **state)
{
    struct live l = {.list.count = 0};
    struct store *st = open_store();
    int64_t revoked = grant(st, "revoked", "pfwd", 2, "127.0.0.1:1", "");
    (void)state;
    grant(st, "alice", "pfwd", 1, "127.0.0.1:1", "");
    grant(st, "other", "gw-tunnel", 3, "127.0.0.1:1", "");
    store_close(st);
    change(revoked, REVOKE);
    add_session(&l, 11, 0, "pfwd", 1);
    add_session(&l, 12, 0, "pfwd", 2);
    add_session(&l, 13, 0, "pfwd", 3);
    add_session(&l, 14, 0, "pfwd", 4);
    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 11, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 12, SESSION_REVOKED);
    CHECK_VERDICT(&l, 13, SESSION_DELETED);
    CHECK_VERDICT(&l, 14, SESSION_DELETED);
    judge_at(&l, NOW_S + 3600);
    CHECK_VERDICT(&l, 11, SESSION_EXPIRED);
}

static void from(void **state)
{
    static const struct {
        const char *from, *source;
        enum session_verdict verdict;
    } rows[] = {
        {NULL, "192.0.2.7", SESSION_ALLOWED},
        {NULL, "", SESSION_ALLOWED},
        {"192.0.2.0/24", "192.0.2.7", SESSION_ALLOWED},
        {"192.0.2.0/24", "::ffff:192.0.2.7", SESSION_ALLOWED},
        {"192.0.2.0/24", "192.0.3.7", SESSION_FROM},
        {"192.0.2.0/24", "2001:db8::1", SESSION_FROM},
        {"192.0.2.0/24", "", SESSION_FROM},
        {"192.0.2.0/24,2001:db8::/32", "2001:db8::1", SESSION_ALLOWED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct live l = {.list.count = 0};
        struct store_conflict conflict;
        struct store *st = open_store();
        char name[16];
        int64_t id = 0;
        (void)snprintf(name, sizeof(name), "lease%zu", i);
        struct lease lease = make_lease(name, "pfwd", (unsigned char)(i + 1), "127.0.0.1:1", "");
        if (rows[i].from != NULL)
            assert_null(source_list_parse(rows[i].from, &lease.from));
        assert_int_equal(add_at(st, &lease, NOW_S, &id, &conflict), STORE_OK);
        lease_release(&lease);
        store_close(st);
        add_session(&l, 11, id, "pfwd", (unsigned char)(i + 1));
        (void)strlcpy(l.items[0].source, rows[i].source, sizeof(l.items[0].source));
        judge_at(&l, NOW_S);
        CHECK_TEXT(rows[i].source, session_verdict_name(of(&l, 11)),
                   session_verdict_name(rows[i].verdict));
    }
}

/* The permits that the lease has now, next to those that the registry entry records. */
static void narrowed(void **state)
{
    static const struct {
        const char *what, *open, *listen, *opens, *listens;
        enum session_verdict verdict;
    } rows[] = {
        {"the same", "127.0.0.1:1", "", "127.0.0.1:1", "", SESSION_ALLOWED},
        {"widened", "127.0.0.1:1 127.0.0.1:2", "", "127.0.0.1:1", "", SESSION_ALLOWED},
        {"one of two removed", "127.0.0.1:1", "", "127.0.0.1:1,127.0.0.1:2", "", SESSION_NARROWED},
        {"another one", "127.0.0.1:1", "", "127.0.0.1:2", "", SESSION_NARROWED},
        {"the last one removed", "", "127.0.0.1:20001", "127.0.0.1:1", "127.0.0.1:20001",
         SESSION_NARROWED},
        {"nothing to open then, something now", "127.0.0.1:1", "127.0.0.1:20002", "",
         "127.0.0.1:20002", SESSION_ALLOWED},
        {"a range, and a part of it then", "127.0.0.1:10-20", "", "127.0.0.1:12-14", "",
         SESSION_ALLOWED},
        {"a range, and one port then", "127.0.0.1:10-20", "", "127.0.0.1:10,127.0.0.1:20", "",
         SESSION_ALLOWED},
        {"a range cut by one at its end", "127.0.0.1:10-19", "", "127.0.0.1:10-20", "",
         SESSION_NARROWED},
        {"a range cut by one at its start", "127.0.0.1:11-20", "", "127.0.0.1:10-20", "",
         SESSION_NARROWED},
        {"another host", "127.0.0.1:1", "", "127.0.0.2:1", "", SESSION_NARROWED},
        {"listen permit taken", "127.0.0.1:1", "127.0.0.1:20003", "127.0.0.1:1",
         "127.0.0.1:20003,127.0.0.1:20004", SESSION_NARROWED},
        {"listen permit added", "127.0.0.1:1", "127.0.0.1:20005 127.0.0.1:20006", "127.0.0.1:1",
         "127.0.0.1:20005", SESSION_ALLOWED},
        {"what may be opened is not what may be bound", "127.0.0.1:1", "127.0.0.1:20007",
         "127.0.0.1:20007", "127.0.0.1:1", SESSION_NARROWED},
        {"unreadable", "127.0.0.1:1", "", "127.0.0.1:1,", "", SESSION_NARROWED},
        {"rubbish", "127.0.0.1:1", "", "everything", "", SESSION_NARROWED},
        {"too long for an entry", "127.0.0.1:1", "", NULL, NULL, SESSION_ALLOWED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct live l = {.list.count = 0};
        char name[16];
        (void)snprintf(name, sizeof(name), "lease%zu", i);
        int64_t id = grant_lease(name, (unsigned char)(i + 1), rows[i].open, rows[i].listen);
        add_session(&l, 11, id, "pfwd", (unsigned char)(i + 1));
        l.items[0].opens = rows[i].opens != NULL ? strdup(rows[i].opens) : NULL;
        l.items[0].listens = rows[i].listens != NULL ? strdup(rows[i].listens) : NULL;
        judge_at(&l, NOW_S);
        CHECK_TEXT(rows[i].what, session_verdict_name(of(&l, 11)),
                   session_verdict_name(rows[i].verdict));
        session_release(&l.items[0]);
    }
}

static void max_sessions(void **state)
{
    struct live l = {.list.count = 0};
    struct store_conflict conflict;
    struct store *st = open_store();
    int64_t limited = 0, other = 0;
    (void)state;
    struct lease lease = make_lease("limited", "pfwd", 1, "127.0.0.1:1", "");
    lease.max_sessions = 2;
    assert_int_equal(add_at(st, &lease, NOW_S, &limited, &conflict), STORE_OK);
    lease_release(&lease);
    other = grant(st, "other", "pfwd", 2, "127.0.0.1:1", "");
    store_close(st);

    /* Neither the list nor the pids are in order of age: the oldest first, they are 14, 12, 13. */
    add_session(&l, 13, limited, "pfwd", 1);
    add_session(&l, 21, other, "pfwd", 2);
    add_session(&l, 12, limited, "pfwd", 1);
    add_session(&l, 22, other, "pfwd", 2);
    add_session(&l, 14, limited, "pfwd", 1);
    add_session(&l, 23, other, "pfwd", 2);
    l.items[4].since_s = NOW_S - 60;
    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 14, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 12, SESSION_ALLOWED); /* the same second, but its process started earlier */
    CHECK_VERDICT(&l, 13, SESSION_OVER_LIMIT);
    for (pid_t pid = 21; pid <= 23; pid++)
        CHECK_VERDICT(&l, pid, SESSION_ALLOWED);

    /* A session that may not exist does not count. */
    for (size_t i = 0; i < l.list.count; i++)
        l.items[i].sight = l.items[i].pid == 12 ? SESSION_UNSEEN : SESSION_LIVE;
    judge_at(&l, NOW_S);
    for (pid_t pid = 12; pid <= 14; pid++)
        CHECK_VERDICT(&l, pid, SESSION_ALLOWED);
    for (size_t i = 0; i < l.list.count; i++)
        l.items[i].sight = SESSION_LIVE;

    /* Nor does a session that is ended anyway. */
    for (size_t i = 0; i < l.list.count; i++)
        if (l.items[i].pid == 14)
            (void)strlcpy(l.items[i].fingerprint, key_number(9).fingerprint,
                          sizeof(l.items[i].fingerprint));
    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 14, SESSION_KEY_REMOVED);
    CHECK_VERDICT(&l, 12, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 13, SESSION_ALLOWED);
}

static void nobody(void **state)
{
    struct live l = {.list.count = 0};
    (void)state;
    judge_at(&l, NOW_S);
    assert_int_equal(l.list.count, 0);
    assert_int_equal(l.next_s, INT64_MAX);
}

/* The session of a lease whose row is invalid is not judged, so nobody is ended by mistake. */
static void damaged_lease(void **state)
{
    struct live l = {.list.count = 0};
    int64_t good = grant_lease("good", 1, "127.0.0.1:1", "");
    int64_t bad = grant_lease("bad", 2, "127.0.0.1:1", "");
    (void)state;
    raw_sql("UPDATE lease SET open = 'everything' WHERE name = 'bad'");
    add_session(&l, 11, good, "pfwd", 1);
    add_session(&l, 12, bad, "pfwd", 2);
    judge_at(&l, NOW_S);
    CHECK_VERDICT(&l, 11, SESSION_ALLOWED);
    CHECK_VERDICT(&l, 12, SESSION_NOT_JUDGED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(ended_leases), TEST(frozen),       TEST(frozen_alone), TEST(opening),       TEST(from),
        TEST(narrowed),     TEST(max_sessions), TEST(nobody),       TEST(damaged_lease),
    };
    return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}
