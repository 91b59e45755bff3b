/* SPDX-License-Identifier: ISC */
/* The cache of agents says what the store says, whoever changes that. */
#include "leased/requests/roster.h"

#include "lib/store/agents.h"
#include "lib/store/beats.h"
#include "lib/store/connection.h"
#include "lib/store/transaction.h"

#include "tests/unit/store_helpers.h"

static struct roster roster;

static struct member find_member(struct store *st, const char *name)
{
    struct member m = {.id = -1};
    enum store_rc rc = roster_find(&roster, st, name, &m);
    if (rc != STORE_OK)
        fail_msg("%s: %d", name, (int)rc);
    return m;
}

static struct store *open_with_agent(int64_t *ret_id)
{
    struct store *st = open_store();
    *ret_id = add_agent(st, "box-7", 1, "hostname box\n", NOW_S);
    assert_int_equal(roster_init(&roster), 0);
    assert_int_equal(roster_refresh(&roster, st), STORE_OK);
    return st;
}

static void close_with_agent(struct store *st)
{
    roster_release(&roster);
    store_close(st);
}

/* Every field that a request reads. */
static void says_what_the_store_says(void **state)
{
    const uint8_t hash[SECRET_HASH_BYTES] = {1, 2, 3};
    int64_t id;
    struct store *st = open_with_agent(&id);
    struct member m;
    (void)state;
    assert_int_equal(store_agent_update(st, id,
                                        &(struct agent_update){.secret_hash = hash,
                                                               .secret_used = true,
                                                               .token_id = 5,
                                                               .facts = "",
                                                               .expires_s = NOW_S + 77}),
                     STORE_OK);
    for (int again = 0; again < 2; again++) {
        m = find_member(st, "box-7");
        assert_int_equal(m.id, id);
        assert_true(m.is_agent && !m.revoked && !m.fixed_end && m.has_secret && m.secret_used);
        assert_int_equal(m.port, 20001);
        assert_int_equal(m.token_id, 5);
        assert_int_equal(m.expires_s, NOW_S + 77);
        assert_int_equal(m.lease_expires_s, NOW_S + 77);
        assert_memory_equal(m.secret_hash, hash, sizeof(hash));
        assert_string_equal(m.fingerprint, "");
        assert_false(m.has_notes);
    }
    assert_int_equal(roster_find(&roster, st, "box-8", &m), STORE_NONE);
    /* The name of a grant, and of a revoked agent. */
    (void)grant(st, "alice", "pfwd", 2, "8009", "");
    assert_false(find_member(st, "alice").is_agent);
    raw_sql("UPDATE lease SET live = NULL, revoked_s = 1 WHERE name = 'box-7'");
    assert_int_equal(roster_refresh(&roster, st), STORE_OK);
    assert_true(find_member(st, "box-7").revoked);
    assert_int_equal(roster.count, 1); /* neither is cached: there may be any number of them */
    close_with_agent(st);
}

/* The store is read once, and again when another process has changed anything or we say so. */
static void asked_anew(void **state)
{
    int64_t id;
    struct store *st = open_with_agent(&id);
    struct member m = find_member(st, "box-7"), other;
    (void)state;
    m.expires_s = 1;
    (void)snprintf(m.fingerprint, sizeof(m.fingerprint), "%s", "SHA256:x");
    roster_put(&roster, "box-7", &m);
    other = find_member(st, "box-7");
    assert_int_equal(other.expires_s, 1);
    assert_string_equal(other.fingerprint, "SHA256:x");

    assert_int_equal(roster_refresh(&roster, st), STORE_OK); /* nothing has changed */
    assert_int_equal(find_member(st, "box-7").expires_s, 1);
    raw_sql("UPDATE lease SET expires_s = 2 WHERE name = 'box-7'");
    assert_int_equal(roster_refresh(&roster, st), STORE_OK);
    assert_int_equal(find_member(st, "box-7").expires_s, 2);

    m.expires_s = 3;
    roster_put(&roster, "box-7", &m);
    assert_int_equal(find_member(st, "box-7").expires_s, 3);
    roster_forget(&roster, "box-7");
    roster_forget(&roster, "never-there");
    assert_int_equal(find_member(st, "box-7").expires_s, 2);

    roster_put(&roster, "box-7", &m);
    roster_invalidate(&roster);
    assert_int_equal(find_member(st, "box-7").expires_s, 2);
    close_with_agent(st);
}

/* Another process revokes an agent between two requests: the second one sees it. */
static void revoked_by_another(void **state)
{
    int64_t id;
    struct store *st = open_with_agent(&id);
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(store_begin(st), STORE_OK);
        assert_int_equal(roster_refresh(&roster, st), STORE_OK);
        assert_false(find_member(st, "box-7").revoked);
        /* Our own change is not taken for that of another process. */
        assert_int_equal(
            store_agent_beat(st, &(struct beat){.lease_id = id,
                                                .heartbeat_ms = NOW_S * INT64_C(1000) + i,
                                                .expires_s = NOW_S + 5}),
            STORE_OK);
        assert_int_equal(store_commit(st), STORE_OK);
    }
    raw_sql("UPDATE lease SET live = NULL, revoked_s = 1 WHERE name = 'box-7'");
    assert_int_equal(store_begin(st), STORE_OK);
    assert_int_equal(roster_refresh(&roster, st), STORE_OK);
    assert_true(find_member(st, "box-7").revoked);
    store_rollback(st);
    close_with_agent(st);
}

/* More names than fit: all are found, and the cache stays within its limit. */
static void many(void **state)
{
    char name[32];
    int64_t id;
    struct store *st = open_with_agent(&id);
    struct member m = find_member(st, "box-7");
    (void)state;
    for (int i = 0; i < ROSTER_MAX + 1000; i++) {
        (void)snprintf(name, sizeof(name), "other-%d", i);
        m.id = 1000 + i;
        roster_put(&roster, name, &m);
        assert_int_equal(find_member(st, name).id, 1000 + i);
        assert_true(roster.count <= ROSTER_MAX);
    }
    assert_int_equal(find_member(st, "box-7").id, id);
    close_with_agent(st);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(says_what_the_store_says),
        TEST(asked_anew),
        TEST(revoked_by_another),
        TEST(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
