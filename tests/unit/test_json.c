/* SPDX-License-Identifier: ISC */
/* JSON that may reach a terminal: characters that steer it or are invisible are written as escapes,
 * which mean the same string. What is not UTF-8 becomes \xNN, and the document is not lost. */
#include "lib/wire/json.h"

#include "lib/base/buf.h"
#include "tests/unit/helpers.h"

static void texts(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"plain \"too\" \\ /", "plain \\\"too\\\" \\\\ /"},
        {"ü 私 🙂", "ü 私 🙂"},
        {"a\x1b[31m\n\x7f", "a\\u001B[31m\\n\\u007f"},
        {"\xc2\x9b"
         "31m",
         "\\u009b31m"},
        {"\xe2\x80\xae\xe2\x81\xa6\xd8\x9c", "\\u202e\\u2066\\u061c"},
        {"x\xe2\x80\x8b\xef\xbb\xbf\xe2\x80\xa8", "x\\u200b\\ufeff\\u2028"},
        {"\xf3\xa0\x80\x81", "\\udb40\\udc01"},
        {"\xff\xed\xa0\x80", "\\\\xff\\\\xed\\\\xa0\\\\x80"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0}, want = {0};
        const char *const list[] = {rows[i].text, NULL};
        const struct json_field fields[] = {{.name = "one", .text = rows[i].text},
                                            {.name = "more", .texts = list}};
        assert_int_equal(json_object_line(fields, 2, &out), 0);
        buf_addf(&want, "{\"one\":\"%s\",\"more\":[\"%s\"]}", rows[i].want, rows[i].want);
        CHECK_TEXT(rows[i].want, buf_text(&out), buf_text(&want));
        buf_release(&out);
        buf_release(&want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts)};
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
