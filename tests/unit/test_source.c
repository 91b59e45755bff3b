/* SPDX-License-Identifier: ISC */
/* Address lists: as people type them, as sshd accepts them, and which addresses match. */
#include "lib/lease/source.h"

#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

static void lists(void **state)
{
    static const struct {
        const char *what, *text, *printed, *problem;
    } rows[] = {
        {"IPv4", "192.0.2.1", "192.0.2.1", NULL},
        {"IPv4 with its whole length", "192.0.2.1/32", "192.0.2.1", NULL},
        {"network", "192.0.2.0/24", "192.0.2.0/24", NULL},
        {"host bits cleared", "192.0.2.77/24", "192.0.2.0/24", NULL},
        {"host bits cleared within a byte", "192.0.2.77/26", "192.0.2.64/26", NULL},
        {"host bits of one", "192.0.2.77/31", "192.0.2.76/31", NULL},
        {"everything", "10.1.2.3/0", "0.0.0.0/0", NULL},
        {"prefix 33", "192.0.2.1/33", NULL, "too large"},
        {"prefix 999", "192.0.2.1/999", NULL, "too large"},
        {"prefix of four digits", "192.0.2.1/0024", NULL, "malformed"},
        {"prefix with a leading zero", "192.0.2.1/08", NULL, "malformed"},
        {"prefix 00", "192.0.2.1/00", NULL, "malformed"},
        {"no prefix after the slash", "192.0.2.1/", NULL, "malformed"},
        {"negative prefix", "192.0.2.1/-1", NULL, "malformed"},
        {"prefix with a blank", "192.0.2.1/ 8", NULL, "malformed"},
        {"netmask", "192.0.2.0/255.255.255.0", NULL, "malformed"},
        {"two slashes", "192.0.2.0/24/8", NULL, "malformed"},
        {"IPv4 of three parts", "10.0.1", NULL, "neither"},
        {"IPv4 with a leading zero", "10.0.0.01", NULL, "neither"},
        {"IPv4, 256", "10.0.0.256", NULL, "neither"},
        {"hexadecimal", "0x0a000001", NULL, "neither"},

        {"IPv6", "2001:db8::1", "2001:db8::1", NULL},
        {"IPv6 in upper case", "2001:DB8::A", "2001:db8::a", NULL},
        {"IPv6 with its whole length", "::1/128", "::1", NULL},
        {"IPv6, prefix 129", "::1/129", NULL, "too large"},
        {"IPv6, host bits cleared", "2001:db8:ffff::1/33", "2001:db8:8000::/33", NULL},
        {"IPv6, everything", "::/0", "::/0", NULL},
        {"IPv6 in brackets", "[::1]", NULL, "neither"},
        {"link-local with a zone", "FE80::1%eth0", "fe80::1%eth0", NULL},
        {"longest zone", "fe80::1%a23456789012345", "fe80::1%a23456789012345", NULL},
        {"a zone of one more", "fe80::1%a234567890123456", NULL, "neither"},
        {"network in a zone", "fe80::1%br-lan.7/64", "fe80::%br-lan.7/64", NULL},
        {"the widest network in a zone", "fe80::%eth0/10", "fe80::%eth0/10", NULL},
        {"a wider network in a zone", "fe80::%eth0/9", NULL, "at least 10"},
        {"the zone behind the prefix", "fe80::/64%eth0", NULL, "malformed"},
        {"no zone after the mark", "fe80::1%", NULL, "neither"},
        {"zone with a quote", "fe80::1%e\"", NULL, "neither"},
        {"two zones", "fe80::1%a%b", NULL, "neither"},
        {"an address that needs no zone", "2001:db8::1%eth0", NULL, "neither"},
        {"IPv4 with a zone", "192.0.2.1%eth0", NULL, "neither"},
        {"mapped IPv4 becomes IPv4", "::ffff:192.0.2.1", "192.0.2.1", NULL},
        {"mapped IPv4, hexadecimal", "::ffff:c000:201", "192.0.2.1", NULL},
        {"network of mapped IPv4", "::ffff:192.0.2.0/120", NULL, "as IPv4"},
        {"all of mapped IPv4", "::ffff:0:0/96", NULL, "as IPv4"},
        {"IPv4 embedded otherwise stays IPv6", "64:ff9b::192.0.2.1", "64:ff9b::c000:201", NULL},
        {"longest text", "fe80:0000:0000:0000:0000:0000:255.255.255.255%a23456789012345/128",
         "fe80::ffff:ffff%a23456789012345", NULL},
        {"one character more", "fe80:0000:0000:0000:0000:0000:255.255.255.255%a23456789012345/1280",
         NULL, "too long"},

        {"list", "10.0.0.0/8,192.0.2.1,2001:db8::/32", "10.0.0.0/8,192.0.2.1,2001:db8::/32", NULL},
        {"empty: nowhere and anywhere must not look alike", "", NULL, "missing"},
        {"comma alone", ",", NULL, "missing"},
        {"comma first", ",10.0.0.1", NULL, "missing"},
        {"comma last", "10.0.0.1,", NULL, "missing"},
        {"two commas", "10.0.0.1,,10.0.0.2", NULL, "missing"},
        {"blank after a comma", "10.0.0.1, 10.0.0.2", NULL, "neither"},
        {"negation", "!10.0.0.1", NULL, "neither"},
        {"glob", "10.*", NULL, "neither"},
        {"name", "gw.example.com", NULL, "neither"},
        {"any", "any", NULL, "neither"},
        {"quote", "10.0.0.1\"", NULL, "neither"},
        {"line feed", "10.0.0.1\n", NULL, "neither"},
        {"a bad one last", "10.0.0.1,10.0.0.0/40", NULL, "too large"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct source_list list = {.count = 99}, again;
        struct buf out = {0};
        CHECK_PROBLEM(rows[i].what, source_list_parse(rows[i].text, &list), rows[i].problem);
        if (rows[i].problem != NULL) {
            CHECK(rows[i].what, list.count == 99);
            continue;
        }
        source_list_format(&list, &out);
        CHECK_TEXT(rows[i].what, buf_text(&out), rows[i].printed);
        CHECK_PROBLEM("what is printed is taken", source_list_parse(buf_text(&out), &again), NULL);
        CHECK(rows[i].what, memcmp(&list.items[0], &again.items[0], sizeof(list.items[0])) == 0);
        buf_release(&out);
    }
}

static void list_limit(void **state)
{
    struct source_list list;
    struct buf text = {0};
    (void)state;
    for (unsigned i = 0; i < SOURCE_LIST_MAX; i++)
        buf_addf(&text, "%s10.0.0.%u", i > 0 ? "," : "", i);
    CHECK_PROBLEM("32, largest accepted", source_list_parse(buf_text(&text), &list), NULL);
    assert_int_equal(list.count, SOURCE_LIST_MAX);
    buf_add(&text, ",10.0.0.99");
    CHECK_PROBLEM("33, smallest refused", source_list_parse(buf_text(&text), &list),
                  "more than 32");
    buf_release(&text);
}

static void matches(void **state)
{
    static const struct {
        const char *what, *list, *addr;
        bool in;
    } rows[] = {
        {"no list", NULL, "203.0.113.9", true},
        {"no list, no address", NULL, "UNKNOWN", true},
        {"itself", "192.0.2.1", "192.0.2.1", true},
        {"its neighbour", "192.0.2.1", "192.0.2.2", false},
        {"first of a network", "192.0.2.64/26", "192.0.2.64", true},
        {"before it", "192.0.2.64/26", "192.0.2.63", false},
        {"last of a network", "192.0.2.64/26", "192.0.2.127", true},
        {"after it", "192.0.2.64/26", "192.0.2.128", false},
        {"written with host bits", "10.9.9.9/8", "10.0.0.1", true},
        {"IPv4 mapped is IPv4", "192.0.2.0/24", "::ffff:192.0.2.9", true},
        {"IPv4 mapped outside", "192.0.2.0/24", "::ffff:192.0.3.9", false},
        {"listed mapped, asked plain", "::ffff:192.0.2.1", "192.0.2.1", true},
        {"all IPv4", "0.0.0.0/0", "203.0.113.9", true},
        {"all IPv4 holds no IPv6", "0.0.0.0/0", "2001:db8::1", false},
        {"all IPv6 holds no IPv4", "::/0", "203.0.113.9", false},
        {"all IPv6 holds no mapped IPv4", "::/0", "::ffff:203.0.113.9", false},
        {"all IPv6", "::/0", "2001:db8::1", true},
        {"IPv6 network", "2001:db8::/33", "2001:db8:7fff:ffff::1", true},
        {"IPv6 after the network", "2001:db8::/33", "2001:db8:8000::", false},
        {"the same leading bytes, other family", "32.1.13.184/32", "2001:db8::", false},
        {"second of a list", "10.0.0.0/8,192.0.2.1", "192.0.2.1", true},
        {"none of a list", "10.0.0.0/8,192.0.2.1", "192.0.2.2", false},
        {"sshd's UNKNOWN", "0.0.0.0/0,::/0", "UNKNOWN", false},
        {"no address", "0.0.0.0/0,::/0", "", false},
        {"the same zone", "fe80::1%eth0", "fe80::1%eth0", true},
        {"another zone", "fe80::1%eth0", "fe80::1%eth1", false},
        {"a zone asked, none listed", "fe80::/10", "fe80::1%eth0", false},
        {"a zone listed, none asked", "fe80::1%eth0", "fe80::1", false},
        {"network in the zone", "fe80::%eth0/64", "fe80::9%eth0", true},
        {"all IPv6 holds no zone", "::/0", "fe80::1%eth0", false},
        {"a network is no address", "10.0.0.0/8", "10.0.0.0/8", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct source_list list = {.count = 0};
        if (rows[i].list != NULL)
            CHECK_PROBLEM(rows[i].what, source_list_parse(rows[i].list, &list), NULL);
        CHECK(rows[i].what, source_list_matches(&list, rows[i].addr) == rows[i].in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),
        cmocka_unit_test(list_limit),
        cmocka_unit_test(matches),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
