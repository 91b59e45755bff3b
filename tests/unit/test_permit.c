/* SPDX-License-Identifier: ISC */
/* Permits: each form that is accepted, next to a similar one that is not; and canonical texts. */
#include "lib/lease/permit.h"

#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
/* 3 * 64 + 61 = 253 characters, the longest DNS name. */
#define NAME253                                                                                    \
    L63 "." L63 "." L63 "."                                                                        \
        "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

static const struct parse_row {
    const char *what, *text;
    const char *canonical[3]; /* as one port, a range, a ceiling; NULL: refused */
} parse_rows[] = {
#define ALL(text)                                                                                  \
    {                                                                                              \
        text, text, text                                                                           \
    }
#define NONE                                                                                       \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }
    {"bare port", "8009", ALL("127.0.0.1:8009")},
    {"smallest port", "1", ALL("127.0.0.1:1")},
    {"port 0", "0", NONE},
    {"largest port", "65535", ALL("127.0.0.1:65535")},
    {"port 65536", "65536", NONE},
    {"six digits", "100000", NONE},
    {"leading zero", "080", NONE},
    {"plus", "+80", NONE},
    {"minus", "-80", NONE},
    {"blank before", " 80", NONE},
    {"blank after", "80 ", NONE},
    {"hexadecimal port", "0x50", NONE},
    {"service name", "127.0.0.1:ssh", NONE},
    {"empty", "", NONE},
    {"colon alone", ":", NONE},
    {"port without host", ":80", NONE},
    {"host without port", "127.0.0.1", NONE},
    {"host, colon, no port", "127.0.0.1:", NONE},
    {"slash for colon", "127.0.0.1/80", NONE},
    {"quote", "127.0.0.1:80\"", NONE},
    {"comma", "127.0.0.1:80,81", NONE},
    {"line feed", "127.0.0.1:80\n", NONE},

    {"range of two", "80-81", {NULL, "127.0.0.1:80-81", "127.0.0.1:80-81"}},
    {"range of one", "80-80", {NULL, "127.0.0.1:80", "127.0.0.1:80"}},
    {"range of 256, largest of a lease",
     "1000-1255",
     {NULL, "127.0.0.1:1000-1255", "127.0.0.1:1000-1255"}},
    {"range of 257", "1000-1256", {NULL, NULL, "127.0.0.1:1000-1256"}},
    {"range backwards", "81-80", NONE},
    {"range without end", "80-", NONE},
    {"range without begin", "-80", NONE},
    {"range from 0", "0-80", NONE},
    {"range to 65535", "65280-65535", {NULL, "127.0.0.1:65280-65535", "127.0.0.1:65280-65535"}},
    {"range to 65536", "65281-65536", NONE},
    {"range of three", "80-81-82", NONE},
    {"range with blanks", "80 - 81", NONE},
    {"any port", "127.0.0.1:*", {NULL, NULL, "127.0.0.1:*"}},
    {"all ports by number", "127.0.0.1:1-65535", {NULL, NULL, "127.0.0.1:*"}},
    {"any port, bare", "*", {NULL, NULL, "127.0.0.1:*"}},
    {"port glob", "182*", NONE},
    {"any host", "*:80", NONE},
    {"host glob", "127.*:80", NONE},

    {"localhost", "localhost:80", ALL("127.0.0.1:80")},
    {"LOCALHOST", "LOCALHOST:80", ALL("127.0.0.1:80")},
    {"localhost with a dot", "localhost.:80", NONE},
    {"below localhost", "a.localhost:80", ALL("a.localhost:80")},
    {"IPv4", "10.1.2.3:80", ALL("10.1.2.3:80")},
    {"IPv4, leading zero", "127.0.0.01:80", NONE},
    {"IPv4, three parts", "127.0.1:80", NONE},
    {"IPv4, two parts", "127.1:80", NONE},
    {"IPv4, one part", "2130706433:80", NONE},
    {"IPv4, 256", "127.0.0.256:80", NONE},
    {"IPv4, octal", "0177.0.0.1:80", NONE},
    {"IPv4, hexadecimal", "0x7f000001:80", NONE},
    {"IPv4, hexadecimal, upper case", "0X7F000001:80", NONE},
    {"IPv4, hexadecimal last part", "127.0x1:80", NONE},
    {"hexadecimal with a letter past f", "0x7g:80", ALL("0x7g:80")},
    {"IPv4 in brackets", "[127.0.0.1]:80", NONE},
    {"IPv6", "[::1]:80", ALL("[::1]:80")},
    {"IPv6 without brackets", "::1:80", NONE},
    {"IPv6, long spelling", "[0:0:0:0:0:0:0:1]:80", ALL("[::1]:80")},
    {"IPv6, upper case", "[2001:DB8::A]:80", ALL("[2001:db8::a]:80")},
    {"IPv6, zone", "[fe80::1%lo]:80", NONE},
    {"IPv6, open bracket", "[::1:80", NONE},
    {"IPv6, text after the bracket", "[::1]x:80", NONE},
    {"IPv6, empty brackets", "[]:80", NONE},
    {"IPv6, brackets twice", "[[::1]]:80", NONE},
    {"IPv6, bare port form", "[::1]", NONE},
    {"IPv6 and a range", "[::1]:80-81", {NULL, "[::1]:80-81", "[::1]:80-81"}},
    {"IPv4 mapped is no IPv4", "[::ffff:127.0.0.1]:80", ALL("[::ffff:127.0.0.1]:80")},

    {"DNS name", "Db1.Example.COM:80", ALL("db1.example.com:80")},
    {"one label", "db1:80", ALL("db1:80")},
    {"underscore", "_x.a_b:80", ALL("_x.a_b:80")},
    {"hyphen within", "a-b.c:80", ALL("a-b.c:80")},
    {"hyphen first", "-a.c:80", NONE},
    {"hyphen first in a later label", "a.-b:80", NONE},
    {"hyphen last", "a-.c:80", NONE},
    {"hyphen at the very end", "a.c-:80", NONE},
    {"empty label", "a..c:80", NONE},
    {"dot first", ".a:80", NONE},
    {"dot last", "a.:80", NONE},
    {"last label starts with a digit", "a.1c:80", ALL("a.1c:80")},
    {"last label a number", "a.1:80", NONE},
    {"label of 63", L63 ".c:80", ALL(L63 ".c:80")},
    {"label of 64", "a" L63 ".c:80", NONE},
    {"name of 253", NAME253 ":80", ALL(NAME253 ":80")},
    {"name of 254", NAME253 "z:80", NONE},
    {"name of 256", NAME253 "zzz:80", NONE},
    {"not ASCII",
     "b\xc3\xbc"
     "cher.de:80",
     NONE},
    {"blank in the name", "a b:80", NONE},
    {"quote in the name", "a\"b:80", NONE},
    {"user in the name", "li@db1:80", NONE},
    {"sshd's deny form is no host of ours in upper case only", "NONE:1", ALL("none:1")},
#undef ALL
#undef NONE
};

static void parse_and_format(void **state)
{
    static const enum permit_form forms[] = {PERMIT_PORT, PERMIT_RANGE, PERMIT_CEILING};
    (void)state;
    for (size_t i = 0; i < COUNT(parse_rows); i++) {
        const struct parse_row *row = &parse_rows[i];
        for (size_t f = 0; f < COUNT(forms); f++) {
            struct permit p = {.host = "untouched", .low = 7}, again;
            char text[PERMIT_TEXT_BYTES];
            const char *problem = permit_parse(row->text, forms[f], &p);
            CHECK_PROBLEM(row->what, problem, row->canonical[f] != NULL ? NULL : "");
            if (problem != NULL) {
                CHECK_TEXT(row->what, p.host, "untouched");
                CHECK(row->what, p.low == 7);
                continue;
            }
            permit_format(&p, text);
            CHECK_TEXT(row->what, text, row->canonical[f]);
            CHECK_PROBLEM(row->what, permit_parse(text, PERMIT_CEILING, &again), NULL);
            CHECK(row->what, permit_equal(&p, &again));
        }
    }
}

static struct permit permit_of(const char *text)
{
    struct permit p;
    CHECK_PROBLEM(text, permit_parse(text, PERMIT_CEILING, &p), NULL);
    return p;
}

static void contains_and_equal(void **state)
{
    static const struct {
        const char *what, *outer, *inner;
        bool contains, equal;
    } rows[] = {
        {"itself", "127.0.0.1:80", "127.0.0.1:80", true, true},
        {"localhost is 127.0.0.1", "localhost:80", "127.0.0.1:80", true, true},
        {"another port", "127.0.0.1:80", "127.0.0.1:81", false, false},
        {"another host", "127.0.0.1:80", "127.0.0.2:80", false, false},
        {"another family", "127.0.0.1:80", "[::1]:80", false, false},
        {"lowest of a range", "80-90", "80", true, false},
        {"below it", "80-90", "79", false, false},
        {"highest of a range", "80-90", "90", true, false},
        {"above it", "80-90", "91", false, false},
        {"a range in a range", "80-90", "81-89", true, false},
        {"a range over its end", "80-90", "81-91", false, false},
        {"a range over its begin", "80-90", "79-89", false, false},
        {"a larger range", "80-90", "79-91", false, false},
        {"all ports", "*", "1-65535", true, true},
        {"a name is not its address", "a.localhost:*", "127.0.0.1:80", false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct permit outer = permit_of(rows[i].outer), inner = permit_of(rows[i].inner);
        CHECK(rows[i].what, permit_contains(&outer, &inner) == rows[i].contains);
        CHECK(rows[i].what, permit_equal(&outer, &inner) == rows[i].equal);
    }
}

static void loopback(void **state)
{
    static const struct {
        const char *text;
        bool loopback;
    } rows[] = {{"127.0.0.1:80", true}, {"localhost:80", true},
                {"80", true},           {"127.0.0.2:80", false},
                {"[::1]:80", false},    {"a.localhost:80", false},
                {"0.0.0.0:80", false},  {"[::ffff:127.0.0.1]:80", false}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct permit p = permit_of(rows[i].text);
        CHECK(rows[i].text, permit_is_loopback4(&p) == rows[i].loopback);
    }
}

static void reachable(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {{"0.0.0.0:80", "127.0.0.1:80"},
                {"[::]:80", "[::1]:80"},
                {"10.0.0.5:80", "10.0.0.5:80"},
                {"[::1]:80", "[::1]:80"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[PERMIT_TEXT_BYTES];
        struct permit p = permit_of(rows[i].text);
        permit_make_reachable(&p);
        permit_format(&p, text);
        CHECK_TEXT(rows[i].text, text, rows[i].want);
    }
}

static void list_texts(void **state)
{
    static const struct {
        const char *what, *text;
        const char *canonical; /* NULL: refused */
    } rows[] = {
        {"empty", "", ""},
        {"one", "127.0.0.1:80", "127.0.0.1:80"},
        {"two", "127.0.0.1:80 [::1]:80", "127.0.0.1:80 [::1]:80"},
        {"order stays", "b:2 a:1", "b:2 a:1"},
        {"range", "127.0.0.1:80-89", "127.0.0.1:80-89"},
        {"range of 256", "127.0.0.1:1-256", "127.0.0.1:1-256"},
        {"range of 257", "127.0.0.1:1-257", NULL},
        {"any port", "127.0.0.1:*", NULL},
        {"1024 ports", "a:1-256 b:1-256 c:1-256 d:1-256", "a:1-256 b:1-256 c:1-256 d:1-256"},
        {"1025 ports", "a:1-256 b:1-256 c:1-256 d:1-256 e:1", NULL},
        {"the same twice", "127.0.0.1:80 127.0.0.1:80", NULL},
        {"the same twice, spelled otherwise", "127.0.0.1:80 localhost:80", NULL},
        {"blank before", " a:1", NULL},
        {"blank after", "a:1 ", NULL},
        {"two blanks between", "a:1  b:1", NULL},
        {"a blank alone", " ", NULL},
        {"tab between", "a:1\tb:1", NULL},
        {"comma between", "a:1,b:1", NULL},
        {"a bad one at the end", "a:1 b:0", NULL},
        {"a bad one first", "a:0 b:1", NULL},
        {"a flipped bit", "127.0.0.1:80 127.0.0.1:8\xb0", NULL},
        {"an item longer than any", NAME253 "." NAME253 ":1", NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct permit mark;
        struct permit_list list = {.items = &mark, .count = 99};
        struct buf out = {0};
        int rc = permit_list_parse(rows[i].text, &list);
        CHECK(rows[i].what, rc == (rows[i].canonical != NULL ? 0 : -1));
        if (rc != 0) {
            CHECK(rows[i].what, list.items == &mark && list.count == 99);
            continue;
        }
        permit_list_format(&list, &out);
        CHECK_TEXT(rows[i].what, buf_text(&out), rows[i].canonical);
        buf_release(&out);
        permit_list_release(&list);
        CHECK(rows[i].what, list.items == NULL && list.count == 0);
    }
}

static void list_limits(void **state)
{
    struct permit_list list = {0};
    struct buf text = {0};
    (void)state;
    for (unsigned i = 1; i <= PERMIT_LIST_MAX; i++) {
        const struct permit p = {.host = "127.0.0.1", .low = (uint16_t)i, .high = (uint16_t)i};
        assert_null(permit_list_add(&list, &p));
    }
    const struct permit one = {.host = "127.0.0.1", .low = 65, .high = 65};
    const struct permit had = {.host = "127.0.0.1", .low = 64, .high = 64};
    CHECK_PROBLEM("65th, smallest refused", permit_list_add(&list, &one), "at most 64");
    CHECK_PROBLEM("64th again", permit_list_add(&list, &had), "twice");
    assert_true(permit_list_has(&list, &had));
    assert_false(permit_list_has(&list, &one));
    assert_int_equal(list.count, PERMIT_LIST_MAX);
    permit_list_format(&list, &text);
    permit_list_release(&list);

    assert_int_equal(permit_list_parse(buf_text(&text), &list), 0);
    assert_int_equal(list.count, PERMIT_LIST_MAX);
    permit_list_release(&list);
    buf_add(&text, " 127.0.0.1:65");
    assert_int_equal(permit_list_parse(buf_text(&text), &list), -1);
    buf_release(&text);

    for (char host = 'a'; host <= 'd'; host++) {
        struct permit range = {.low = 1, .high = 256};
        range.host[0] = host;
        CHECK_PROBLEM("1024 ports, largest accepted", permit_list_add(&list, &range), NULL);
    }
    CHECK_PROBLEM("1025 ports, smallest refused", permit_list_add(&list, &one), "1024 ports");
    permit_list_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_and_format), cmocka_unit_test(contains_and_equal),
        cmocka_unit_test(loopback),         cmocka_unit_test(list_texts),
        cmocka_unit_test(list_limits),      cmocka_unit_test(reachable),
    };
    return cmocka_run_group_tests_name("permit", tests, NULL, NULL);
}
