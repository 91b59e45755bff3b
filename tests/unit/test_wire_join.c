/* SPDX-License-Identifier: ISC */
/* What join and leased say to each other: answers of a leased that may be hostile, requests. */
#include "lib/wire/join.h"

#include "lib/base/buf.h"
#include "tests/unit/helpers.h"

#include <jansson.h>

#define BASE64 "AAAAC3NzaC1lZDI1NTE5AAAAIFwB5mkFi/rj0hTa0BW+CDOnLjGGtENqi0c6XnUmwgT8"

static void answers(void **state)
{
    static const struct {
        const char *what, *text, *problem;
        int exit;
    } rows[] = {
        {"joined", "{\"exit\":0,\"text\":\"joined as 'alice'\\n\"}", NULL, 0},
        {"more fields", "{\"exit\":3,\"text\":\"no\\n\",\"more\":[1]}", NULL, 3},
        {"the ceiling", "{\"exit\":4,\"text\":\"no\"}", NULL, 4},
        {"taken", "{\"exit\":5,\"text\":\"no\"}", NULL, 5},
        {"unavailable", "{\"exit\":7,\"text\":\"no\"}", NULL, 7},
        {"letters of others", "{\"exit\":0,\"text\":\"J\\u00f6rg \xc3\xbc\"}", NULL, 0},
        {"no JSON", "<html>", "not a JSON", 0},
        {"nothing", "", "not a JSON", 0},
        {"an array", "[0,\"joined\"]", "not a JSON", 0},
        {"bytes after it", "{\"exit\":0,\"text\":\"x\"} x", "not a JSON", 0},
        {"an exit twice", "{\"exit\":3,\"exit\":0,\"text\":\"x\"}", "not a JSON", 0},
        {"too deep", "{\"exit\":0,\"text\":\"x\",\"y\":[[[[[[[[1]]]]]]]]}", "not a JSON", 0},
        {"a NUL in the text", "{\"exit\":0,\"text\":\"x\\u0000y\"}", "not a JSON", 0},
        {"not UTF-8", "{\"exit\":0,\"text\":\"\xff\"}", "not a JSON", 0},
        {"another server's error", "{\"error\":\"no\",\"code\":\"unavailable\"}", "exit", 0},
        {"join's own exit", "{\"exit\":2,\"text\":\"x\"}", "exit", 0},
        {"an unknown exit", "{\"exit\":6,\"text\":\"x\"}", "exit", 0},
        {"sshd's exit", "{\"exit\":255,\"text\":\"x\"}", "exit", 0},
        {"an exit that is 0 in an int", "{\"exit\":4294967296,\"text\":\"x\"}", "exit", 0},
        {"a negative exit", "{\"exit\":-1,\"text\":\"x\"}", "exit", 0},
        {"an exit as text", "{\"exit\":\"0\",\"text\":\"x\"}", "exit", 0},
        {"an exit as a fraction", "{\"exit\":0.0,\"text\":\"x\"}", "exit", 0},
        {"no text", "{\"exit\":0}", "no text", 0},
        {"an empty text", "{\"exit\":0,\"text\":\"\"}", "no text", 0},
        {"a text that is a number", "{\"exit\":0,\"text\":7}", "no text", 0},
        {"an escape", "{\"exit\":0,\"text\":\"\\u001b[2J\"}", "terminal", 0},
        {"a carriage return", "{\"exit\":0,\"text\":\"joined\\rnot \"}", "terminal", 0},
        {"a tabulator", "{\"exit\":0,\"text\":\"a\\tb\"}", "terminal", 0},
        {"a C1 control", "{\"exit\":0,\"text\":\"\\u009b2J\"}", "terminal", 0},
        {"text turned round", "{\"exit\":0,\"text\":\"\\u202eabc\"}", "terminal", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct join_answer a = {.exit = 99};
        CHECK_PROBLEM(rows[i].what, join_answer_parse(rows[i].text, strlen(rows[i].text), &a),
                      rows[i].problem);
        CHECK(rows[i].what, a.exit == (rows[i].problem == NULL ? rows[i].exit : 99));
        join_answer_release(&a);
    }
}

static void long_answers(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct buf text = {0}, body = {0};
        struct join_answer a = {.exit = 99};
        while (text.len < JOIN_TEXT_BYTES_MAX + more)
            buf_add(&text, "\"");
        CHECK("formatted", join_answer_format(JOIN_JOINED, text.data, &body) == 0);
        CHECK_PROBLEM("the longest, and one byte more", join_answer_parse(body.data, body.len, &a),
                      more > 0 ? "too long" : NULL);
        join_answer_release(&a);
        while (body.len <= JOIN_ANSWER_BYTES_MAX)
            buf_add(&body, "  ");
        CHECK_PROBLEM("a long body", join_answer_parse(body.data, body.len, &a), "too long");
        buf_release(&text);
        buf_release(&body);
    }
}

static void there_and_back(void **state)
{
    static const char text[] = "joined as 'alice' with your key\n  \"ssh\" \\ J\xc3\xb6rg\n";
    struct buf body = {0};
    struct join_answer a;
    (void)state;
    CHECK("formatted", join_answer_format(JOIN_TAKEN, text, &body) == 0);
    CHECK_PROBLEM("parsed", join_answer_parse(body.data, body.len, &a), NULL);
    CHECK("the exit", a.exit == JOIN_TAKEN);
    CHECK_TEXT("the text", a.text, text);
    join_answer_release(&a);
    CHECK("released", a.text == NULL && a.exit == JOIN_UNAVAILABLE);
    buf_release(&body);
    CHECK("a text that is not UTF-8", join_answer_format(0, "\xff", &body) == -1);
    buf_release(&body);
}

static void requests(void **state)
{
    struct join_request r = {.key_type = "ssh-ed25519", .key_base64 = BASE64, .json = true};
    struct buf body = {0};
    (void)state;
    (void)snprintf(r.code, sizeof(r.code), "%s", "a\"\\$(id)\n;KQ7P");
    CHECK("formatted", join_request_format(&r, &body) == 0);
    json_t *root = json_loads(body.data, 0, NULL);
    CHECK_TEXT("action", json_string_value(json_object_get(root, "action")), "join");
    CHECK_TEXT("code", json_string_value(json_object_get(root, "code")), r.code);
    CHECK_TEXT("key", json_string_value(json_object_get(root, "public_key")),
               "ssh-ed25519 " BASE64);
    CHECK("json", json_is_true(json_object_get(root, "json")));
    json_decref(root);
    buf_clear(&body);
    (void)snprintf(r.code, sizeof(r.code), "%s", "\xff\xfe");
    CHECK("a code that is not UTF-8", join_request_format(&r, &body) == -1);
    buf_release(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(long_answers),
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
