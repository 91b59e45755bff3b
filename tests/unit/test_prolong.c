/* SPDX-License-Identifier: ISC */
/* The lease of `leasectl run`: its end moves without an audit row, and only while nobody has
 * changed, revoked or frozen it. What a run that was killed left gives way to the next one. */
#include "lib/store/prolong.h"

#include "lib/store/freezes.h"
#include "lib/store/leases.h"

#include "tests/unit/store_helpers.h"

enum { END_S = NOW_S + 60, NEXT_S = NOW_S + 80 };

static struct store *st;

/* A lease with an end in a minute, as it was read at first. */
static struct lease begin(const char *open, const char *listen)
{
    struct lease l = make_lease("alice", "pfwd", 1, open, listen), as = {0}, left;
    const struct store_actor by = actor_at(NOW_S);
    struct store_conflict conflict;
    int64_t id;
    l.expires_s = END_S;
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_lease_run(st, &l, "psql", QUARANTINE_S, &by, &id, &left, &conflict),
                     STORE_OK);
    assert_int_equal(left.id, 0);
    assert_int_equal(store_commit(st), STORE_OK);
    assert_int_equal(store_lease_by_id(st, id, &as), STORE_OK);
    lease_release(&l);
    return as;
}

static enum store_rc prolong_at(const struct lease *as, int64_t expires_s, int64_t now_s,
                                enum prolong_refusal *ret_why)
{
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_lease_prolong(st, as, expires_s, QUARANTINE_S, now_s, ret_why);
    if (rc == STORE_OK)
        assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    return rc;
}

static void assert_refused(struct lease *as, enum prolong_refusal want)
{
    enum prolong_refusal why = PROLONG_DELETED, looked = PROLONG_DELETED;
    int64_t end_s = raw_number("SELECT max(expires_s) FROM lease");
    assert_int_equal(prolong_at(as, NEXT_S, NOW_S + 20, &why), STORE_NONE);
    assert_int_equal(why, want);
    assert_int_equal(store_lease_may_prolong(st, as, &looked), STORE_NONE);
    assert_int_equal(looked, want);
    assert_int_equal(raw_number("SELECT max(expires_s) FROM lease"), end_s);
    lease_release(as);
    store_close(st);
}

static void the_end_moves(void **state)
{
    enum prolong_refusal why;
    (void)state;
    st = open_store();
    struct lease as = begin("127.0.0.1:8009", "");
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'run' AND detail LIKE "
                                "'% command=psql'"),
                     1);
    int64_t rows = raw_number("SELECT count(*) FROM audit");
    assert_int_equal(store_lease_may_prolong(st, &as, &why), STORE_OK);
    assert_int_equal(prolong_at(&as, NEXT_S, NOW_S + 20, &why), STORE_OK);
    as.expires_s = NEXT_S;
    /* Earlier: the clock was set back. Later than the end: it was set forward. */
    assert_int_equal(prolong_at(&as, NOW_S - 3540, NOW_S - 3600, &why), STORE_OK);
    as.expires_s = NOW_S - 3540;
    assert_int_equal(prolong_at(&as, NOW_S + 7260, NOW_S + 7200, &why), STORE_OK);
    assert_int_equal(raw_number("SELECT expires_s FROM lease"), NOW_S + 7260);
    assert_int_equal(raw_number("SELECT renewed_s FROM lease"), 0);
    assert_int_equal(raw_number("SELECT count(*) FROM audit"), rows);
    lease_release(&as);
    store_close(st);
}

static void change(int what)
{
    const struct store_actor by = actor_at(NOW_S + 10);
    struct store_conflict conflict;
    struct lease now = {0};
    struct lease_key key = {.pub = key_number(2)};
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_lease_by_name(st, "alice", &now), STORE_OK);
    switch (what) {
    case 0:
        assert_int_equal(store_lease_revoke(st, &now, false, &by), STORE_OK);
        break;
    case 1:
        assert_int_equal(
            store_lease_renew(st, &now, NOW_S + 999, false, QUARANTINE_S, &by, &conflict),
            STORE_OK);
        break;
    case 2:
        now.max_sessions = 1;
        assert_int_equal(store_lease_set(st, &now, QUARANTINE_S, &by, &conflict), STORE_OK);
        break;
    case 3:
        assert_int_equal(store_key_add(st, &now, &key, &by, &conflict), STORE_OK);
        break;
    case 4:
        assert_int_equal(store_freeze(st, "pfwd", &by), STORE_OK);
        break;
    case 5:
        assert_int_equal(store_freeze(st, "*", &by), STORE_OK);
        break;
    default:
        (void)snprintf(now.note, sizeof(now.note), "a note");
        assert_int_equal(store_lease_set(st, &now, QUARANTINE_S, &by, &conflict), STORE_OK);
        assert_int_equal(store_freeze(st, "gw-tunnel", &by), STORE_OK);
        break;
    }
    assert_int_equal(store_commit(st), STORE_OK);
    lease_release(&now);
}

static void what_an_admin_did(void **state)
{
    static const enum prolong_refusal want[] = {PROLONG_REVOKED, PROLONG_ANOTHER_END,
                                                PROLONG_CHANGED, PROLONG_CHANGED,
                                                PROLONG_FROZEN,  PROLONG_FROZEN};
    enum prolong_refusal why;
    (void)state;
    for (int what = 0; what < 6; what++) {
        (void)tear_down(NULL);
        (void)set_up(NULL);
        st = open_store();
        struct lease as = begin("127.0.0.1:8009", "");
        change(what);
        assert_refused(&as, want[what]);
    }
    (void)tear_down(NULL);
    (void)set_up(NULL);
    st = open_store();
    struct lease as = begin("127.0.0.1:8009", "");
    change(6); /* a note, and another login's freeze */
    assert_int_equal(prolong_at(&as, NEXT_S, NOW_S + 20, &why), STORE_OK);
    lease_release(&as);
    store_close(st);
}

static void a_lease_that_is_gone(void **state)
{
    (void)state;
    st = open_store();
    struct lease as = begin("127.0.0.1:8009", "");
    raw_sql("UPDATE lease SET created_s = created_s + 1"); /* another one with its number */
    assert_refused(&as, PROLONG_DELETED);
    st = open_store();
    raw_sql("DELETE FROM key; DELETE FROM lease");
    as = (struct lease){.id = 1};
    assert_refused(&as, PROLONG_DELETED);
}

static void its_ports(void **state)
{
    enum prolong_refusal why;
    (void)state;
    st = open_store();
    struct lease as = begin("", "127.0.0.1:20001");
    raw_sql("UPDATE port SET freed_s = 1795802461"); /* leased saw it expired: the clock jumped */
    assert_int_equal(prolong_at(&as, NOW_S + 7260, NOW_S + 7200, &why), STORE_OK);
    assert_int_equal(raw_number("SELECT freed_s FROM port WHERE port = 20001"), 0);
    as.expires_s = NOW_S + 7260;
    raw_sql("DELETE FROM port");
    (void)grant(st, "bob", "pfwd", 2, "", "127.0.0.1:20001");
    assert_int_equal(prolong_at(&as, NOW_S + 9999, NOW_S + 8000, &why), STORE_CONFLICT);
    assert_int_equal(raw_number("SELECT expires_s FROM lease WHERE name = 'alice'"), NOW_S + 7260);
    lease_release(&as);
    store_close(st);
}

/* ---- what a run that was killed has left ---- */

/* Another run; what it found is in *ret_left. */
static enum store_rc again_with(struct lease *l, int64_t now_s, int64_t *ret_left)
{
    const struct store_actor by = actor_at(now_s);
    struct store_conflict conflict;
    struct lease left;
    int64_t id = 0;
    l->expires_s = now_s + 60;
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_lease_run(st, l, "psql", QUARANTINE_S, &by, &id, &left, &conflict);
    if (rc == STORE_OK)
        assert_int_equal(store_commit(st), STORE_OK);
    else if (rc == STORE_CONFLICT)
        assert_int_equal(conflict.what, CONFLICT_NAME);
    store_rollback(st);
    *ret_left = left.id;
    lease_release(&left);
    lease_release(l);
    return rc;
}

static enum store_rc again(const char *login, int key, int64_t now_s)
{
    struct lease l = make_lease("alice", login, (unsigned char)key, "127.0.0.1:8010", "");
    int64_t left;
    enum store_rc rc = again_with(&l, now_s, &left);
    assert_int_equal(left != 0, rc == STORE_OK);
    return rc;
}

static void left_is_taken_up(void **state)
{
    struct lease l = make_lease("alice", "pfwd", 1, "", "127.0.0.1:20001");
    int64_t left;
    (void)state;
    st = open_store();
    struct lease as = begin("127.0.0.1:8009 127.0.0.1:9000", "127.0.0.1:20001");
    raw_sql("UPDATE lease SET expires_s = expires_s + 20"); /* it was prolonged */
    assert_int_equal(again_with(&l, END_S + 20, &left), STORE_OK);
    assert_int_equal(left, as.id);
    assert_int_equal(raw_number("SELECT count(*) FROM lease WHERE name = 'alice' AND live = 1 AND "
                                "id <> 1 AND listen = '127.0.0.1:20001'"),
                     1);
    assert_int_equal(raw_number("SELECT revoked_s FROM lease WHERE id = 1"), END_S + 20);
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'revoke' AND lease_id = "
                                "1 AND time_s = 1795802480"),
                     1);
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'run' AND lease_id = 2 "
                                "AND detail LIKE '% command=psql instead_of=1'"),
                     1);
    lease_release(&as);
    store_close(st);
}

/* What the first row allows, each other row forbids, and none of them changes anything. */
static void left_and_refused(void **state)
{
    static const struct {
        const char *what;
        const char *sql;
        const char *login;
        int change, key, at_s;
        enum store_rc want;
    } rows[] = {
        {"over", NULL, "pfwd", -1, 1, END_S, STORE_OK},
        {"not over", NULL, "pfwd", -1, 1, END_S - 1, STORE_CONFLICT},
        {"another key", NULL, "pfwd", -1, 3, END_S, STORE_CONFLICT},
        {"another login", NULL, "gw-tunnel", -1, 1, END_S, STORE_CONFLICT},
        {"an end that an admin gave", "UPDATE lease SET expires_s = 1795802400", "pfwd", 1, 1,
         END_S, STORE_CONFLICT},
        {"an exact end", "UPDATE lease SET fixed_end = 1", "pfwd", -1, 1, END_S, STORE_CONFLICT},
        {"a permit that was changed", NULL, "pfwd", 2, 1, END_S, STORE_CONFLICT},
        {"a key that was added", NULL, "pfwd", 3, 1, END_S, STORE_CONFLICT},
        {"a frozen login", NULL, "pfwd", 4, 1, END_S, STORE_CONFLICT},
        {"all is frozen", NULL, "pfwd", 5, 1, END_S, STORE_CONFLICT},
        {"a note, and another login's freeze", NULL, "pfwd", 6, 1, END_S, STORE_OK},
        {"another lease with its number", "UPDATE lease SET created_s = created_s + 1", "pfwd", -1,
         1, END_S, STORE_CONFLICT},
        {"a limit of sessions", "UPDATE lease SET max_sessions = 1", "pfwd", -1, 1, END_S,
         STORE_CONFLICT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)tear_down(NULL);
        (void)set_up(NULL);
        st = open_store();
        struct lease as = begin("127.0.0.1:8009", "");
        if (rows[i].change >= 0)
            change(rows[i].change);
        if (rows[i].sql != NULL)
            raw_sql(rows[i].sql);
        int64_t before = raw_number("SELECT count(*) FROM audit");
        enum store_rc rc = again(rows[i].login, rows[i].key, rows[i].at_s);
        if (rc != rows[i].want)
            fail_msg("%s: %d", rows[i].what, (int)rc);
        assert_int_equal(raw_number("SELECT count(*) FROM audit") - before, rc == STORE_OK ? 2 : 0);
        assert_int_equal(raw_number("SELECT count(*) FROM lease WHERE id = 1 AND live = 1"),
                         rc == STORE_OK ? 0 : 1);
        lease_release(&as);
        store_close(st);
    }
}

/* As left_and_refused, but no run made it: what is granted with the same words stays. */
static void not_of_a_run(void **state)
{
    (void)state;
    st = open_store();
    (void)grant(st, "alice", "pfwd", 1, "127.0.0.1:8009", "");
    raw_sql("UPDATE lease SET expires_s = 1795802460");
    assert_int_equal(again("pfwd", 1, END_S), STORE_CONFLICT);
    assert_int_equal(raw_number("SELECT count(*) FROM lease WHERE live = 1"), 1);
    store_close(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_end_moves), TEST(what_an_admin_did), TEST(a_lease_that_is_gone),
        TEST(its_ports),     TEST(left_is_taken_up),  TEST(left_and_refused),
        TEST(not_of_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
