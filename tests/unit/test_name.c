/* SPDX-License-Identifier: ISC */
/* Names, logins and free text: the characters and lengths on both sides of each limit. */
#include "lib/lease/name.h"

#include "tests/unit/helpers.h"

#define A32 "abcdefghijklmnopqrstuvwxyzABCDEF"
#define A64 A32 A32

static void names_and_logins(void **state)
{
    static const struct {
        const char *what, *text, *as_name, *as_login; /* NULL: accepted */
    } rows[] = {
        {"one letter", "a", NULL, NULL},
        {"every character", "azAZ09._-", NULL, NULL},
        {"every character, other end first", "_-.90", NULL, NULL},
        {"@ within", "li@laptop", NULL, "may hold only"},
        {"@ first", "@li", NULL, "may hold only"},
        {"digit first", "0a", NULL, NULL},
        {"digits alone", "17", NULL, NULL},
        {"empty", "", "empty", "empty"},
        {"hyphen first", "-a", "may not start", "may not start"},
        {"dot first", ".a", "may not start", "may not start"},
        {"two dots", "..", "may not start", "may not start"},
        {"underscore first", "_a", NULL, NULL},
        {"hyphen and dot last", "a.-", NULL, NULL},
        {"32 characters", A32, NULL, NULL},
        {"33 characters", A32 "z", NULL, "32"},
        {"64 characters", A64, NULL, "32"},
        {"65 characters", A64 "z", "64", "32"},
        {"blank", "a b", "may hold only", "may hold only"},
        {"slash", "a/b", "may hold only", "may hold only"},
        {"quote", "a\"b", "may hold only", "may hold only"},
        {"dollar", "a$b", "may hold only", "may hold only"},
        {"number sign, as of #17", "#17", "may hold only", "may hold only"},
        {"freeze's name", "!pfwd", "may hold only", "may hold only"},
        {"freeze of all", "*", "may hold only", "may hold only"},
        {"colon", "a:b", "may hold only", "may hold only"},
        {"comma", "a,b", "may hold only", "may hold only"},
        {"line feed last", "a\n", "may hold only", "may hold only"},
        {"DEL", "a\x7f", "may hold only", "may hold only"},
        {"not ASCII", "b\xc3\xbc", "may hold only", "may hold only"},
        {"byte 0xff", "\xff", "may hold only", "may hold only"},
        {"before A", "a@", NULL, "may hold only"},
        {"after Z", "a[", "may hold only", "may hold only"},
        {"before a", "a`", "may hold only", "may hold only"},
        {"after z", "a{", "may hold only", "may hold only"},
        {"before 0", "a/", "may hold only", "may hold only"},
        {"after 9", "a:", "may hold only", "may hold only"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_PROBLEM(rows[i].what, lease_name_problem(rows[i].text), rows[i].as_name);
        CHECK_PROBLEM(rows[i].what, login_name_problem(rows[i].text), rows[i].as_login);
    }
}

static void every_byte(void **state)
{
    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[] = {'a', (char)c, '\0'};
        int alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        int name = alnum || c == '.' || c == '_' || c == '@' || c == '-';
        assert_int_equal(lease_name_problem(text) == NULL, name);
        assert_int_equal(login_name_problem(text) == NULL, name && c != '@');
        assert_int_equal(free_text_problem(text) == NULL, c >= 0x20 && c < 0x7f);
    }
}

static void free_texts(void **state)
{
    static const struct {
        const char *what, *text, *problem;
    } rows[] = {
        {"empty", "", NULL},
        {"blanks and signs", " \"it's\" #1, 50% \\ {x} ", NULL},
        {"256 bytes", A64 A64 A64 A64, NULL},
        {"257 bytes", A64 A64 A64 A64 "z", "256"},
        {"last of C0", "a\x1f", "control"},
        {"first after C0", "a ", NULL},
        {"tab", "a\tb", "control"},
        {"line feed", "a\nb", "control"},
        {"CR", "a\rb", "control"},
        {"escape", "\x1b]0;x\a", "control"},
        {"tilde, last before DEL", "~", NULL},
        {"DEL", "\x7f", "control"},
        {"U+0080, first of C1", "\xc2\x80", "control"},
        {"U+009F, last of C1", "\xc2\x9f", "control"},
        {"U+00A0, first after C1", "\xc2\xa0", NULL},
        {"U+061B, before the Arabic letter mark", "\xd8\x9b", NULL},
        {"U+061C, Arabic letter mark", "\xd8\x9c", "control"},
        {"U+061D, after it", "\xd8\x9d", NULL},
        {"U+07FF, last of two bytes", "\xdf\xbf", NULL},
        {"U+0800, first of three", "\xe0\xa0\x80", NULL},
        {"U+200D, before the marks", "\xe2\x80\x8d", NULL},
        {"U+200E, left-to-right mark", "\xe2\x80\x8e", "control"},
        {"U+200F, right-to-left mark", "\xe2\x80\x8f", "control"},
        {"U+2010, after the marks", "\xe2\x80\x90", NULL},
        {"U+2027, before the separators", "\xe2\x80\xa7", NULL},
        {"U+2028, line separator", "\xe2\x80\xa8", "control"},
        {"U+2029, paragraph separator", "\xe2\x80\xa9", "control"},
        {"U+202A, embedding", "\xe2\x80\xaa", "control"},
        {"U+202E, override", "\xe2\x80\xae", "control"},
        {"U+202F, after the overrides", "\xe2\x80\xaf", NULL},
        {"U+2065, before the isolates", "\xe2\x81\xa5", NULL},
        {"U+2066, isolate", "\xe2\x81\xa6", "control"},
        {"U+2069, end of isolate", "\xe2\x81\xa9", "control"},
        {"U+206A, after the isolates", "\xe2\x81\xaa", NULL},
        {"U+D7FF, before the surrogates", "\xed\x9f\xbf", NULL},
        {"U+D800, surrogate", "\xed\xa0\x80", "UTF-8"},
        {"U+FEFE, before the byte order mark", "\xef\xbb\xbe", NULL},
        {"U+FEFF, byte order mark", "\xef\xbb\xbf", "control"},
        {"U+FF00, after it", "\xef\xbc\x80", NULL},
        {"U+E000, after the surrogates", "\xee\x80\x80", NULL},
        {"U+10000, first of four", "\xf0\x90\x80\x80", NULL},
        {"U+10FFFF, last", "\xf4\x8f\xbf\xbf", NULL},
        {"U+110000", "\xf4\x90\x80\x80", "UTF-8"},
        {"five bytes", "\xf8\x88\x80\x80\x80", "UTF-8"},
        {"overlong /", "\xc0\xaf", "UTF-8"},
        {"overlong of two, last", "\xc1\xbf", "UTF-8"},
        {"overlong of three, last", "\xe0\x9f\xbf", "UTF-8"},
        {"overlong of four, last", "\xf0\x8f\xbf\xbf", "UTF-8"},
        {"continuation alone", "\x80", "UTF-8"},
        {"two bytes, cut", "\xc3", "UTF-8"},
        {"three bytes, cut", "\xe2\x82", "UTF-8"},
        {"four bytes, cut", "\xf0\x9f\x94", "UTF-8"},
        {"lead byte, then ASCII", "\xc3z", "UTF-8"},
        {"0xfe", "\xfe", "UTF-8"},
        {"0xff", "\xff", "UTF-8"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_PROBLEM(rows[i].what, free_text_problem(rows[i].text), rows[i].problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_logins),
        cmocka_unit_test(every_byte),
        cmocka_unit_test(free_texts),
    };
    return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
