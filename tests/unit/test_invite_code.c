/* SPDX-License-Identifier: ISC */
/* Codes of invites: what people make of them on the way, and what is none. */
#include "lib/lease/invite_code.h"

#include "tests/unit/helpers.h"

#define CODE "KQ7P-3XMA-9TRE-WZ2H"

static void typed(void **state)
{
    static const struct {
        const char *what, *text, *problem;
    } rows[] = {
        {"as it was sent", CODE, NULL},
        {"small letters", "kq7p-3xma-9tre-wz2h", NULL},
        {"without hyphens", "KQ7P3XMA9TREWZ2H", NULL},
        {"hyphens elsewhere", "--KQ7-P3XMA--9TREWZ2-H-", NULL},
        {"nothing", "", "shorter"},
        {"hyphens alone", "----", "shorter"},
        {"one letter less", "KQ7P-3XMA-9TRE-WZ2", "shorter"},
        {"one letter more", CODE "2", "longer"},
        {"many more", CODE CODE CODE CODE, "longer"},
        {"a blank", "KQ7P 3XMA 9TRE WZ2H", "no code has"},
        {"a newline", CODE "\n", "no code has"},
        {"an I", "IQ7P-3XMA-9TRE-WZ2H", "no code has"},
        {"an o", "oQ7P-3XMA-9TRE-WZ2H", "no code has"},
        {"a 0", "0Q7P-3XMA-9TRE-WZ2H", "no code has"},
        {"a 1", "1Q7P-3XMA-9TRE-WZ2H", "no code has"},
        {"a metacharacter", "KQ7P-3XMA-9TRE-WZ2$", "no code has"},
        {"another letter of Latin-1", "\xe9Q7P-3XMA-9TRE-WZ2H", "no code has"},
        {"a long s, which is an S to some", "\xc5\xbfQ7P-3XMA-9TRE-WZ2H", "no code has"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char code[INVITE_CODE_BYTES] = "before";
        const char *problem = invite_code_parse(rows[i].text, code);
        CHECK(rows[i].what, (problem == NULL) == (rows[i].problem == NULL));
        CHECK_TEXT(rows[i].what, code, problem == NULL ? CODE : "before");
        if (problem != NULL)
            CHECK_PROBLEM(rows[i].what, problem, rows[i].problem);
    }
}

/* Each letter of the 32 comes at each of the 16 places, and no code comes twice. */
static void made(void **state)
{
    enum { CODES = 2000 };
    static char codes[CODES][INVITE_CODE_BYTES];
    unsigned char seen[INVITE_CODE_BYTES][128] = {{0}};
    (void)state;
    for (size_t i = 0; i < CODES; i++) {
        char parsed[INVITE_CODE_BYTES];
        invite_code_make(codes[i]);
        assert_null(invite_code_parse(codes[i], parsed));
        assert_string_equal(parsed, codes[i]);
        for (size_t at = 0; at < INVITE_CODE_BYTES; at++)
            seen[at][codes[i][at] & 127] = 1;
    }
    for (size_t at = 0; at < INVITE_CODE_BYTES - 1; at++) {
        unsigned letters = 0;
        for (size_t c = 0; c < 128; c++)
            letters += seen[at][c];
        assert_int_equal(letters, at % 5 == 4 ? 1 : 32);
    }
    qsort(codes, CODES, INVITE_CODE_BYTES, (int (*)(const void *, const void *))strcmp);
    for (size_t i = 1; i < CODES; i++)
        assert_string_not_equal(codes[i], codes[i - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(typed), cmocka_unit_test(made)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
