/* SPDX-License-Identifier: ISC */
/* How often a lease may be taken over, and the file that has the count. */
#include "lib/session/takeovers.h"

#include "tests/unit/helpers.h"

#define T0 ((int64_t)5000000)

static int scratch_file(void)
{
    char path[] = "/tmp/tunlease-unit.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    return fd;
}

static void fill(struct takeovers *t, int64_t now_ms)
{
    for (size_t i = 0; i < TAKEOVERS_MAX; i++)
        assert_int_equal(takeovers_judge(t, now_ms), TAKEOVER_ALLOWED);
}

static void pause_and_after(void **state)
{
    struct takeovers t = {.count = 0};
    (void)state;
    fill(&t, T0);
    /* The last millisecond of the window, and the pause that begins there: only the first refusal
     * is to be logged. */
    int64_t now = T0 + TAKEOVERS_WINDOW_MS - 1;
    assert_int_equal(takeovers_judge(&t, now), TAKEOVER_PAUSE_BEGINS);
    assert_int_equal(takeovers_judge(&t, now), TAKEOVER_REFUSED);
    assert_int_equal(takeovers_judge(&t, now + TAKEOVERS_PAUSE_MS - 1), TAKEOVER_REFUSED);
    assert_int_equal(takeovers_judge(&t, now + TAKEOVERS_PAUSE_MS), TAKEOVER_ALLOWED);
    assert_int_equal(t.count, 1);
}

static void window(void **state)
{
    struct takeovers t = {.count = 0};
    (void)state;
    fill(&t, T0);
    assert_int_equal(takeovers_judge(&t, T0 + TAKEOVERS_WINDOW_MS), TAKEOVER_ALLOWED);
    assert_int_equal(t.count, 1);

    /* One a second is never too much. */
    t = (struct takeovers){.count = 0};
    for (int64_t s = 0; s < 300; s++)
        assert_int_equal(takeovers_judge(&t, T0 + s * 1000), TAKEOVER_ALLOWED);
}

/* The file outlived a boot, and the clock started anew: neither the pause nor the count applies. */
static void another_boot(void **state)
{
    struct takeovers t = {.refused_until_ms = T0 + TAKEOVERS_PAUSE_MS};
    (void)state;
    fill(&t, T0 * 1000);
    t.refused_until_ms = T0 * 1000;
    assert_int_equal(takeovers_judge(&t, T0), TAKEOVER_ALLOWED);
    assert_int_equal(t.count, 1);

    t = (struct takeovers){.refused_until_ms = T0 + TAKEOVERS_PAUSE_MS};
    assert_int_equal(takeovers_judge(&t, T0), TAKEOVER_REFUSED);
}

static void round_trip(void **state)
{
    int fd = scratch_file();
    struct takeovers t = {.count = 0}, again;
    (void)state;
    takeovers_load(fd, &again);
    assert_int_equal(again.count, 0);

    fill(&t, INT64_MAX / 2);
    t.refused_until_ms = INT64_MAX;
    takeovers_save(fd, &t);
    takeovers_load(fd, &again);
    assert_memory_equal(&again, &t, sizeof(t));

    /* A shorter text overwrites a longer one completely. */
    t = (struct takeovers){.count = 1, .at_ms = {7}};
    takeovers_save(fd, &t);
    takeovers_load(fd, &again);
    assert_memory_equal(&again, &t, sizeof(t));
    assert_int_equal(lseek(fd, 0, SEEK_END), (off_t)strlen("0 7\n"));
    assert_int_equal(close(fd), 0);
}

static void damaged(void **state)
{
    static const struct {
        const char *what, *text;
        size_t count;
    } rows[] = {
        {"whole", "0 1 2\n", 2},
        {"no end", "0 1 2", 0},
        {"cut within", "0 1 2 ", 0},
        {"text", "hello\n", 0},
        {"a word among them", "0 1 x\n", 0},
        {"two blanks", "0 1  x\n", 0},
        {"backwards", "0 2 1\n", 0},
        {"negative", "0 -5\n", 0},
        {"a NUL", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int fd = scratch_file();
        struct takeovers t;
        size_t len = strlen(rows[i].text) + (rows[i].text[0] == '\0');
        assert_int_equal(pwrite(fd, rows[i].text, len, 0), (ssize_t)len);
        takeovers_load(fd, &t);
        CHECK(rows[i].what, t.count == rows[i].count);
        CHECK(rows[i].what, t.refused_until_ms == 0);
        assert_int_equal(close(fd), 0);
    }
}

/* More takeovers than are allowed, and a file of a megabyte. */
static void too_much(void **state)
{
    int fd = scratch_file();
    struct takeovers t;
    (void)state;
    assert_int_equal(write(fd, "0", 1), 1);
    for (size_t i = 0; i <= TAKEOVERS_MAX; i++)
        assert_int_equal(write(fd, " 1", 2), 2);
    assert_int_equal(write(fd, "\n", 1), 1);
    takeovers_load(fd, &t);
    assert_int_equal(t.count, 0);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    takeovers_load(fd, &t);
    assert_int_equal(t.count, 0);
    takeovers_load(-1, &t);
    assert_int_equal(t.count, 0);
    assert_int_equal(close(fd), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pause_and_after), cmocka_unit_test(window),
        cmocka_unit_test(another_boot),    cmocka_unit_test(round_trip),
        cmocka_unit_test(damaged),         cmocka_unit_test(too_much),
    };
    return cmocka_run_group_tests_name("takeovers", tests, NULL, NULL);
}
