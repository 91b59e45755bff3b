/* SPDX-License-Identifier: ISC */
/* When a known agent may get a new secret: for how long, by both clocks, and until which login. */
#include "lib/base/buf.h"
#include "lib/lease/reissue.h"

#include "tests/unit/helpers.h"

enum { WALL_S = 1790000000, BOOT_S = 5000 };

static void allowed(void **state)
{
    static const struct {
        int since;
        int64_t wall_after_s, boot_after_s, login_s;
        bool want;
    } rows[] = {
        {REISSUE_NEVER, 0, 0, 0, false},           {REISSUE_REGISTERED, 0, 0, 0, true},
        {REISSUE_REGISTERED, 600, 600, 0, true},   {REISSUE_REGISTERED, 601, 600, 0, false},
        {REISSUE_REGISTERED, 600, 601, 0, false},  /* the wall clock was set back */
        {REISSUE_REGISTERED, -1, 30, 0, false},    /* set back to before the register */
        {REISSUE_REGISTERED, 3600, 30, 0, false},  /* or set forward */
        {REISSUE_REGISTERED, 30, -4990, 0, false}, /* the gateway was restarted since */
        {REISSUE_REGISTERED, 10, 10, 100, true},   /* the login that was known at the register */
        {REISSUE_REGISTERED, 10, 10, 101, false},  /* a later one */
        {REISSUE_RESET, 3600, 3600, 101, true}, /* an admin's reset is also valid for an agent that
                                                   is connected */
        {REISSUE_RESET, 3601, 3600, 0, false},     {REISSUE_RESET, 3600, 3601, 0, false},
        {REISSUE_RESET, -1, 0, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct reissue r = {.wall_s = WALL_S, .boot_s = BOOT_S, .login_s = 100};
        r.since = rows[i].since;
        bool is = reissue_allowed(&r, WALL_S + rows[i].wall_after_s, BOOT_S + rows[i].boot_after_s,
                                  rows[i].login_s);
        if (is != rows[i].want)
            fail_msg("row %zu: %s", i, is ? "allowed" : "refused");
    }
}

static void text(void **state)
{
    const struct reissue r = {
        .since = REISSUE_RESET, .wall_s = WALL_S, .boot_s = BOOT_S, .login_s = 7};
    const struct reissue given = {.since = REISSUE_REGISTERED,
                                  .wall_s = INT64_MAX,
                                  .boot_s = INT64_MAX,
                                  .login_s = INT64_MAX};
    struct buf out = {0};
    (void)state;
    reissue_replace("admin 1\nsecret_given 1 2 3\nhostname secret_given 4 5 6\nuser li\n", &r,
                    &out);
    assert_string_equal(buf_text(&out), "admin 1\nhostname secret_given 4 5 6\nuser li\n"
                                        "secret_reset 1790000000 5000 7\n");
    struct reissue again = reissue_parse(buf_text(&out));
    assert_int_equal(again.since, REISSUE_RESET);
    assert_int_equal(again.wall_s, WALL_S);
    assert_int_equal(again.boot_s, BOOT_S);
    assert_int_equal(again.login_s, 7);
    buf_clear(&out);
    reissue_format(&given, &out);
    assert_true(out.len < REISSUE_LINE_BYTES);
    assert_int_equal(reissue_parse(buf_text(&out)).wall_s, INT64_MAX);
    buf_release(&out);
}

static void damaged(void **state)
{
    static const char *const rows[] = {
        "",
        "admin 1\n",
        "hostname secret_given 1 2 3\n", /* text that an agent sent never counts as a first word */
        "secret_given 1 2\n",
        "secret_given 1 2 3 4\n",
        "secret_given 1 2 3",
        "secret_given -1 2 3\n",
        "secret_given  1 2 3\n",
        "secret_given 1 2 9223372036854775808\n",
        "secret_gone 1 2 3\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (reissue_parse(rows[i]).since != REISSUE_NEVER)
            fail_msg("taken: '%s'", rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed),
        cmocka_unit_test(text),
        cmocka_unit_test(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
