/* SPDX-License-Identifier: ISC */
/* What an agent sends so that copies of it are found out: on disk first, the same again until an
 * answer has come, and never back. */
#include "tunnel-agent/gateway/turn.h"

#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/statedir.h"

#include "tests/unit/helpers.h"

#include <stdbool.h>

static struct statedir state;

static int set_up(void **arg)
{
    (void)arg;
    char why[WHY_BYTES], dir[] = "/tmp/turn.XXXXXX";
    if (mkdtemp(dir) == NULL || setenv("STATE_DIR", dir, 1) != 0)
        return -1;
    return statedir_open(&state, why);
}

static int tear_down(void **arg)
{
    char *path = statedir_file(&state, "turn");
    (void)arg;
    (void)unlink(path);
    free(path);
    (void)rmdir(state.run);
    return rmdir(state.path);
}

static bool same(const struct agent_counter *a, const struct agent_counter *b)
{
    return a->number == b->number && memcmp(a->nonce, b->nonce, sizeof(a->nonce)) == 0;
}

/* Another process, after a crash. */
static struct agent_counter on_disk(void)
{
    struct turn t;
    turn_read(&t, &state);
    return t.next;
}

static void goes_on(void **arg)
{
    struct turn t;
    (void)arg;
    turn_read(&t, &state);
    assert_int_equal(turn_begin(&t), 0);
    assert_int_equal(t.next.number, 0);
    assert_true(!statedir_has(&state, "turn"));
    turn_accepted(&t, 0); /* a gateway that knows none */
    assert_int_equal(turn_begin(&t), 0);
    assert_int_equal(t.next.number, 0);

    for (int64_t number = 1; number < 5; number++) {
        turn_accepted(&t, number);
        assert_int_equal(turn_begin(&t), 0);
        const struct agent_counter sent = t.next, disk = on_disk();
        assert_int_equal(sent.number, number);
        assert_true(same(&sent, &disk));
        /* No answer, a crash, an answer that names none, or an older or the same counter. */
        for (int i = 0; i < 4; i++) {
            if (i == 1)
                turn_read(&t, &state);
            else if (i > 1)
                turn_accepted(&t, i == 2 ? 0 : number);
            assert_int_equal(turn_begin(&t), 0);
            assert_true(same(&t.next, &sent));
        }
    }
    turn_accepted(&t, INT64_C(1) << 40); /* that no gateway would name */
    assert_int_equal(t.next.number, 4);
}

static void bad_files(void **arg)
{
    static const char *const texts[] = {
        "",
        "5",
        "5 ",
        "0 00112233445566778899aabbccddeeff",
        "x 00112233445566778899aabbccddeeff",
        "5 00112233445566778899aabbccddeef",
        "5 00112233445566778899aabbccddeeff more",
        "-5 00112233445566778899aabbccddeeff",
    };
    struct turn t;
    (void)arg;
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_int_equal(statedir_write(&state, "turn", texts[i]), 0);
        turn_read(&t, &state);
        CHECK(texts[i], t.next.number == 0 && !t.has_nonce);
    }
    assert_int_equal(statedir_write(&state, "turn", "5 00112233445566778899aabbccddeeff\n"), 0);
    turn_read(&t, &state);
    assert_true(t.next.number == 5 && t.has_nonce);
}

static void not_written(void **arg)
{
    struct turn t;
    struct statedir nowhere = {.path = "/nonexistent/directory"};
    (void)arg;
    turn_read(&t, &nowhere);
    turn_accepted(&t, 7);
    assert_int_equal(turn_begin(&t), -1);
    assert_false(t.has_nonce);
}

static void waits(void **arg)
{
    struct turn t = {.state = &state};
    int64_t before_ms = 0;
    (void)arg;
    for (int i = 0; i < 6; i++) {
        const int64_t wait_ms = turn_refused(&t, &settings_default);
        assert_true(t.is_copied && wait_ms >= settings_default.auth_retry_ms);
        assert_true(wait_ms <= TURN_COPIED_MAX_MS && wait_ms >= before_ms);
        before_ms = wait_ms;
    }
    assert_int_equal(before_ms, TURN_COPIED_MAX_MS);
    turn_accepted(&t, 1);
    assert_false(t.is_copied);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(goes_on), TEST(bad_files), TEST(not_written),
                                       TEST(waits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
