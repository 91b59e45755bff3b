/* SPDX-License-Identifier: ISC */
/*
 * What a gateway, perhaps a hostile one, answers to an agent, and session.json, which is such an
 * answer: no field can be an option of ssh or control a terminal; and what is written is read as
 * the same.
 */
#include "lib/base/buf.h"
#include "lib/wire/join.h"
#include "lib/wire/joined.h"
#include "lib/wire/register.h"

#include "tests/fuzz/fuzz.h"

static bool is_word(const char *s)
{
    return s[0] != '-' && fuzz_is_plain(s) && strpbrk(s, " \"'\\$`;&|<>()@,/") == NULL;
}

/* It may have an @, since it stands nowhere as a host. */
static bool is_lease_name(const char *s)
{
    return lease_name_problem(s) == NULL && s[0] != '\0' && s[0] != '-' && fuzz_is_plain(s) &&
           strpbrk(s, " /%'\"\\$`") == NULL;
}

static void check_register(const struct register_answer *a, const char *text)
{
    MUST(a->port_b != 0 && a->ssh_port != 0, text);
    MUST(is_lease_name(a->agent_id), text);
    MUST(a->ssh_user[0] != '\0' && is_word(a->ssh_user) && is_word(a->jump_user), text);
    MUST(is_word(a->ssh_host) && is_word(a->jump_host) && is_word(a->reverse_bind_host), text);
    MUST(fuzz_is_harmless(a->lease_expires_at), text);
    MUST(a->lease_ttl_seconds >= 0 && a->heartbeat_interval_seconds >= 0, text);
    MUST(a->reconnect_after_ms >= 0 && a->counter >= 0 && a->counter <= AGENT_COUNTER_MAX, text);
    MUST(fuzz_is_harmless(a->agent_secret) && fuzz_is_harmless(a->connect_hint), text);
    MUST(a->host_key_count <= REGISTER_HOST_KEYS_MAX, text);
    for (size_t i = 0; i < a->host_key_count; i++) {
        const char *blank = strchr(a->host_keys[i], ' ');
        MUST(fuzz_is_plain(a->host_keys[i]) && blank != NULL, text);
        MUST(strchr(blank + 1, ' ') == NULL, text);
    }
}

static void check_session_json(const struct register_answer *a, const char *text)
{
    struct buf once = {0}, twice = {0};
    struct register_answer again;
    MUST(register_answer_format(a, &once) == 0, text);
    MUST(register_answer_parse(buf_text(&once), once.len, &again) == NULL, buf_text(&once));
    MUST(again.agent_secret[0] == '\0' && again.counter == 0, text);
    MUST(register_answer_format(&again, &twice) == 0, text);
    MUST(strcmp(buf_text(&once), buf_text(&twice)) == 0, text);
    MUST(register_old_port(buf_text(&once), once.len) == a->port_b, text);
    MUST(strcmp(again.agent_id, a->agent_id) == 0 && again.port_b == a->port_b, text);
    MUST(strcmp(again.ssh_host, a->ssh_host) == 0 && again.ssh_port == a->ssh_port, text);
    MUST(strcmp(again.jump_host, a->jump_host) == 0, text);
    MUST(again.host_key_count == a->host_key_count, text);
    register_answer_release(&again);
    buf_release(&once);
    buf_release(&twice);
}

static void check_joined(const struct joined *j, const char *text)
{
    MUST(is_lease_name(j->name) && j->login[0] != '\0' && is_word(j->login) && is_word(j->host),
         text);
    MUST(fuzz_is_plain(j->fingerprint) && fuzz_is_harmless(j->expires_at), text);
    MUST(j->connect != NULL && fuzz_is_harmless(j->connect), text);
    MUST(strlen(j->connect) < JOINED_CONNECT_BYTES, text);
    for (size_t i = 0; i < j->open.count; i++)
        MUST(is_word(j->open.items[i].host), text);
    if (j->is_agent)
        check_register(&j->agent, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), *exact = fuzz_exact(data, size);
    struct register_answer a;
    struct heartbeat_answer beat;
    struct register_error error;
    struct joined joined;
    struct join_answer join;
    if (register_answer_parse(exact, size, &a) == NULL) {
        check_register(&a, text);
        check_session_json(&a, text);
        MUST(register_old_port(exact, size) == a.port_b, text);
        register_answer_release(&a);
    }
    if (heartbeat_answer_parse(exact, size, &beat) == NULL) {
        MUST(beat.up >= -1 && beat.up <= 1 && fuzz_is_harmless(beat.lease_expires_at), text);
        MUST(beat.counter >= 0 && beat.counter <= AGENT_COUNTER_MAX, text);
    }
    register_error_parse(exact, size, &error);
    MUST(error.code <= CONTROL_CODE__MAX, text);
    MUST(memchr(error.text, '\0', sizeof(error.text)) != NULL, text);
    if (joined_parse(exact, size, &joined) == NULL) {
        check_joined(&joined, text);
        joined_release(&joined);
    }
    if (join_answer_parse(exact, size, &join) == NULL) {
        MUST(join.text != NULL && strlen(join.text) <= JOIN_ANSWER_BYTES_MAX, text);
        join_answer_release(&join);
    }
    free(exact);
    free(text);
    return 0;
}
