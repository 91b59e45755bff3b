/* SPDX-License-Identifier: ISC */
/* Text from outside: escaped for a terminal, clipped between characters, made words of the log.
 * (test_name.c has every boundary of UTF-8 and of control characters.) */
#include "lib/base/text.h"

#include "lib/base/buf.h"
#include "tests/unit/helpers.h"

static void fit(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"plain 'text' \\ \"too\"", "plain 'text' \\ \"too\""},
        {"ü 私 🙂", "ü 私 🙂"},
        {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
        {"\x1b[31m\x7f", "\\x1b[31m\\x7f"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"},
        {"a\x9b"
         "b",
         "a\\x9bb"},
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
        {"\xe2\x81\xa6", "\\xe2\\x81\\xa6"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},
        {"\xd8\x9c\xe2\x80\x8e", "\\xd8\\x9c\\xe2\\x80\\x8e"},
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"},
        {"\xef\xbb\xbe", "\xef\xbb\xbe"},
        {"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
        {"\xe2\x80", "\\xe2\\x80"},
        {"\xe2\x80z\xc3", "\\xe2\\x80z\\xc3"},
        {"\xffü", "\\xffü"},
        /* Zero width: ZWSP, ZWNJ, ZWJ, word joiner, soft hyphen, Hangul filler, a language tag. */
        {"a\xe2\x80\x8b"
         "b\xe2\x80\x8c\xe2\x80\x8d\xe2\x81\xa0",
         "a\\xe2\\x80\\x8bb\\xe2\\x80\\x8c\\xe2\\x80\\x8d\\xe2\\x81\\xa0"},
        {"\xc2\xad\xe3\x85\xa4", "\\xc2\\xad\\xe3\\x85\\xa4"},
        {"\xf3\xa0\x80\x81", "\\xf3\\xa0\\x80\\x81"},
        {"\xe2\x80\x90\xe2\x81\x9f\xc2\xae", "\xe2\x80\x90\xe2\x81\x9f\xc2\xae"}, /* neighbours */
        {"\xe2\x9d\xa4\xef\xb8\x8f",
         "\xe2\x9d\xa4\xef\xb8\x8f"}, /* a heart, with a variation selector */
        /* Bidirectional controls; and letters that are written from right to left, which stay. */
        {"\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad", "\\xe2\\x80\\xaa\\xe2\\x80\\xab\\xe2"
                                                             "\\x80\\xac\\xe2\\x80\\xad"},
        {"\xe2\x80\x8f\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "\\xe2\\x80\\x8f\\xe2\\x81\\xa7\\xe2"
                                                             "\\x81\\xa8\\xe2\\x81\\xa9"},
        {"\xd7\xa9\xd8\xb4", "\xd7\xa9\xd8\xb4"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = {0};
        text_add_escaped(&out, rows[i].text);
        CHECK_TEXT(rows[i].want, buf_text(&out), rows[i].want);
        buf_release(&out);

        /* The same into buffers of every size: the longest start that cuts no character. */
        char got[128];
        size_t all = strlen(rows[i].want), last = 0;
        for (size_t size = 1; size < sizeof(got); size++) {
            memset(got, '#', sizeof(got));
            size_t len = text_escape(got, size, rows[i].text);
            assert_int_equal(len, strlen(got));
            assert_true(len < size && len >= last);
            assert_memory_equal(got, rows[i].want, len);
            assert_int_not_equal(rows[i].want[len] & 0xc0, 0x80); /* no character is cut */
            last = len;
        }
        assert_int_equal(last, all);
    }
}

/* How many bytes of text are left at either end of got. */
static void ends(const char *got, const char *text, size_t *ret_head, size_t *ret_tail)
{
    const char *gap = strstr(got, "...");
    assert_non_null(gap);
    *ret_head = (size_t)(gap - got);
    *ret_tail = strlen(gap + 3);
    assert_memory_equal(got, text, *ret_head);
    assert_string_equal(gap + 3, text + strlen(text) - *ret_tail);
}

static void clip(void **state)
{
    char text[1200];
    size_t head, tail;
    (void)state;

    memset(text, 'x', sizeof(text));
    text[TEXT_CLIP_BYTES] = '\0';
    assert_string_equal(text_clip(text).s, text);
    assert_string_equal(text_clip("").s, "");
    text[TEXT_CLIP_BYTES] = 'x';
    text[TEXT_CLIP_BYTES + 1] = '\0';
    assert_int_equal(strlen(text_clip(text).s), TEXT_CLIP_BYTES);
    ends(text_clip(text).s, text, &head, &tail);

    /* Characters of 1 to 4 bytes at every alignment: none is cut, and at most a few bytes are lost.
     */
    static const char *const chars[] = {"x", "ü", "私", "🙂"};
    for (size_t c = 0; c < COUNT(chars); c++) {
        size_t len = strlen(chars[c]);
        for (size_t before = 0; before < 4; before++) {
            struct buf b = {0}, out = {0};
            for (size_t i = 0; i < before; i++)
                buf_add(&b, "-");
            while (b.len < 1000)
                buf_add(&b, chars[c]);
            struct text_clip got = text_clip(buf_text(&b));
            ends(got.s, buf_text(&b), &head, &tail);
            CHECK(chars[c], (head - before) % len == 0 && tail % len == 0);
            CHECK(chars[c],
                  strlen(got.s) <= TEXT_CLIP_BYTES && strlen(got.s) + 6 >= TEXT_CLIP_BYTES);
            text_add_escaped(&out, got.s);
            CHECK_TEXT("nothing to escape", buf_text(&out), got.s);
            buf_release(&out);
            buf_release(&b);
        }
    }

    /* Without the start of any character it still fits. */
    memset(text, 0x80, sizeof(text));
    text[1000] = '\0';
    assert_true(strlen(text_clip(text).s) <= TEXT_CLIP_BYTES);
}

static void shorten(void **state)
{
    struct buf b = {0}, failed = {.failed = true};
    (void)state;
    buf_add(&b, "0123456789");
    text_shorten(&b, 10);
    assert_string_equal(buf_text(&b), "0123456789");
    text_shorten(&b, 9);
    assert_string_equal(buf_text(&b), "012...789");
    assert_int_equal(b.len, 9);
    buf_clear(&b);
    buf_add(&b, "üüüüü");
    text_shorten(&b, 9);
    assert_string_equal(buf_text(&b), "ü...ü");
    text_shorten(&failed, 5);
    assert_null(buf_text(&failed));
    buf_release(&b);
}

static void words(void **state)
{
    char text[1200];
    (void)state;
    assert_string_equal(text_word("pfwd").s, "pfwd");
    assert_string_equal(text_word("aZ09._@-").s, "aZ09._@-");
    assert_string_equal(text_word("").s, "");
    assert_string_equal(text_word("x rule=y\\\n\"ü").s,
                        "x\\x20rule\\x3dy\\x5c\\x0a\\x22\\xc3\\xbc");
    for (size_t len = 0; len < sizeof(text); len++) {
        memset(text, ' ', len);
        text[len] = '\0';
        struct text_clip got = text_word(text);
        assert_true(strlen(got.s) <= TEXT_CLIP_BYTES);
        assert_int_equal(strstr(got.s, "...") != NULL, strlen(got.s) != 4 * len);
    }
    memset(text, 'a', 1000);
    text[1000] = '\0';
    assert_true(strlen(text_word(text).s) <= TEXT_CLIP_BYTES);
    assert_non_null(strstr(text_word(text).s, "a..."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit),
        cmocka_unit_test(clip),
        cmocka_unit_test(shorten),
        cmocka_unit_test(words),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
