/* SPDX-License-Identifier: ISC */
/* Invites in the store: what they keep, whom they admit, and which name they reserve until when. */
#include "lib/store/invites.h"

#include "lib/base/buf.h"
#include "lib/store/agents.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"
#include "lib/store/open_read.h"
#include "lib/store/tokens.h"

#include "tests/unit/store_helpers.h"

static const char key_1[] = "SHA256:1111111111111111111111111111111111111111111",
                  key_2[] = "SHA256:2222222222222222222222222222222222222222222";

static void hash_of(unsigned char n, uint8_t out[static SECRET_HASH_BYTES])
{
    memset(out, n, SECRET_HASH_BYTES);
}

/* Invites name within a transaction of its own, with the code number n, for an hour from now_s on.
 */
static enum store_rc invite_at(struct store *st, const char *name, unsigned char n, int64_t now_s,
                               int64_t *ret_id, struct store_conflict *ret)
{
    const struct store_actor by = actor_at(now_s);
    struct invite i = {.ttl_s = 1000, .expires_s = now_s + 3600};
    uint8_t hash[SECRET_HASH_BYTES];
    hash_of(n, hash);
    (void)snprintf(i.terms.name, sizeof(i.terms.name), "%s", name);
    (void)snprintf(i.terms.login, sizeof(i.terms.login), "pfwd");
    assert_int_equal(permit_list_parse("127.0.0.1:8009", &i.terms.open), 0);
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_invite_add(st, &i, hash, &by, ret_id, ret);
    if (rc == STORE_OK)
        assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    invite_release(&i);
    return rc;
}

static int64_t invite(struct store *st, const char *name, unsigned char n)
{
    struct store_conflict conflict;
    int64_t id = 0;
    assert_int_equal(invite_at(st, name, n, NOW_S, &id, &conflict), STORE_OK);
    assert_true(id > 0);
    return id;
}

/* Joins with a key as leased does. lease_key: the number of the key, for make_lease. */
static enum store_rc join(struct store *st, int64_t id, const char *name, unsigned char lease_key,
                          const char *fingerprint, int64_t now_s)
{
    const struct store_actor by = actor_at(now_s);
    struct store_conflict conflict;
    struct lease l = make_lease(name, "pfwd", lease_key, "8009", "");
    int64_t lease_id = 0;
    assert_int_equal(store_begin(st), STORE_OK);
    enum store_rc rc = store_invite_use(st, id, &by);
    if (rc == STORE_OK)
        rc = store_lease_add(st, &l, QUARANTINE_S, &by, &lease_id, &conflict);
    if (rc == STORE_OK)
        rc = store_invite_spend(st, id, lease_id, fingerprint, &by);
    if (rc == STORE_OK)
        assert_int_equal(store_commit(st), STORE_OK);
    store_rollback(st);
    lease_release(&l);
    return rc;
}

static enum store_rc find_invite(struct store *st, unsigned char n, struct invite *ret)
{
    uint8_t hash[SECRET_HASH_BYTES];
    hash_of(n, hash);
    *ret = (struct invite){.id = 0};
    return store_invite_find(st, hash, ret);
}

/* ---- what is kept ---- */

static void keeps_all_terms(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    struct store_conflict conflict;
    struct invite i = {.expires_s = NOW_S + 86400, .is_agent = true, .replaces = true}, got;
    struct lease *l = &i.terms;
    uint8_t hash[SECRET_HASH_BYTES];
    struct buf text = {0};
    int64_t id = 0;
    (void)state;
    (void)add_agent(st, "db1", 9, "", NOW_S);
    hash_of(1, hash);
    (void)snprintf(l->name, sizeof(l->name), "db1");
    (void)snprintf(l->login, sizeof(l->login), "gw-tunnel");
    (void)snprintf(l->note, sizeof(l->note), "of J\xc3\xb6rg: x=1, \"y\"  z");
    assert_int_equal(lease_open_parse("127.0.0.1:8009 127.0.0.1:9000-9010 agent:db1", l), 0);
    assert_int_equal(permit_list_parse("127.0.0.1:20017", &l->listen), 0);
    assert_null(source_list_parse("192.0.2.0/24,2001:db8::/32", &l->from));
    l->max_sessions = 3;
    l->expires_s = NOW_S + 5000;
    l->fixed_end = true;
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_add(st, &i, hash, &by, &id, &conflict), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);

    assert_int_equal(find_invite(st, 1, &got), STORE_OK);
    assert_int_equal(got.id, id);
    assert_true(got.is_agent && got.replaces && got.is_open && got.terms.fixed_end);
    assert_string_equal(got.terms.name, "db1");
    assert_string_equal(got.terms.login, "gw-tunnel");
    assert_string_equal(got.terms.note, l->note);
    lease_open_format(&got.terms, &text);
    assert_string_equal(buf_text(&text), "127.0.0.1:8009 127.0.0.1:9000-9010 agent:db1");
    buf_clear(&text);
    permit_list_format(&got.terms.open, &text); /* with the port that the agent has now */
    assert_string_equal(buf_text(&text), "127.0.0.1:8009 127.0.0.1:9000-9010 127.0.0.1:20009");
    buf_clear(&text);
    permit_list_format(&got.terms.listen, &text);
    assert_string_equal(buf_text(&text), "127.0.0.1:20017");
    buf_clear(&text);
    source_list_format(&got.terms.from, &text);
    assert_string_equal(buf_text(&text), "192.0.2.0/24,2001:db8::/32");
    assert_int_equal(got.terms.max_sessions, 3);
    assert_int_equal(got.terms.expires_s, NOW_S + 5000);
    assert_int_equal(got.ttl_s, 0);
    assert_int_equal(got.created_s, NOW_S);
    assert_int_equal(got.expires_s, NOW_S + 86400);
    assert_int_equal(got.spent_s, 0);
    assert_int_equal(got.lease_id, 0);
    assert_string_equal(got.fingerprint, "");
    invite_release(&got);
    assert_int_equal(find_invite(st, 2, &got), STORE_NONE);
    buf_release(&text);
    invite_release(&i);
    store_close(st);
}

static int count(void *ctx, const struct invite *i)
{
    int *left = ctx;
    (void)i;
    --*left;
    return 0;
}

static int count_token(void *ctx, const struct token *t)
{
    int *tokens = ctx;
    (void)t;
    ++*tokens;
    return 0;
}

/* Neither is the other, whatever number or secret one has. */
/* As many permits as a lease may have, each as long as one may be. */
static void keeps_the_longest_terms(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    struct store_conflict conflict;
    struct invite i = {.ttl_s = 1000, .expires_s = NOW_S + 3600}, got;
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t id = 0;
    (void)state;
    hash_of(1, hash);
    (void)snprintf(i.terms.name, sizeof(i.terms.name), "alice");
    (void)snprintf(i.terms.login, sizeof(i.terms.login), "pfwd");
    for (unsigned n = 0; n < PERMIT_LIST_MAX; n++) {
        struct permit p = {.low = 40001, .high = 40002};
        for (size_t at = 0; at < PERMIT_HOST_BYTES - 1; at++)
            p.host[at] = at % 50 == 49 ? '.' : 'a';
        p.host[0] = (char)('a' + n % 26);
        p.host[1] = (char)('a' + n / 26);
        assert_null(permit_list_add(&i.terms.open, &p));
    }
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_add(st, &i, hash, &by, &id, &conflict), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    assert_int_equal(find_invite(st, 1, &got), STORE_OK);
    assert_int_equal(got.terms.open.count, PERMIT_LIST_MAX);
    invite_release(&got);
    invite_release(&i);
    store_rollback(st);
    store_close(st);
}

static void no_token(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    const struct token t = {.uses_left = 1, .expires_s = NOW_S + 1000, .name = "alice"};
    struct token found;
    struct invite got;
    uint8_t hash[SECRET_HASH_BYTES];
    int64_t id = invite(st, "alice", 1), token_id = 0;
    int tokens = 0, left = 1;
    (void)state;
    hash_of(2, hash);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_token_add(st, &t, hash, &by, &token_id), STORE_OK);
    assert_int_equal(store_invite_revoke(st, token_id, &by), STORE_NONE);
    assert_int_equal(store_invite_use(st, token_id, &by), STORE_NONE);
    assert_int_equal(store_token_revoke(st, id, &by), STORE_NONE);
    assert_int_equal(store_commit(st), STORE_OK);
    assert_int_equal(store_token_find(st, hash, &found), STORE_OK);
    assert_int_equal(find_invite(st, 2, &got), STORE_NONE);
    hash_of(1, hash);
    assert_int_equal(store_token_find(st, hash, &found), STORE_NONE);
    assert_int_equal(store_token_list(st, count_token, &tokens), STORE_OK);
    assert_int_equal(tokens, 1);
    assert_int_equal(store_invite_list(st, count, &left), STORE_OK);
    assert_int_equal(left, 0);
    store_close(st);
}

/* ---- spending ---- */

static void spent_once(void **state)
{
    struct store *st = open_store();
    struct invite got;
    int64_t id = invite(st, "alice", 1);
    (void)state;
    assert_int_equal(join(st, id, "alice", 1, key_1, NOW_S + 60), STORE_OK);
    assert_int_equal(join(st, id, "bob", 2, key_2, NOW_S + 61), STORE_NONE);
    assert_int_equal(raw_number("SELECT count(*) FROM lease"), 1);
    assert_int_equal(find_invite(st, 1, &got), STORE_OK);
    assert_false(got.is_open);
    assert_int_equal(got.spent_s, NOW_S + 60);
    assert_int_equal(got.lease_id, 1);
    assert_string_equal(got.fingerprint, key_1);
    invite_release(&got);
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'invite_spend' AND "
                                "lease_id = 1 AND lease = 'alice' AND fingerprint LIKE "
                                "'SHA256:1111%' AND detail = 'invite=1'"),
                     1);
    store_close(st);
}

static void over(void **state)
{
    struct store *st = open_store();
    int64_t id = invite(st, "alice", 1);
    (void)state;
    assert_int_equal(join(st, id, "alice", 1, key_1, NOW_S + 3600), STORE_NONE);
    assert_int_equal(join(st, id, "alice", 1, key_1, NOW_S + 3599), STORE_OK);
    store_close(st);
}

/* What cannot be added with it is not spent. */
static void undone_with_its_lease(void **state)
{
    struct store *st = open_store();
    int64_t id = invite(st, "alice", 1);
    (void)state;
    (void)grant(st, "bob", "pfwd", 1, "8009", "");
    assert_int_equal(join(st, id, "alice", 1, key_1, NOW_S), STORE_CONFLICT); /* bob's key */
    assert_int_equal(join(st, id, "alice", 2, key_2, NOW_S), STORE_OK);
    store_close(st);
}

static void admits(void **state)
{
    static const struct {
        const char *what, *fingerprint;
        int64_t after_s;
        bool spent, admitted;
    } rows[] = {
        {"open", key_2, 0, false, true},
        {"its last second", key_2, 3599, false, true},
        {"over", key_2, 3600, false, false},
        {"spent, by this key", key_1, 0, true, true},
        {"spent, by this key, its last second", key_1, 599, true, true},
        {"spent, by this key, too long ago", key_1, 600, true, false},
        {"spent, by another key", key_2, 0, true, false},
        {"spent, by a key that begins alike", "SHA256:1111", 0, true, false},
        {"spent, by no key", "", 0, true, false},
    };
    struct store *st = open_store();
    int64_t id;
    (void)state;
    assert_int_equal(store_invite_admits(st, key_1, NOW_S), STORE_NONE);
    id = invite(st, "alice", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].spent && !rows[i - 1].spent)
            assert_int_equal(join(st, id, "alice", 1, key_1, NOW_S), STORE_OK);
        enum store_rc rc = store_invite_admits(st, rows[i].fingerprint, NOW_S + rows[i].after_s);
        CHECK(rows[i].what, rc == (rows[i].admitted ? STORE_OK : STORE_NONE));
    }
    store_close(st);
}

/* The verdict of the login path: a freeze of the login or of all of them comes first. */
static void judged_at_the_login(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    static const char *const frozen[] = {"join", "*", "pfwd"};
    struct store *st = open_store();
    enum join_verdict v = JOIN_VERDICT__MAX;
    (void)state;
    assert_int_equal(store_judge_join(st, "join", key_1, NOW_S, &v), STORE_OK);
    assert_string_equal(join_verdict_name(v), "no_invite");
    (void)invite(st, "alice", 1);
    assert_int_equal(store_judge_join(st, "join", key_1, NOW_S, &v), STORE_OK);
    assert_string_equal(join_verdict_name(v), "admitted");
    for (size_t i = 0; i < COUNT(frozen); i++) {
        bool is_other = strcmp(frozen[i], "pfwd") == 0;
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_freeze(st, frozen[i], &by), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
        assert_int_equal(store_judge_join(st, "join", key_1, NOW_S, &v), STORE_OK);
        CHECK_TEXT(frozen[i], join_verdict_name(v), is_other ? "admitted" : "frozen");
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_thaw(st, frozen[i], &by), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
    }
    assert_int_equal(store_judge_join(st, "join", key_1, NOW_S + 3600, &v), STORE_OK);
    assert_string_equal(join_verdict_name(v), "no_invite");
    /* A store that cannot be asked gives no verdict. */
    v = JOIN_VERDICT__MAX;
    raw_sql("DROP TABLE token");
    assert_int_equal(store_judge_join(st, "join", key_1, NOW_S, &v), STORE_FAIL);
    assert_int_equal(v, JOIN_VERDICT__MAX);
    store_close(st);
}

/* ---- names ---- */

static void reserves_its_name(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    struct store_conflict c = {.port = 0};
    struct lease l = make_lease("alice", "other", 1, "8009", ""),
                 agent = make_lease("alice", "gw-tunnel", 2, "", "127.0.0.1:20002");
    int64_t id = invite(st, "alice", 1), got = 0;
    (void)state;
    assert_int_equal(store_invite_of_name(st, "alice", NOW_S, &got), STORE_OK);
    assert_int_equal(got, id);
    assert_int_equal(store_invite_of_name(st, "Alice", NOW_S, &got), STORE_NONE);
    assert_int_equal(add_at(st, &l, NOW_S, NULL, &c), STORE_CONFLICT);
    assert_int_equal(c.what, CONFLICT_INVITE);
    assert_int_equal(c.lease_id, id);
    assert_string_equal(c.lease, "alice");
    assert_int_equal(store_begin(st), STORE_OK);
    c.what = CONFLICT_KEY;
    assert_int_equal(store_lease_import(st, &l, "file", 1, QUARANTINE_S, &by, &got, &c),
                     STORE_CONFLICT);
    assert_int_equal(c.what, CONFLICT_INVITE);
    c.what = CONFLICT_KEY;
    assert_int_equal(store_agent_add(st, &agent, 0, "", QUARANTINE_S, &by, &got, &c),
                     STORE_CONFLICT);
    assert_int_equal(c.what, CONFLICT_INVITE);
    store_rollback(st);
    c.what = CONFLICT_KEY;
    assert_int_equal(invite_at(st, "alice", 2, NOW_S + 5, &got, &c), STORE_CONFLICT);
    assert_int_equal(c.what, CONFLICT_INVITE);
    assert_int_equal(raw_number("SELECT count(*) FROM lease"), 0);

    /* Once it is over, or revoked, no longer. */
    assert_int_equal(add_at(st, &l, NOW_S + 3600, NULL, &c), STORE_OK);
    id = invite(st, "bob", 3);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_invite_revoke(st, id, &by), STORE_OK);
    assert_int_equal(store_invite_revoke(st, id, &by), STORE_NONE);
    assert_int_equal(store_commit(st), STORE_OK);
    got = 0;
    assert_int_equal(invite_at(st, "bob", 4, NOW_S, &got, &c), STORE_OK);
    assert_true(got > id); /* no invite has the number of one that was revoked */
    lease_release(&l);
    lease_release(&agent);
    store_close(st);
}

static void not_for_a_lease_that_is_there(void **state)
{
    const struct store_actor by = actor_at(NOW_S);
    struct store *st = open_store();
    struct store_conflict c = {.port = 0};
    struct lease l = {.id = 0};
    int64_t got = 0, alice = grant(st, "alice", "pfwd", 1, "8009", "");
    (void)state;
    assert_int_equal(invite_at(st, "alice", 1, NOW_S, &got, &c), STORE_CONFLICT);
    assert_int_equal(c.what, CONFLICT_NAME);
    assert_int_equal(c.lease_id, alice);
    assert_false(c.expired);
    assert_int_equal(invite_at(st, "alice", 1, NOW_S + 3600, &got, &c), STORE_CONFLICT);
    assert_true(c.expired);
    assert_int_equal(store_lease_by_id(st, alice, &l), STORE_OK);
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(store_lease_revoke(st, &l, false, &by), STORE_OK);
    assert_int_equal(store_commit(st), STORE_OK);
    lease_release(&l);
    assert_int_equal(invite_at(st, "alice", 1, NOW_S, &got, &c), STORE_OK);
    store_close(st);
}

/* ---- older, later, damaged ---- */

static void older_store(void **state)
{
    char err[STORE_ERROR_BYTES];
    char *file = source_file("tests/to_version_3.sql"), *sql = read_whole(file, NULL);
    struct store *st = open_store();
    struct invite got;
    int64_t id;
    int left = 0;
    (void)state;
    (void)invite(st, "alice", 1);
    store_close(st);
    raw_sql("DELETE FROM token");
    raw_sql(sql);
    assert_int_equal(store_open_read(path, &st, err), STORE_OK);
    assert_int_equal(find_invite(st, 1, &got), STORE_NONE);
    assert_int_equal(store_invite_of_name(st, "alice", NOW_S, &id), STORE_NONE);
    assert_int_equal(store_invite_admits(st, key_1, NOW_S), STORE_NONE);
    assert_int_equal(store_invite_list(st, count, &left), STORE_OK);
    assert_int_equal(left, 0);
    store_close(st);
    free(sql);
    free(file);
}

static void pruned(void **state)
{
    static const struct {
        int64_t after_s;
        int left;
    } rows[] = {{3600, 2}, {86400 + 60, 2}, {86400 + 61, 1}, {86400 + 3600, 1}, {86400 + 3601, 0}};
    struct store *st = open_store();
    int64_t id = invite(st, "alice", 1);
    (void)state;
    (void)invite(st, "bob", 2);
    assert_int_equal(join(st, id, "alice", 1, key_1, NOW_S + 60), STORE_OK);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct store_actor by = actor_at(NOW_S + rows[i].after_s);
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(store_invite_prune(st, &by), STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
        assert_int_equal(raw_number("SELECT count(*) FROM token"), rows[i].left);
    }
    assert_int_equal(raw_number("SELECT count(*) FROM audit WHERE action = 'prune'"), 2);
    assert_int_equal(raw_number("SELECT count(*) FROM lease WHERE live = 1"), 1);
    store_close(st);
}

static void damaged_rows(void **state)
{
    static const char *const texts[] = {
        "",
        "login pfwd\n",
        "ttl_s 5\n",
        "login pfwd\nttl_s 5\nend_s 6\n",
        "login pfwd\nttl_s 5",
        "login pfwd\nttl_s 0\n",
        "login pfwd\nttl_s -5\n",
        "login pfwd\nttl_s 9223372036854775807\n",
        "login pf wd\nttl_s 5\n",
        "login pfwd\nttl_s 5\nopen rubbish\n",
        "login pfwd\nttl_s 5\nopen 127.0.0.1:1\nopen 127.0.0.1:2\n",
        "login pfwd\nttl_s 5\nlisten x\n",
        "login pfwd\nttl_s 5\nfrom 192.0.2.0/99\n",
        "login pfwd\nttl_s 5\nmax_sessions 100000\n",
        "login pfwd\nttl_s 5\nagent 2\n",
        "login pfwd\nttl_s 5\nnote \x1b[2J\n",
        "login pfwd\nttl_s 5\nalone\n",
    };
    struct store *st = open_store();
    struct invite got;
    char sql[256];
    (void)state;
    (void)invite(st, "alice", 1);
    for (size_t i = 0; i < COUNT(texts); i++) {
        (void)snprintf(sql, sizeof(sql), "UPDATE token SET invite = '%s'", texts[i]);
        raw_sql(sql);
        CHECK(texts[i], find_invite(st, 1, &got) == STORE_FAIL);
        CHECK_PROBLEM(texts[i], store_error(st), "invite #1 is not valid");
    }
    raw_sql("UPDATE token SET invite = 'login pfwd' || char(10) || 'later x' || char(10) || "
            "'ttl_s 5' || char(10)");
    assert_int_equal(find_invite(st, 1, &got), STORE_OK); /* a key of a later tunlease */
    invite_release(&got);
    raw_sql("UPDATE token SET name = '!a b'");
    assert_int_equal(find_invite(st, 1, &got), STORE_FAIL);
    store_close(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keeps_all_terms),
        TEST(keeps_the_longest_terms),
        TEST(no_token),
        TEST(spent_once),
        TEST(over),
        TEST(admits),
        TEST(judged_at_the_login),
        TEST(undone_with_its_lease),
        TEST(reserves_its_name),
        TEST(pruned),
        TEST(not_for_a_lease_that_is_there),
        TEST(older_store),
        TEST(damaged_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
