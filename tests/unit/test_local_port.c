/* SPDX-License-Identifier: ISC */
/* The local ports of an ssh command line: all different, and none that only root may bind. */
#include "lib/lease/local_port.h"

#include "tests/unit/helpers.h"

#include <stdbool.h>

enum { ROW_PORTS = 4 };

static void assigned(void **state)
{
    static const struct {
        const char *what;
        uint16_t remote[ROW_PORTS], local[ROW_PORTS];
    } rows[] = {
        {"one keeps its number", {8009}, {8009}},
        {"two on one port: the next free one", {5432, 5432}, {5432, 5433}},
        {"three", {5432, 5432, 5432}, {5432, 5433, 5434}},
        {"the next one is another forward's", {5432, 5432, 5433}, {5432, 5434, 5433}},
        {"and that one stands before", {5433, 5432, 5432}, {5433, 5432, 5434}},
        {"below 1024", {80, 443}, {10080, 10443}},
        {"twice below 1024", {80, 80}, {10080, 10081}},
        {"the port that the shift leads to is another's", {80, 10080}, {10080, 10081}},
        {"1023 and 1024", {1023, 1024}, {11023, 1024}},
        {"past the last port", {65535, 65535, 65534, 65534}, {65535, 1024, 65534, 1025}},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint16_t got[ROW_PORTS] = {0};
        size_t count = 0;
        while (count < ROW_PORTS && rows[i].remote[count] != 0)
            count++;
        local_ports_assign(rows[i].remote, count, got);
        for (size_t k = 0; k < ROW_PORTS; k++)
            CHECK(rows[i].what, got[k] == rows[i].local[k]);
    }
}

static void all_different_when_there_are_many(void **state)
{
    enum { MANY = 16384 };
    static uint16_t remote[MANY], got[MANY];
    static bool seen[65536];
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        remote[i] = (uint16_t)(i % 3 == 0 ? 443 : 65000 + i % 500);
    local_ports_assign(remote, MANY, got);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(got[i] >= 1024);
        assert_false(seen[got[i]]);
        seen[got[i]] = true;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(assigned),
        cmocka_unit_test(all_different_when_there_are_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
