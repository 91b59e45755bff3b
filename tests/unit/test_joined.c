/* SPDX-License-Identifier: ISC */
/* The answer to who redeems an invite, of a gateway that may be hostile. */
#include "lib/wire/joined.h"

#include "lib/base/buf.h"
#include "tests/unit/helpers.h"

#define PRINT "SHA256:0123456789012345678901234567890123456789012"
#define LEAST "\"name\":\"alice\",\"login\":\"pfwd\",\"expires_at\":\"2026-12-29T11:05:00Z\""
#define AGENT "\"agent_id\":\"alice\",\"port_b\":20001,\"ssh_user\":\"gw-tunnel\""

static void answers(void **state)
{
    static const struct {
        const char *what, *text, *problem;
    } rows[] = {
        {"only what is required", "{" LEAST "}", NULL},
        {"all of it",
         "{\"id\":1," LEAST ",\"host\":\"gw.example.com\",\"port\":2222,\"open\":"
         "[\"127.0.0.1:8009\",\"[::1]:80\",\"db.internal:5000-5025\"],\"listen\":[],\"keys\":[{"
         "\"fingerprint\":\"" PRINT
         "\"}],\"connect\":\"ssh -N pfwd@gw.example.com\",\"agent\":{" AGENT
         ",\"agent_secret\":\"s\"},\"more\":{}}",
         NULL},
        {"null for optional fields",
         "{" LEAST ",\"host\":null,\"port\":null,\"connect\":null,\"agent\":null}", NULL},
        {"nothing", "", "is not a JSON"},
        {"cut off", "{" LEAST, "is not a JSON"},
        {"a sentence", "joined as 'alice'", "is not a JSON"},
        {"an array", "[{" LEAST "}]", "is not a JSON"},
        {"a duplicate field", "{" LEAST ",\"name\":\"bob\"}", "is not a JSON"},
        {"too deep", "{" LEAST ",\"x\":[[[[[[[[1]]]]]]]]}", "is not a JSON"},
        {"a name that is a path",
         "{\"name\":\"../x\",\"login\":\"u\",\"expires_at\":\"2026-12-29T11:05:00Z\"}", "name"},
        {"a name with a line end",
         "{\"name\":\"a\\nTo x\",\"login\":\"u\",\"expires_at\":\"2026-12-29T11:05:00Z\"}", "name"},
        {"an option as login",
         "{\"name\":\"a\",\"login\":\"-oProxyCommand=id\",\"expires_at\":\"2026-12-29T11:05:00Z\"}",
         "login"},
        {"no login", "{\"name\":\"a\",\"expires_at\":\"2026-12-29T11:05:00Z\"}", "login"},
        {"no end", "{\"name\":\"a\",\"login\":\"u\"}", "expires_at"},
        {"an end that is a word", "{\"name\":\"a\",\"login\":\"u\",\"expires_at\":\"never\"}",
         "expires_at"},
        {"an option as host", "{" LEAST ",\"host\":\"-oProxyCommand=id\"}", "host"},
        {"a shell in the host", "{" LEAST ",\"host\":\"x;id\"}", "host"},
        {"port 65536", "{" LEAST ",\"port\":65536}", "port"},
        {"open is a text", "{" LEAST ",\"open\":\"8009\"}", "open"},
        {"a number in open", "{" LEAST ",\"open\":[8009]}", "open"},
        {"an option in open", "{" LEAST ",\"open\":[\"-x:1\"]}", "open"},
        {"a blank in open", "{" LEAST ",\"open\":[\"a b:1\"]}", "open"},
        {"every port", "{" LEAST ",\"open\":[\"127.0.0.1:*\"]}", "open"},
        {"a range that is too long", "{" LEAST ",\"open\":[\"127.0.0.1:1-257\"]}", "open"},
        {"an address twice", "{" LEAST ",\"open\":[\"a:1\",\"a:1\"]}", "twice"},
        {"an escape in the line", "{" LEAST ",\"connect\":\"\\u001b[2J\"}", "connect"},
        {"a fingerprint that is too long",
         "{" LEAST ",\"keys\":[{\"fingerprint\":\"" PRINT "0\"}]}", "key"},
        {"an agent that is a text", "{" LEAST ",\"agent\":\"x\"}", "agent"},
        {"an agent without a port",
         "{" LEAST ",\"agent\":{\"agent_id\":\"alice\",\"ssh_user\":\"u\"}}", "port_b"},
        {"another agent",
         "{" LEAST ",\"agent\":{\"agent_id\":\"bob\",\"port_b\":1,\"ssh_user\":\"u\"}}",
         "another agent"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct joined j;
        CHECK_PROBLEM(rows[i].what, joined_parse(rows[i].text, strlen(rows[i].text), &j),
                      rows[i].problem);
        if (rows[i].problem != NULL)
            continue;
        CHECK_TEXT(rows[i].what, j.name, "alice");
        CHECK_TEXT(rows[i].what, j.login, "pfwd");
        CHECK(rows[i].what, j.is_agent == (i == 1) && j.open.count == (i == 1 ? 3 : 0));
        CHECK(rows[i].what, j.connect != NULL && j.port == (i == 1 ? 2222 : 0));
        if (i == 1) {
            CHECK_TEXT(rows[i].what, j.fingerprint, PRINT);
            CHECK_TEXT(rows[i].what, j.agent.agent_secret, "s");
            CHECK(rows[i].what, j.open.items[2].low == 5000 && j.open.items[2].high == 5025);
        }
        joined_release(&j);
    }
}

/* A lease has at most 64 permits, of 1024 ports together. */
static void what_is_too_much(void **state)
{
    (void)state;
    for (unsigned count = 64; count <= 65; count++) {
        struct buf text = {0};
        struct joined j;
        buf_add(&text, "{" LEAST ",\"open\":[");
        for (unsigned i = 0; i < count; i++)
            buf_addf(&text, "%s\"h:%u\"", i > 0 ? "," : "", i + 1);
        buf_add(&text, "]}");
        const char *problem = joined_parse(text.data, text.len, &j);
        CHECK_PROBLEM("permits", problem, count == 64 ? NULL : "more than a lease can");
        if (problem == NULL)
            joined_release(&j);
        buf_clear(&text);
        buf_addf(&text, "{" LEAST ",\"note\":\"%*s\"}", count == 64 ? 4000 : JOINED_TEXT_MAX, "x");
        problem = joined_parse(text.data, text.len, &j);
        CHECK_PROBLEM("bytes", problem, count == 64 ? NULL : "is not a JSON");
        if (problem == NULL)
            joined_release(&j);
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(what_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
