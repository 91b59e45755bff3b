/* SPDX-License-Identifier: ISC */
/* Decimal numbers: of each, every spelling but one is refused. */
#include "lib/base/number.h"

#include "tests/unit/helpers.h"

static void spellings(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max, want; /* want -1: refused */
    } rows[] = {
        {"0", 0, 9, 0},
        {"0", 1, 9, -1},
        {"1", 1, 1, 1},
        {"2", 1, 1, -1},
        {"65535", 1, 65535, 65535},
        {"65536", 1, 65535, -1},
        {"655350", 1, 65535, -1},
        {"9223372036854775807", 1, INT64_MAX, INT64_MAX},
        {"9223372036854775808", 1, INT64_MAX, -1},
        {"9223372036854775817", 1, INT64_MAX, -1},
        {"92233720368547758070", 1, INT64_MAX, -1},
        {"18446744073709551617", 1, INT64_MAX, -1},
        {"", 0, 9, -1},
        {"00", 0, 9, -1},
        {"01", 0, 9, -1},
        {" 1", 0, 9, -1},
        {"1 ", 0, 9, -1},
        {"\t1", 0, 9, -1},
        {"\n1", 0, 9, -1},
        {"+1", 0, 9, -1},
        {"-1", 0, 9, -1},
        {"-0", 0, 9, -1},
        {"1x", 0, 99, -1},
        {"0x1", 0, 99, -1},
        {"1e1", 0, 99, -1},
        {"1.0", 0, 99, -1},
        {"1,0", 0, 99, -1},
        {"/", 0, 99, -1},        /* before '0' */
        {":", 0, 99, -1},        /* after '9' */
        {"\xd9\xa1", 0, 99, -1}, /* a digit of another script */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = -2;
        bool taken =
            number_parse(rows[i].text, strlen(rows[i].text), rows[i].min, rows[i].max, &got);
        CHECK(rows[i].text, taken == (rows[i].want >= 0));
        CHECK(rows[i].text, got == (taken ? rows[i].want : -2));
    }
}

static void negative(void **state)
{
    static const struct {
        const char *text;
        bool taken;
        int64_t want;
    } rows[] = {{"0", true, 0},
                {"7", true, 7},
                {"-1", true, -1},
                {"9223372036854775807", true, INT64_MAX},
                {"-9223372036854775807", true, -INT64_MAX},
                {"-9223372036854775808", false, 0},
                {"", false, 0},
                {"-", false, 0},
                {"-0", false, 0},
                {"--1", false, 0},
                {"-01", false, 0},
                {"- 1", false, 0},
                {"+1", false, 0}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t got = -2;
        const bool taken = number_parse_signed(rows[i].text, strlen(rows[i].text), &got);
        CHECK(rows[i].text, taken == rows[i].taken);
        CHECK(rows[i].text, got == (taken ? rows[i].want : -2));
    }
}

/* Only len bytes count, and no NUL ends them early. */
static void length(void **state)
{
    int64_t got = -2;
    (void)state;
    assert_true(number_parse("123", 2, 0, 99, &got));
    assert_int_equal(got, 12);
    assert_false(number_parse("1\0002", 3, 0, 99, &got));
    assert_false(number_parse("1", 0, 0, 99, &got));
    assert_int_equal(got, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spellings),
        cmocka_unit_test(negative),
        cmocka_unit_test(length),
    };
    return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
