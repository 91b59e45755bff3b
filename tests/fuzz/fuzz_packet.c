/* SPDX-License-Identifier: ISC */
/*
 * What leased's engine is sent. An input that begins with `{` is the JSON of an agent, which http
 * makes into a request; the request passes engine's check, and the agent's own writer makes a text
 * of it that is read as the same request. Else the input is a packet of a hostile http: `q` a
 * request, `Q` one whose sizes are put right, `a` an answer. One that passes has texts that end
 * within it.
 */
#include "lib/base/buf.h"
#include "lib/base/text.h"
#include "lib/wire/control.h"
#include "lib/wire/register.h"

#include "tests/fuzz/fuzz.h"

static const char *field(const struct control_request *r, enum control_field f)
{
    return control_request_get(r, f);
}

static void check_request(const struct control_request *r, size_t len, const char *text)
{
    MUST(r->action > 0 && r->action < CONTROL_ACTION__MAX && len <= sizeof(*r), text);
    for (int i = 0; i < CONTROL_FIELD__MAX; i++) {
        const char *value = field(r, (enum control_field)i);
        MUST(value >= r->text && value + strlen(value) < (const char *)r + len, text);
    }
    MUST(fuzz_is_plain(r->address) && strpbrk(r->address, " \"\\") == NULL, text);
    MUST(strlen(field(r, CONTROL_FILTER)) <= CONTROL_FILTER_BYTES, text);
    for (const char *at = field(r, CONTROL_FILTER); *at != '\0';)
        MUST(fuzz_code_point(&at) >= 0, text);
    MUST(r->counter.number >= 0 && r->counter.number <= AGENT_COUNTER_MAX, text);
    MUST((r->peer_pid > 0) == (r->action == CONTROL_JOIN), text);
    MUST(r->code < CONTROL_CODE__MAX, text);
    MUST(r->on_metrics_listen != 0 || !r->is_admitted, text);
    if (r->action == CONTROL_PAGE || r->action == CONTROL_STATUS)
        MUST(r->on_metrics_listen == 1, text);
    /* engine uses these as indices */
    MUST(*control_action_name((enum control_action)r->action) != '\0', text);
    MUST(control_code_status((enum control_code)r->code) >= 200, text);
}

static void check_packet(const uint8_t *data, size_t size, bool put_right, const char *text)
{
    struct control_request *r = fuzz_exact(data, size);
    const size_t head = offsetof(struct control_request, text);
    if (put_right && size > head && size <= sizeof(*r)) {
        r->text_bytes = (uint16_t)(size - head);
        ((char *)r)[size - 1] = '\0';
    }
    if (control_request_problem(r, size) == NULL)
        check_request(r, size, text);
    free(r);
}

static void check_answer(const uint8_t *data, size_t size, const char *text)
{
    struct control_answer *a = fuzz_exact(data, size);
    if (control_answer_problem(a, size) == NULL) {
        MUST(a->code < CONTROL_CODE__MAX && a->report_bytes <= CONTROL_REPORT_BYTES, text);
        MUST(strlen(a->error) < sizeof(a->error) && strlen(a->agent_id) < sizeof(a->agent_id),
             text);
        MUST(strlen(a->secret) < sizeof(a->secret) && strlen(a->user) < sizeof(a->user), text);
    }
    free(a);
}

static void check_json(const char *body, size_t len, const char *text)
{
    static struct control_request r, again;
    struct buf out = {0};
    control_request_init(&r, 0);
    const char *problem = control_parse(body, len, &r);
    if (problem != NULL) {
        MUST(*problem != '\0' && fuzz_is_plain(problem), text);
        return;
    }
    MUST(control_action_is_agents((enum control_action)r.action), text);
    MUST(*field(&r, CONTROL_AGENT_ID) != '\0', text);
    problem = control_request_problem(&r, control_request_bytes(&r));
    MUST(problem == NULL, text);
    check_request(&r, control_request_bytes(&r), text);

    const char *keys = field(&r, CONTROL_HOST_KEYS);
    const struct register_request request = {
        .agent_id = field(&r, CONTROL_AGENT_ID),
        .public_key = field(&r, CONTROL_PUBLIC_KEY),
        .hostname = field(&r, CONTROL_HOSTNAME),
        .user = field(&r, CONTROL_USER),
        .target = field(&r, CONTROL_TARGET),
        .reverse_bind_host = field(&r, CONTROL_BIND_HOST),
        .host_keys = keys,
        .port_b = r.port_b,
        .counter = &r.counter,
    };
    MUST(register_request_format(&request, &out) == 0, text);
    control_request_init(&again, 0);
    MUST(control_parse(buf_text(&out), out.len, &again) == NULL, buf_text(&out));
    for (int i = 0; i < CONTROL_FIELD__MAX; i++) {
        /* An agent sends its credential in a header, and no empty host key. */
        if (i == CONTROL_CREDENTIAL ||
            (i == CONTROL_HOST_KEYS && (*keys == '\n' || strstr(keys, "\n\n") != NULL)))
            continue;
        MUST(strcmp(field(&r, (enum control_field)i), field(&again, (enum control_field)i)) == 0,
             text);
    }
    MUST(again.port_b == r.port_b && again.counter.number == r.counter.number, text);
    MUST(r.counter.number == 0 ||
             memcmp(r.counter.nonce, again.counter.nonce, sizeof(r.counter.nonce)) == 0,
         text);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    if (size > 0 && (*data == 'q' || *data == 'Q'))
        check_packet(data + 1, size - 1, *data == 'Q', text);
    else if (size > 0 && *data == 'a')
        check_answer(data + 1, size - 1, text);
    else
        check_json((const char *)data, size, text);
    free(text);
    return 0;
}
