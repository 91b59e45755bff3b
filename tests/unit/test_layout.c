/* SPDX-License-Identifier: ISC */
/* Tables on a terminal: how wide text is, where it is wrapped, and what a table does that does not
 * fit. */
#include "lib/base/layout.h"

#include "lib/base/buf.h"
#include "lib/base/wrap.h"

#include "tests/unit/helpers.h"

#define WIDE "\xe6\x97\xa5\xe6\x9c\xac" /* two characters of two columns each */

static void widths(void **state)
{
    static const struct {
        const char *what, *text;
        size_t width, longest;
    } rows[] = {
        {"empty", "", 0, 0},
        {"ASCII", "alice", 5, 5},
        {"two words", "alice bo", 8, 5},
        {"blanks alone", "  ", 2, 0},
        {"two bytes, one column", "J\xc3\xbcrg", 4, 4},
        {"wide", WIDE, 4, 4},
        {"outside the first plane", "\xf0\x9f\x94\x91", 2, 2},
        {"combining", "e\xcc\x81", 1, 1},
        {"not UTF-8", "a\xff\xff", 3, 3},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].what, wrap_width(rows[i].text) == rows[i].width);
        CHECK(rows[i].what, wrap_longest_word(rows[i].text) == rows[i].longest);
    }
}

static void wraps(void **state)
{
    static const struct {
        const char *what, *text;
        size_t width;
        const char *lines; /* each ends in '|' */
    } rows[] = {
        {"nothing", "", 5, ""},
        {"blanks alone", "   ", 5, ""},
        {"it fits", "alice", 5, "alice|"},
        {"one column less", "alice", 4, "alic|e|"},
        {"between words", "aa bb cc", 5, "aa bb|cc|"},
        {"one column less: after the first word", "aa bb cc", 4, "aa|bb|cc|"},
        {"blanks before a line go", "aa    bb", 4, "aa|bb|"},
        {"blanks within a line stay", "a  b c", 4, "a  b|c|"},
        {"blanks at both ends go", "  aa  ", 9, "aa|"},
        {"a long word after a short one", "a bbbbbb c", 4, "a|bbbb|bb c|"},
        {"after punctuation", "127.0.0.1:8009", 12, "127.0.0.1:|8009|"},
        {"but not where that leaves a short line", "a-bbbbbbbbb", 8, "a-bbbbbb|bbb|"},
        {"wide characters are not cut", WIDE WIDE, 5, WIDE "|" WIDE "|"},
        {"a wide character in one column", WIDE, 1, "\xe6\x97\xa5|\xe6\x9c\xac|"},
        {"combining ones stay with their letter",
         "e\xcc\x81"
         "e\xcc\x81",
         1,
         "e\xcc\x81|"
         "e\xcc\x81|"},
        {"not UTF-8", "\xff\xff\xff", 2, "\xff\xff|\xff|"},
        {"no width at all", "ab", 0, "a|b|"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf got = {0};
        const char *rest = rows[i].text, *line;
        size_t bytes;
        while ((line = wrap_next_line(&rest, rows[i].width, &bytes)) != NULL)
            buf_addf(&got, "%.*s|", (int)bytes, line);
        CHECK_TEXT(rows[i].what, buf_text(&got), rows[i].lines);
        buf_release(&got);
    }
}

/* A table of at most two rows; its columns in the terminal's columns as text: widths separated by
 * blanks, "-" for a column that is left out, or "blocks LABEL VALUE". */
static const struct layout_row {
    const char *what;
    const char *headings[5], *first[5], *second[5];
    size_t terminal;
    const char *want;
} layout_rows[] = {
    {"it fits exactly", {"A", "B"}, {"aaa", "bbb"}, {"a", "b"}, 8, "3 3"},
    {"a heading is a cell", {"HEAD", "B"}, {"a", "b"}, {NULL}, 7, "4 1"},
    {"empty columns stay where there is room", {"A", "B"}, {"aaa", ""}, {NULL}, 6, "3 1"},
    {"and go first where there is none", {"A", "B"}, {"aaa", ""}, {NULL}, 5, "3 -"},
    {"a column that is empty in one row stays", {"A", "B"}, {"aaa bbb", ""}, {"a", "b"}, 6, "3 1"},
    {"empty columns are enough", {"A", "B", "C"}, {"aa bb", "", "c"}, {NULL}, 8, "5 - 1"},
    {"then the widest is wrapped", {"A", "B"}, {"aa aa aa", "bb"}, {NULL}, 9, "5 2"},
    {"the widest alone", {"A", "B"}, {"aa aa aa aa", "bb bb"}, {NULL}, 15, "8 5"},
    {"both, when they are as wide", {"A", "B"}, {"aa aa aa", "bb bb bb"}, {NULL}, 15, "7 6"},
    {"down to the longest word", {"A", "B"}, {"aaaaaa a", "b bbbb"}, {NULL}, 12, "6 4"},
    {"words of more than 12 are broken before all else",
     {"A", "B"},
     {"aaaaaaaaaaaaaaaaaaaa", "bbbbbb bbbbbb"},
     {NULL},
     22,
     "14 6"},
    {"down to 12", {"A", "B"}, {"aaaaaaaaaaaaaaaaaaaa", "bbbbbb bbbbbb"}, {NULL}, 20, "12 6"},
    {"then it is blocks",
     {"A", "B"},
     {"aaaaaaaaaaaaaaaaaaaa", "bbbbbb bbbbbb"},
     {NULL},
     19,
     "blocks 3 16"},
    {"the longest heading is the label",
     {"ABC", "HEADING"},
     {"aaaaaaaaaaaaaaaaaaaa", "b"},
     {NULL},
     20,
     "blocks 9 11"},
    {"8 columns for a value", {"ABC", "HEADING"}, {"aaaaaaaaaaaa", "b"}, {NULL}, 17, "blocks 9 8"},
    {"no room for labels", {"ABC", "HEADING"}, {"aaaaaaaaaaaa", "b"}, {NULL}, 16, "blocks 0 16"},
    {"one column", {"ABC", "HEADING"}, {"aaaaaaaaaaaa", "b"}, {NULL}, 1, "blocks 0 1"},
    {"no rows: the headings stay", {"A", "B"}, {NULL}, {NULL}, 4, "1 1"},
};

static void add_row(struct layout *l, const char *const *cells, bool heading)
{
    for (size_t c = 0; c < l->column_count && cells[0] != NULL; c++)
        layout_add_cell(l, c, cells[c], heading);
}

static void layouts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(layout_rows); i++) {
        const struct layout_row *row = &layout_rows[i];
        struct layout l;
        struct buf got = {0};
        size_t count = 0;
        while (row->headings[count] != NULL)
            count++;
        layout_init(&l, count);
        add_row(&l, row->headings, true);
        add_row(&l, row->first, false);
        add_row(&l, row->second, false);
        layout_fit(&l, row->terminal);
        if (l.blocks)
            buf_addf(&got, "blocks %zu %zu", l.label_width, l.value_width);
        for (size_t c = 0; !l.blocks && c < count; c++) {
            buf_add(&got, c > 0 ? " " : "");
            if (l.columns[c].shown)
                buf_addf(&got, "%zu", l.columns[c].width);
            else
                buf_add(&got, "-");
        }
        CHECK_TEXT(row->what, buf_text(&got), row->want);
        buf_release(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(widths), cmocka_unit_test(wraps),
                                       cmocka_unit_test(layouts)};
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
