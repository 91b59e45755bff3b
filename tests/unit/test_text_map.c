/* SPDX-License-Identifier: ISC */
/* The map from texts to numbers, through each of its growths. */
#include "lib/base/text_map.h"

#include "tests/unit/helpers.h"

static void finds_what_was_set(void **state)
{
    enum { MANY = 5000 };
    struct text_map m = {0};
    char text[32];
    uint64_t value = 77;
    (void)state;
    assert_false(text_map_get(&m, "nothing", &value));
    assert_int_equal(value, 77);
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "SHA256:%u", i);
        assert_int_equal(text_map_set(&m, text, i), 0);
    }
    assert_int_equal(m.count, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        (void)snprintf(text, sizeof(text), "SHA256:%u", i);
        assert_true(text_map_get(&m, text, &value));
        assert_int_equal(value, i);
    }
    assert_false(text_map_get(&m, "SHA256:5000", &value));
    assert_int_equal(text_map_set(&m, "SHA256:3", 9), 0);
    assert_int_equal(m.count, MANY);
    assert_true(text_map_get(&m, "SHA256:3", &value) && value == 9);
    assert_int_equal(text_map_set(&m, "", 1), 0);
    assert_true(text_map_get(&m, "", &value) && value == 1);
    text_map_release(&m);
    assert_false(text_map_get(&m, "SHA256:3", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_was_set)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
