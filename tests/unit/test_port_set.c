/* SPDX-License-Identifier: ISC */
/* Sets of ports, and how the kernel writes them. */
#include "lib/base/port_set.h"

#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

static void check_format(const struct port_set *set, const char *want)
{
    struct buf out = {0};
    port_set_format(set, &out);
    assert_string_equal(buf_text(&out), want);
    buf_release(&out);
}

static void ranges(void **state)
{
    struct port_set set = {0}, other = {0};
    (void)state;
    check_format(&set, "");
    assert_int_equal(port_set_count(&set), 0);
    port_set_add(&set, 65535, 65535);
    port_set_add(&set, 0, 0);
    port_set_add(&set, 20000, 20009);
    port_set_add(&set, 20010, 20010);
    port_set_add(&set, 20012, 20012);
    check_format(&set, "0,20000-20010,20012,65535");
    assert_int_equal(port_set_count(&set), 14);
    assert_true(port_set_has(&set, 20010) && !port_set_has(&set, 20011));
    port_set_add(&other, 20005, 30000);
    port_set_keep(&set, &other);
    check_format(&set, "20005-20010,20012");
    port_set_remove(&set, &(struct port_set){0});
    check_format(&set, "20005-20010,20012");
    port_set_remove(&set, &other);
    check_format(&set, "");
    port_set_add(&set, 0, 65535);
    check_format(&set, "0-65535");
    assert_int_equal(port_set_count(&set), 65536);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ranges)};
    return cmocka_run_group_tests_name("port_set", tests, NULL, NULL);
}
