/* SPDX-License-Identifier: ISC */
/* Keyword files: how lines are split, and which files are refused. */
#include "lib/base/keyword.h"

#include "lib/base/buf.h"

#include "tests/unit/helpers.h"

#include <stdbool.h>

static char *dir;

static int set_up(void **state)
{
    (void)state;
    dir = temp_dir_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

/* `LINE_NO:KEYWORD[value][value];`, or `LINE_NO:malformed;` */
static int print_line(void *ctx, const struct keyword_line *line)
{
    struct buf *out = ctx;
    buf_addf(out, "%u:", line->line_no);
    if (line->malformed != NULL) {
        buf_add(out, "malformed;");
        return 0;
    }
    buf_add(out, line->keyword);
    for (size_t i = 0; i < line->value_count; i++)
        buf_addf(out, "[%s]", line->values[i]);
    buf_add(out, ";");
    return strcmp(line->keyword, "stop") == 0 ? 7 : 0;
}

#define WORDS16 " 1 2 3 4 5 6 7 8 1 2 3 4 5 6 7 8"
#define WORDS64 WORDS16 WORDS16 WORDS16 WORDS16
#define SHOWN16 "[1][2][3][4][5][6][7][8][1][2][3][4][5][6][7][8]"
#define SHOWN64 SHOWN16 SHOWN16 SHOWN16 SHOWN16

static void splitting(void **state)
{
    static const struct {
        const char *what, *text, *printed;
    } rows[] = {
        {"empty file", "", ""},
        {"blank lines", "\n \n\t\r\n", ""},
        {"comments", "# a\n  # b\n#\n", ""},
        {"keyword alone", "A\n", "1:A;"},
        {"one value", "A b\n", "1:A[b];"},
        {"no line end", "A b", "1:A[b];"},
        {"CRLF", "A b\r\nC d\r\n", "1:A[b];2:C[d];"},
        {"tabs and blanks", " \tA \t b\t c \n", "1:A[b][c];"},
        {"comment after a value", "A b # c\n", "1:A[b];"},
        {"# within a word", "A b#c\n", "1:A[b#c];"},
        {"quotes", "A \"b c\" d\n", "1:A[b c][d];"},
        {"quoted #", "A \"#b\"\n", "1:A[#b];"},
        {"empty quotes", "A \"\"\n", "1:A[];"},
        {"quotes side by side", "A \"b\"\"c\"\n", "1:A[b][c];"},
        {"quote within a word", "A b\"c\n", "1:A[b\"c];"},
        {"quoted keyword", "\"A\" b\n", "1:A[b];"},
        {"quote not closed", "A \"b\nC d\n", "1:malformed;2:C[d];"},
        {"quote not closed in the keyword", "\"A b\n", "1:malformed;"},
        {"equals sign is no separator", "A=b\n", "1:A=b;"},
        {"64 values, largest accepted", "A" WORDS64 "\n", "1:A" SHOWN64 ";"},
        {"65 values, smallest refused", "A" WORDS64 " 9\n", "1:malformed;"},
        {"64 values and a comment", "A" WORDS64 " # 9\n", "1:A" SHOWN64 ";"},
        {"lines are counted over blanks", "\n# x\nA\n\nB\n", "3:A;5:B;"},
        {"other bytes pass", "A \xc3\xbc\x1b\n", "1:A[\xc3\xbc\x1b];"},
    };
    char *path = path_in(dir, "split");
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        write_text(path, rows[i].text);
        CHECK(rows[i].what, keyword_read(path, print_line, &out) == KEYWORD_OK);
        CHECK_TEXT(rows[i].what, buf_text(&out), rows[i].printed);
        buf_release(&out);
    }
    struct buf out = {0};
    write_text(path, "A\nstop b\nC\n");
    assert_int_equal(keyword_read(path, print_line, &out), 7);
    assert_string_equal(buf_text(&out), "1:A;2:stop[b];");
    buf_release(&out);
    free(path);
}

static void size_and_bytes(void **state)
{
    char *path = path_in(dir, "size"), *text = malloc(KEYWORD_FILE_BYTES + 1);
    struct buf out = {0};
    (void)state;
    memset(text, '#', KEYWORD_FILE_BYTES + 1);
    memcpy(text + KEYWORD_FILE_BYTES - 4, "\nA b", 4);
    write_file(path, text, KEYWORD_FILE_BYTES, 0644);
    assert_int_equal(keyword_read(path, print_line, &out), KEYWORD_OK); /* 64 KiB */
    assert_string_equal(buf_text(&out), "2:A[b];");
    write_file(path, text, KEYWORD_FILE_BYTES + 1, 0644);
    assert_int_equal(keyword_read(path, print_line, &out), KEYWORD_TOO_LARGE); /* a byte more */
    write_file(path, "A b\0c\n", 6, 0644);
    assert_int_equal(keyword_read(path, print_line, &out), KEYWORD_BINARY);
    write_file(path, "A b\n\0", 5, 0644);
    assert_int_equal(keyword_read(path, print_line, &out), KEYWORD_BINARY);
    assert_string_equal(buf_text(&out), "2:A[b];"); /* fn gets nothing of a refused file */
    buf_release(&out);
    free(text);
    free(path);
}

static void modes(void **state)
{
    static const struct {
        mode_t mode;
        int rc;
    } rows[] = {
        {0400, KEYWORD_OK},     {0600, KEYWORD_OK},     {0640, KEYWORD_OK},
        {0644, KEYWORD_OK},     {0755, KEYWORD_OK},     {0620, KEYWORD_UNSAFE},
        {0660, KEYWORD_UNSAFE}, {0602, KEYWORD_UNSAFE}, {0646, KEYWORD_UNSAFE},
        {0666, KEYWORD_UNSAFE},
    };
    char *path = path_in(dir, "mode");
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        write_file(path, "A\n", 2, rows[i].mode);
        if (keyword_read(path, print_line, &out) != rows[i].rc)
            fail_msg("mode %o", rows[i].mode);
        buf_release(&out);
        assert_int_equal(unlink(path), 0);
    }
    free(path);
}

static void other_owner(void **state)
{
    char *path = path_in(dir, "owner");
    struct buf out = {0};
    (void)state;
    if (geteuid() != 0) {
        free(path);
        skip();
    }
    write_text(path, "A\n");
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_int_equal(keyword_read(path, print_line, &out), KEYWORD_UNSAFE);
    assert_int_equal(seteuid(65534), 0);
    int own = keyword_read(path, print_line, &out); /* its owner may use it */
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(own, KEYWORD_OK);
    assert_int_equal(chown(path, 0, 0), 0);
    assert_int_equal(seteuid(65534), 0);
    int root_owned = keyword_read(path, print_line, &out); /* everybody may use root's */
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(root_owned, KEYWORD_OK);
    buf_release(&out);
    free(path);
}

static void other_files(void **state)
{
    char *missing = path_in(dir, "missing"), *fifo = path_in(dir, "fifo");
    char *below_file = path_in(dir, "plain/x"), *plain = path_in(dir, "plain");
    char *link = path_in(dir, "link");
    struct buf out = {0};
    (void)state;
    assert_int_equal(mkfifo(fifo, 0600), 0);
    write_text(plain, "A\n");
    assert_int_equal(symlink("plain", link), 0);
    assert_int_equal(keyword_read(missing, print_line, &out), KEYWORD_NO_FILE);
    assert_int_equal(keyword_read(below_file, print_line, &out), KEYWORD_UNREADABLE);
    assert_int_equal(keyword_read(dir, print_line, &out), KEYWORD_UNSAFE);
    assert_int_equal(keyword_read("/dev/null", print_line, &out), KEYWORD_UNSAFE);
    (void)alarm((unsigned)slow_ms(5));
    assert_int_equal(keyword_read(fifo, print_line, &out), KEYWORD_UNSAFE); /* without waiting */
    (void)alarm(0);
    assert_int_equal(keyword_read(link, print_line, &out), KEYWORD_OK);
    assert_string_equal(buf_text(&out), "1:A;");
    for (int rc = KEYWORD_BINARY - 1; rc <= 1; rc++)
        assert_non_null(keyword_strerror(rc));
    buf_release(&out);
    free(link);
    free(plain);
    free(below_file);
    free(fifo);
    free(missing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splitting),   cmocka_unit_test(size_and_bytes), cmocka_unit_test(modes),
        cmocka_unit_test(other_owner), cmocka_unit_test(other_files),
    };
    return cmocka_run_group_tests_name("keyword", tests, set_up, tear_down);
}
