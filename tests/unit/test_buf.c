/* SPDX-License-Identifier: ISC */
/* The text buffer: growth across its first allocation, and a failure that sticks. */
#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

static void empty_and_clear(void **state)
{
    struct buf b = {0};
    (void)state;
    assert_string_equal(buf_text(&b), "");
    buf_clear(&b);
    buf_add(&b, "");
    assert_string_equal(buf_text(&b), "");
    buf_add(&b, "one");
    buf_addf(&b, " %d %s", 2, "three");
    assert_string_equal(buf_text(&b), "one 2 three");
    assert_int_equal(b.len, 11);
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(b.len, 0);
    buf_add_mem(&b, "a\0b", 3);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "a\0b", 4);
    buf_release(&b);
    assert_null(b.data);
    assert_string_equal(buf_text(&b), "");
    buf_release(&b);
}

/* Every length around the sizes at which the storage doubles, added in one piece and by format. */
static void growth(void **state)
{
    static const size_t around[] = {511, 512, 513, 1023, 1024, 1025, 4096, 100000};
    (void)state;
    for (size_t i = 0; i < COUNT(around); i++) {
        for (size_t first = 0; first <= 1; first++) {
            struct buf whole = {0}, formatted = {0};
            char *text = malloc(around[i] + 1);
            memset(text, 'x', around[i]);
            text[around[i]] = '\0';
            buf_add(&whole, text + first);
            buf_add(&whole, first == 1 ? "x" : "");
            buf_addf(&formatted, "%.*s%s", (int)first, text, text + first);
            assert_string_equal(buf_text(&whole), text);
            assert_string_equal(buf_text(&formatted), text);
            assert_int_equal(whole.len, around[i]);
            assert_true(whole.cap > whole.len);
            buf_release(&whole);
            buf_release(&formatted);
            free(text);
        }
    }
}

static void byte_by_byte(void **state)
{
    struct buf b = {0};
    (void)state;
    for (size_t i = 0; i < 5000; i++) {
        buf_add_mem(&b, "0123456789" + i % 10, 1);
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(b.len, 5000);
    assert_memory_equal(b.data + 4990, "0123456789", 11);
    buf_release(&b);
}

static void failure_sticks(void **state)
{
    struct buf b = {0};
    (void)state;
    buf_add(&b, "kept");
    buf_add_mem(&b, "", SIZE_MAX / 2); /* no allocation of that size: nothing is copied */
    assert_true(b.failed);
    assert_null(buf_text(&b));
    buf_add(&b, "more");
    buf_addf(&b, "%d", 1);
    assert_null(buf_text(&b));
    assert_int_equal(b.len, 4);
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    buf_add(&b, "again");
    assert_string_equal(buf_text(&b), "again");
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_and_clear),
        cmocka_unit_test(growth),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(failure_sticks),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
