/* SPDX-License-Identifier: ISC */
/* The facts of an agent: found by their whole name, one after the other. */
#include "lib/lease/agent_fact.h"

#include "tests/unit/helpers.h"

#include <stdbool.h>

static void found(void **state)
{
    static const struct {
        const char *what, *text, *name, *first, *second; /* NULL: there is none */
    } rows[] = {
        {"one", "user li\n", "user", "li", NULL},
        {"among others", "hostname db1\nuser li\ntarget a:1\n", "user", "li", NULL},
        {"without a newline at the end", "hostname db1\nuser li", "user", "li", NULL},
        {"a value with blanks", "host_key ssh-a AA\n", "host_key", "ssh-a AA", NULL},
        {"two", "host_key a\nuser li\nhost_key b\n", "host_key", "a", "b"},
        {"a longer name", "users li\n", "user", NULL, NULL},
        {"a shorter name", "use li\n", "user", NULL, NULL},
        {"only as a value", "hostname user\nx user li\n", "user", NULL, NULL},
        {"an empty value", "user \n", "user", "", NULL},
        {"no value", "user\nhostname x\n", "user", NULL, NULL},
        {"no text", "", "user", NULL, NULL},
        {"cut", "user 0123456789\n", "user", "0123456", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *rest = rows[i].text, *const want[] = {rows[i].first, rows[i].second, NULL};
        char value[sizeof("host_key")] = "x";
        const size_t bytes = strcmp(rows[i].what, "cut") == 0 ? 8 : sizeof(value);
        for (size_t k = 0; k < COUNT(want); k++) {
            bool is_there = agent_fact_next(&rest, rows[i].name, value, bytes);
            CHECK(rows[i].what, is_there == (want[k] != NULL));
            CHECK_TEXT(rows[i].what, value, want[k] != NULL ? want[k] : "");
            if (!is_there)
                break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
