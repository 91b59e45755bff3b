/* SPDX-License-Identifier: ISC */
/* The answer to a register: what all of them have alike is written once, and anew when the gateway
 * was told something else. */
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

static void answers_have(struct control_words *w, const struct control_site *site, const char *what,
                         const char *want, const char *unwanted)
{
    struct buf out = {0};
    assert_int_equal(control_format(&answer, site, w, &out), 0);
    const char *text = buf_text(&out);
    if (strstr(text, want) == NULL || (unwanted != NULL && strstr(text, unwanted) != NULL))
        fail_msg("%s: %s", what, text);
    /* One object, whichever part was kept. */
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
    struct control_words w = {.members = {0}};
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
    control_words_release(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(site_changes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
