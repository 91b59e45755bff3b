/* SPDX-License-Identifier: ISC */
/* Answers to a register: the members that are the same in all of them are cached, and formatted
 * again when the site page has changed. */
#include "lib/wire/control.h"

#include "tests/unit/helpers.h"

static const struct control_answer answer = {.action = CONTROL_REGISTER,
                                             .code = CONTROL_OK,
                                             .agent_id = "box-7",
                                             .user = "li",
                                             .secret = "s3",
                                             .port_b = 20007,
                                             .lease_expires_s = 1700000000,
                                             .lease_ttl_s = 60};

static void answers_have(struct control_site_cache *w, const struct control_site *site,
                         const char *what, const char *want, const char *unwanted)
{
    struct buf out = {0};
    assert_int_equal(control_format(&answer, site, w, &out), 0);
    const char *text = buf_text(&out);
    if (strstr(text, want) == NULL || (unwanted != NULL && strstr(text, unwanted) != NULL))
        fail_msg("%s: %s", what, text);
    /* One object, whether or not the cache was used. */
    assert_int_equal(text[0], '{');
    assert_int_equal(text[out.len - 1], '}');
    assert_null(strstr(text, ",,"));
    assert_non_null(strstr(text, "\"agent_id\":\"box-7\",\"port_b\":20007,"));
    buf_release(&out);
}

static void site_changes(void **state)
{
    struct control_site site = {.ssh_user = "gw",
                                .ssh_host = "a.example",
                                .reverse_bind_host = "127.0.0.1",
                                .ssh_port = 22,
                                .heartbeat_interval_s = 60};
    struct control_site_cache w = {.members = {0}};
    (void)state;
    answers_have(&w, &site, "no host keys", "\"gateway_host_keys\":[]", NULL);
    (void)snprintf(site.host_keys[0], CONTROL_HOST_KEY_BYTES, "%s", "ssh-a AAAA");
    answers_have(&w, &site, "one", "\"gateway_host_keys\":[\"ssh-a AAAA\"]", NULL);
    (void)snprintf(site.host_keys[1], CONTROL_HOST_KEY_BYTES, "%s", "ssh-b BBBB");
    answers_have(&w, &site, "a second", "[\"ssh-a AAAA\",\"ssh-b BBBB\"]", NULL);
    answers_have(&w, &site, "the same again", "[\"ssh-a AAAA\",\"ssh-b BBBB\"]", NULL);
    (void)snprintf(site.host_keys[1], CONTROL_HOST_KEY_BYTES, "%s", "ssh-b CCCC");
    answers_have(&w, &site, "another second", "\"ssh-b CCCC\"]", "BBBB");
    site.host_keys[1][0] = '\0';
    answers_have(&w, &site, "the second is gone", "[\"ssh-a AAAA\"]", "ssh-b");
    site.ssh_port = 2222;
    answers_have(&w, &site, "another port", "\"ssh_port\":2222", "\"ssh_port\":22,");
    (void)snprintf(site.ssh_host, sizeof(site.ssh_host), "%s", "b.example");
    answers_have(&w, &site, "another host", "\"jump_host\":\"b.example\"", "a.example");
    control_site_cache_release(&w);
}

/* Whatever an error contains: the answer is valid JSON, or there is none. */
static void escaped(void **state)
{
    static const struct {
        const char *error, *want; /* NULL: no answer */
    } rows[] = {
        {"", "{\"error\":\"\",\"code\":\"conflict\"}"},
        {"the key belongs to the agent 'box'",
         "{\"error\":\"the key belongs to the agent 'box'\",\"code\":\"conflict\"}"},
        {"a \"quote\"", "{\"error\":\"a \\\"quote\\\"\",\"code\":\"conflict\"}"},
        {"a \\", "{\"error\":\"a \\\\\",\"code\":\"conflict\"}"},
        {"two\nlines", "{\"error\":\"two\\nlines\",\"code\":\"conflict\"}"},
        {"\x1b[0m", "{\"error\":\"\\u001B[0m\",\"code\":\"conflict\"}"},
        {"M\xc3\xbcller", "{\"error\":\"M\xc3\xbcller\",\"code\":\"conflict\"}"},
        {"M\xfcller", NULL},
        {"\xc3", NULL},
    };
    const struct control_site site = {.ssh_user = "gw"};
    struct control_site_cache w = {.members = {0}};
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct control_answer a = {.action = CONTROL_REGISTER, .code = CONTROL_CONFLICT};
        struct buf out = {0};
        (void)snprintf(a.error, sizeof(a.error), "%s", rows[i].error);
        int rc = control_format(&a, &site, &w, &out);
        CHECK(rows[i].error, rc == (rows[i].want != NULL ? 0 : -1));
        if (rows[i].want != NULL)
            CHECK_TEXT(rows[i].error, buf_text(&out), rows[i].want);
        buf_release(&out);
    }
    control_site_cache_release(&w);
}

/* Members that only some answers have. */
static void members(void **state)
{
    const struct control_site site = {
        .ssh_user = "gw", .jump_user = "jump", .ssh_host = "a.example", .ssh_port = 22};
    struct control_site_cache w = {.members = {0}};
    struct buf out = {0};
    struct control_answer *a = malloc(sizeof(*a));
    (void)state;
    assert_non_null(a);
    *a = answer;
    a->port_changed_from = 20001;
    a->has_keys = 1;
    a->report_bytes =
        (uint32_t)snprintf(a->report, sizeof(a->report), "ssh-a AAAA%c-----\nBB\n", '\0');
    assert_int_equal(control_format(a, &site, &w, &out), 0);
    static const char *const wanted[] = {"\"port_changed_from\":20001,",
                                         "\"public_key\":\"ssh-a AAAA\",",
                                         "\"private_key\":\"-----\\nBB\\n\",",
                                         "\"agent_secret\":\"s3\",",
                                         "\"lease_ttl_seconds\":60,",
                                         "\"lease_expires_at\":\"2023-11-14T22:13:20Z\",",
                                         "\"connect_hint\":\"ssh -J jump@a.example -p 20007 "
                                         "li@localhost\","};
    for (size_t i = 0; i < COUNT(wanted); i++)
        CHECK(wanted[i], strstr(buf_text(&out), wanted[i]) != NULL);
    buf_clear(&out);
    a->report_bytes = 0;
    a->has_keys = 0;
    a->port_changed_from = 0;
    a->secret[0] = a->user[0] = '\0';
    assert_int_equal(control_format(a, &site, &w, &out), 0);
    CHECK("no secret", strstr(buf_text(&out), "\"agent_secret\":null,") != NULL);
    CHECK("nobody", strstr(buf_text(&out), " -p 20007 localhost\"") != NULL);
    CHECK("the port stays", strstr(buf_text(&out), "port_changed_from") == NULL);
    CHECK("no keys", strstr(buf_text(&out), "_key\"") == NULL);
    free(a);
    buf_release(&out);
    control_site_cache_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(site_changes), cmocka_unit_test(escaped),
                                       cmocka_unit_test(members)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
