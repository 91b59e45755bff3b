/* SPDX-License-Identifier: ISC */
/* JSON that may reach a terminal: characters that steer it or are invisible are written as escapes,
 * which mean the same string. What is not UTF-8 becomes \xNN, and the document is not lost. */
#include "lib/wire/json.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"
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

static void add_permit(struct permit_list *list, const char *text)
{
    struct permit p;
    assert_null(permit_parse(text, PERMIT_RANGE, &p));
    assert_null(permit_list_add(list, &p));
}

/* Two of each list: one more or less shows in the text. */
static void a_lease(void **state)
{
    struct lease l = {.id = 7,
                      .name = "alice",
                      .login = "pfwd",
                      .note = "a note",
                      .max_sessions = 3,
                      .created_s = 1,
                      .expires_s = 1795802400};
    struct lease_key first = {.pub = {.type = "ssh-ed25519", .fingerprint = "SHA256:1"}},
                     second = {.pub = {.type = "ssh-rsa", .fingerprint = "SHA256:2"}};
    struct buf out = {0};
    (void)state;
    (void)snprintf(first.pub.comment, sizeof(first.pub.comment), "li@laptop");
    second.added_s = 60;
    add_permit(&l.open, "127.0.0.1:8009");
    add_permit(&l.open, "[::1]:1-9");
    add_permit(&l.listen, "127.0.0.1:20001");
    add_permit(&l.listen, "127.0.0.1:20002");
    (void)snprintf(l.open_agents[l.open_agent_count++], LEASE_NAME_BYTES, "db1");
    (void)snprintf(l.open_agents[l.open_agent_count++], LEASE_NAME_BYTES, "db2");
    assert_null(source_list_parse("10.0.0.0/8,2001:db8::1", &l.from));
    assert_int_equal(lease_add_key(&l, &first), 0);
    assert_int_equal(lease_add_key(&l, &second), 0);
    assert_int_equal(json_lease(&l, 1795802399, 2, "ssh x", &out), 0);
    CHECK_TEXT("an active one", buf_text(&out),
               "{\"id\":7,\"name\":\"alice\",\"login\":\"pfwd\",\"state\":\"active\",\"keys\":["
               "{\"type\":\"ssh-ed25519\",\"fingerprint\":\"SHA256:1\",\"comment\":\"li@laptop\","
               "\"added_at\":null},{\"type\":\"ssh-rsa\",\"fingerprint\":\"SHA256:2\","
               "\"comment\":\"\",\"added_at\":\"1970-01-01T00:01:00Z\"}],"
               "\"open\":[\"127.0.0.1:8009\",\"[::1]:1-9\"],\"open_agents\":[\"db1\",\"db2\"],"
               "\"listen\":[\"127.0.0.1:20001\",\"127.0.0.1:20002\"],"
               "\"from\":[\"10.0.0.0/8\",\"2001:db8::1\"],\"max_sessions\":3,"
               "\"note\":\"a note\",\"created_at\":\"1970-01-01T00:00:01Z\",\"renewed_at\":null,"
               "\"expires_at\":\"2026-11-27T18:00:00Z\",\"fixed_end\":false,\"revoked_at\":null,"
               "\"last_login_at\":null,\"sessions\":2,\"connect\":\"ssh x\"}");
    buf_clear(&out);
    l.max_sessions = 0;
    assert_int_equal(json_lease(&l, 1795802400, -1, "", &out), 0);
    CHECK("over", strstr(out.data, "\"state\":\"expired\""));
    CHECK("no limit", strstr(out.data, "\"max_sessions\":null"));
    CHECK("nothing registers sessions", strstr(out.data, "\"sessions\":null"));
    buf_release(&out);
    lease_release(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts), cmocka_unit_test(a_lease)};
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
