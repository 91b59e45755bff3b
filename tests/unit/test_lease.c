/* SPDX-License-Identifier: ISC */
/* A lease's state at a time, and its keys. */
#include "lib/lease/lease.h"

#include "tests/unit/helpers.h"

static void states(void **state)
{
    static const struct {
        const char *what;
        int64_t expires_s, revoked_s, now_s;
        const char *name;
    } rows[] = {
        {"a second before its end", 1000, 0, 999, "active"},
        {"at its end", 1000, 0, 1000, "expired"},
        {"after its end", 1000, 0, 1001, "expired"},
        {"without an end", 0, 0, 1, "expired"},
        {"revoked before its end", 1000, 500, 600, "revoked"},
        {"revoked, clock before that", 1000, 500, 400, "revoked"},
        {"revoked and past its end", 1000, 500, 2000, "revoked"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct lease l = {.expires_s = rows[i].expires_s, .revoked_s = rows[i].revoked_s};
        CHECK_TEXT(rows[i].what, lease_state_name(lease_state_at(&l, rows[i].now_s)), rows[i].name);
    }
}

static void keys(void **state)
{
    struct lease l = {.name = "alice"};
    (void)state;
    for (int i = 0; i < 2 * LEASE_KEYS_MAX; i++) {
        struct lease_key key = {.added_s = i};
        (void)snprintf(key.pub.comment, sizeof(key.pub.comment), "key %d", i);
        (void)snprintf(key.pub.fingerprint, sizeof(key.pub.fingerprint), "SHA256:%d", i);
        assert_false(lease_has_key(&l, key.pub.fingerprint));
        assert_int_equal(lease_add_key(&l, &key), 0);
    }
    assert_int_equal(l.key_count, 2 * LEASE_KEYS_MAX);
    assert_string_equal(l.keys[0].pub.comment, "key 0");
    assert_true(lease_has_key(&l, "SHA256:0") && lease_has_key(&l, "SHA256:31"));
    assert_false(lease_has_key(&l, "SHA256:") || lease_has_key(&l, "SHA256:310"));
    assert_int_equal(l.keys[31].added_s, 31);
    lease_release(&l);
    assert_null(l.keys);
    assert_int_equal(l.key_count, 0);
    assert_string_equal(l.name, "");
    lease_release(&l); /* accepts a zeroed one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(keys),
    };
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
