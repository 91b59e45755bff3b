/* SPDX-License-Identifier: ISC */
/* Names made from the comments of keys: each is one that grant would take. */
#include "lib/lease/made_name.h"

#include "tests/unit/helpers.h"

#define A32 "abcdefghijklmnopqrstuvwxyzABCDEF"
#define A62 A32 "abcdefghijklmnopqrstuvwxyzABCD"

static void from_comments(void **state)
{
    static const struct {
        const char *comment, *want;
    } rows[] = {
        {"", ""},
        {"alice@laptop", "alice@laptop"},
        {"s01-again", "s01-again"},
        {"alice on her laptop", "alice-on-her-laptop"},
        {"  blanks  around  ", "blanks-around"},
        {"-rf", "rf"},
        {"..hidden", "hidden"},
        {"a.-", "a.-"},
        {"\xc3\x9cn\xc3\xaf c\xc3\xb6"
         "d\xc3\xa9, with # and",
         "n-c-d-with-and"},
        {"\xc3\xbc", ""},
        {"#17", "17"},
        {"a/b\"c$d", "a-b-c-d"},
        {A32 A32 "tail", A32 A32},
        {A62 "z yx", A62 "z"},
        {A62 " yx", A62 "-y"},
    };
    char name[LEASE_NAME_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        made_name(rows[i].comment, strlen(rows[i].comment), name);
        CHECK_TEXT(rows[i].comment, name, rows[i].want);
        CHECK(rows[i].comment, name[0] == '\0' || lease_name_problem(name) == NULL);
    }
}

static void with_numbers(void **state)
{
    char name[LEASE_NAME_BYTES];
    (void)state;
    made_name_numbered("alice", 2, name);
    assert_string_equal(name, "alice-2");
    made_name_numbered(A32 A32, 100, name);
    assert_string_equal(name, A32 "abcdefghijklmnopqrstuvwxyzAB-100");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(from_comments),
                                       cmocka_unit_test(with_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
