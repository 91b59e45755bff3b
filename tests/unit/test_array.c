/* SPDX-License-Identifier: ISC */
/* Arrays that grow: what was in them stays, and a limit is exact. */
#include "lib/base/array.h"

#include "tests/unit/helpers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Adds one item, whose value is its index, to the array. */
static bool add(unsigned **items, size_t count, size_t *cap, size_t max)
{
    unsigned *grown = array_grow(*items, count, cap, sizeof(*grown), max);
    if (grown == NULL)
        return false;
    *items = grown;
    grown[count] = (unsigned)count;
    return true;
}

static void grows(void **state)
{
    enum { COUNT_MOST = 1000 };
    unsigned *items = NULL;
    size_t cap = 0;
    (void)state;
    for (size_t n = 0; n < COUNT_MOST; n++) {
        assert_true(add(&items, n, &cap, SIZE_MAX));
        assert_true(cap > n);
    }
    for (size_t i = 0; i < COUNT_MOST; i++)
        assert_int_equal(items[i], i);
    free(items);
}

static void limit(void **state)
{
    static const size_t limits[] = {0, 1, 15, 16, 17, 100};
    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        unsigned *items = NULL;
        size_t cap = 0, n = 0;
        errno = 0;
        while (n < 1000 && add(&items, n, &cap, limits[i]))
            n++;
        assert_int_equal(n, limits[i]);
        assert_int_equal(errno, EOVERFLOW);
        assert_true(cap <= limits[i]);
        free(items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(grows), cmocka_unit_test(limit)};
    return cmocka_run_group_tests_name("array", tests, NULL, NULL);
}
