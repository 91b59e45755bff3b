/* SPDX-License-Identifier: ISC */
/* The screen and the keys of `leasectl top`: only what differs is written, nothing from outside
 * controls the terminal, and no sequence is taken apart into keys. */
#include "leasectl/show/bytes.h"
#include "leasectl/top/frame.h"
#include "leasectl/top/keys.h"

#include "tests/unit/helpers.h"

static void cells(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        enum frame_align align;
        const char *want;
    } rows[] = {{"ab", 4, FRAME_LEFT, "ab   "},
                {"ab", 4, FRAME_RIGHT, "  ab "},
                {"abcd", 4, FRAME_LEFT, "abcd "},
                {"abcde", 4, FRAME_LEFT, "abc+ "},
                {"abcde", 4, FRAME_RIGHT, "abc+ "},
                {"", 2, FRAME_LEFT, "   "},
                {"\033[2J", 8, FRAME_LEFT, "\\x1b[2J  "},
                {"\033[2J", 5, FRAME_LEFT, "\\x1b+ "},
                {"\xe6\xbc\xa2\xe5\xad\x97", 4, FRAME_LEFT, "\xe6\xbc\xa2\xe5\xad\x97 "},
                {"\xe6\xbc\xa2\xe5\xad\x97", 3, FRAME_LEFT, "\xe6\xbc\xa2+ "},
                {"\xe6\xbc\xa2\xe5\xad\x97", 2, FRAME_LEFT, "+  "},
                {"\xff", 6, FRAME_LEFT, "\\xff   "}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf line = {0};
        frame_add_cell(&line, rows[i].text, rows[i].width, rows[i].align);
        CHECK_TEXT(rows[i].text, buf_text(&line), rows[i].want);
        buf_release(&line);
    }
}

static void only_what_differs(void **state)
{
    struct frame shown = {.lines = NULL}, wanted = shown;
    struct buf out = {0};
    (void)state;
    assert_int_equal(frame_resize(&shown, 3, 5), 0);
    assert_int_equal(frame_resize(&wanted, 3, 5), 0);
    frame_set(&wanted, 0, FRAME_BOLD, "title and more");
    frame_set(&wanted, 1, FRAME_PLAIN, "one   ");
    frame_set(&wanted, 3, FRAME_PLAIN, "below");
    frame_paint(&shown, &wanted, true, &out);
    CHECK_TEXT("all", buf_text(&out),
               "\033[0m\033[2J\033[1;1H\033[K\033[1mtitl+\033[0m\033[2;1H\033[Kone");
    buf_clear(&out);
    frame_set(&shown, 0, FRAME_BOLD, "title and more");
    frame_set(&shown, 1, FRAME_PLAIN, "one");
    frame_paint(&shown, &wanted, false, &out);
    CHECK_TEXT("nothing", buf_text(&out), "");
    frame_set(&wanted, 1, FRAME_MARKED, "one");
    frame_paint(&shown, &wanted, false, &out);
    CHECK_TEXT("a mark", buf_text(&out), "\033[2;1H\033[K\033[7mone  \033[0m");
    buf_clear(&out);
    frame_clear(&wanted);
    frame_paint(&shown, &wanted, false, &out);
    CHECK_TEXT("empty lines", buf_text(&out), "\033[1;1H\033[K\033[2;1H\033[K");
    buf_release(&out);
    frame_release(&shown);
    frame_release(&wanted);
}

static void keys(void **state)
{
    static const struct {
        const char *bytes;
        int want;
        size_t used;
    } rows[] = {{"q", 'q', 1},
                {"\t", '\t', 1},
                {"\033", KEY_ESCAPE, 1},
                {"\033[A", KEY_UP, 3},
                {"\033OB", KEY_DOWN, 3},
                {"\033[5~y", KEY_PAGE_UP, 4},
                {"\033[6~", KEY_PAGE_DOWN, 4},
                {"\033[1~", KEY_HOME, 4},
                {"\033[H", KEY_HOME, 3},
                {"\033[4~", KEY_END, 4},
                {"\033[Z", KEY_BACK_TAB, 3},
                {"\033[200~y", KEY_OTHER, 6}, /* of a terminal that says what is pasted */
                {"\033[1;5A", KEY_OTHER, 6},
                {"\033[15~", KEY_OTHER, 5},
                {"\033[9~", KEY_OTHER, 4},
                {"\033[", KEY_OTHER, 2},
                {"\033[1;", KEY_OTHER, 4},
                {"\033y", KEY_OTHER, 2},
                {"\xc3\xa4y", KEY_OTHER, 2},
                {"\xff", KEY_OTHER, 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t used = 0;
        CHECK(rows[i].bytes, key_next(rows[i].bytes, strlen(rows[i].bytes), &used) == rows[i].want);
        CHECK(rows[i].bytes, used == rows[i].used);
    }
}

static void bytes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *want;
    } rows[] = {{0, "0"},          {1023, "1023"},    {1024, "1.0K"},
                {10188, "9.9K"},   {10189, "10K"},    {1048063, "1023K"},
                {1048064, "1.0M"}, {30000000, "29M"}, {UINT64_MAX, "16E"}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[BYTES_TEXT_BYTES];
        bytes_format(rows[i].bytes, text);
        CHECK_TEXT(rows[i].want, text, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells),
        cmocka_unit_test(only_what_differs),
        cmocka_unit_test(keys),
        cmocka_unit_test(bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
