/* SPDX-License-Identifier: ISC */
/* The agent's side of the control plane: answers of a gateway that may be hostile, URLs, HTTP. */
#include "lib/wire/register.h"

#include "lib/base/buf.h"
#include "tests/unit/helpers.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/gateway/url.h"
#include "tunnel-agent/host/statedir.h"

#include <bsd/string.h>
#include <errno.h>
#include <jansson.h>

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFwB5mkFi/rj0hTa0BW+CDOnLjGGtENqi0c6XnUmwgT8"
#define LEAST "\"agent_id\":\"db1\",\"port_b\":20001,\"ssh_user\":\"gw-tunnel\""

static void answers(void **state)
{
    static const struct {
        const char *what, *text, *problem;
    } rows[] = {
        {"only what is required", "{" LEAST "}", NULL},
        {"all of it",
         "{" LEAST ",\"ssh_host\":\"gw.example.com\",\"ssh_port\":2222,\"jump_user\":\"li\","
         "\"jump_host\":\"gw.example.com\",\"reverse_bind_host\":\"::1\","
         "\"lease_expires_at\":\"2026-12-01T00:00:00Z\",\"lease_ttl_seconds\":604800,"
         "\"heartbeat_interval_seconds\":60,\"reconnect_after_ms\":100,"
         "\"gateway_host_keys\":[\"" KEY "\"],\"agent_secret\":\"s\",\"connect_hint\":\"ssh x\","
         "\"more\":[{}]}",
         NULL},
        {"null for optional fields", "{" LEAST ",\"jump_user\":null,\"ssh_port\":null}", NULL},
        {"no JSON", "<html>", "is not a JSON"},
        {"an array", "[]", "is not a JSON"},
        {"a duplicate field", "{" LEAST ",\"port_b\":1}", "is not a JSON"},
        {"bytes after the object", "{" LEAST "} x", "is not a JSON"},
        {"too deep", "{" LEAST ",\"x\":[[[[[[[[1]]]]]]]]}", "is not a JSON"},
        {"brackets inside a string", "{" LEAST ",\"x\":\"[[[[[[[[[[[[\\\"[\"}", NULL},
        {"no agent_id", "{\"port_b\":1,\"ssh_user\":\"u\"}", "agent_id"},
        {"an agent_id that is a path", "{\"agent_id\":\"../x\",\"port_b\":1,\"ssh_user\":\"u\"}",
         "agent_id"},
        {"no port", "{\"agent_id\":\"a\",\"ssh_user\":\"u\"}", "port_b"},
        {"port 65536", "{\"agent_id\":\"a\",\"port_b\":65536,\"ssh_user\":\"u\"}", "port_b"},
        {"a port that is a string", "{\"agent_id\":\"a\",\"port_b\":\"1\",\"ssh_user\":\"u\"}",
         "port_b"},
        {"an option as login", "{\"agent_id\":\"a\",\"port_b\":1,\"ssh_user\":\"-oX=y\"}",
         "ssh_user"},
        {"an option as host", "{" LEAST ",\"ssh_host\":\"-oProxyCommand=id\"}", "host name"},
        {"a blank in a host", "{" LEAST ",\"ssh_host\":\"a b\"}", "host name"},
        {"a bind address that is an option", "{" LEAST ",\"reverse_bind_host\":\"-x\"}",
         "host name"},
        {"a time that is a word", "{" LEAST ",\"lease_expires_at\":\"tomorrow\"}",
         "lease_expires_at"},
        {"a negative interval", "{" LEAST ",\"heartbeat_interval_seconds\":-1}", "out of range"},
        {"an escape in the hint", "{" LEAST ",\"connect_hint\":\"\\u001b[2J\"}", "not printable"},
        {"an escape in one byte", "{" LEAST ",\"connect_hint\":\"\\u009b2J\"}", "not printable"},
        {"a hint that is turned round", "{" LEAST ",\"connect_hint\":\"\\u202essh\"}",
         "not printable"},
        {"an invalid host key", "{" LEAST ",\"gateway_host_keys\":[\"x\"]}", "host keys"},
        {"host keys that are a string", "{" LEAST ",\"gateway_host_keys\":\"x\"}", "host keys"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct register_answer a = {.port_b = 7};
        CHECK_PROBLEM(rows[i].what, register_answer_parse(rows[i].text, strlen(rows[i].text), &a),
                      rows[i].problem);
        CHECK(rows[i].what, a.port_b == (rows[i].problem == NULL ? 20001 : 7));
        register_answer_release(&a);
    }
}

static void session_without_secret(void **state)
{
    static const char text[] = "{" LEAST ",\"gateway_host_keys\":[\"" KEY "\"],"
                               "\"agent_secret\":\"very-secret\",\"connect_hint\":\"ssh x\"}";
    static const char old[] = "{\"port_b\":20007,\"x\":1}";
    struct register_answer a, again;
    struct buf out = {0};
    (void)state;
    CHECK_PROBLEM("parsed", register_answer_parse(text, strlen(text), &a), NULL);
    CHECK("printed", register_answer_format(&a, &out) == 0);
    CHECK("the secret apart", strstr(out.data, "very-secret") == NULL);
    CHECK_PROBLEM("read again", register_answer_parse(out.data, out.len, &again), NULL);
    CHECK_TEXT("the key", again.host_keys[0], KEY);
    CHECK_TEXT("the hint", again.connect_hint, "ssh x");
    CHECK("the port", register_old_port(out.data, out.len) == 20001);
    CHECK("an old session.json", register_old_port(old, strlen(old)) == 20007);
    CHECK("none", register_old_port("{}", 2) == 0);
    register_answer_release(&a);
    register_answer_release(&again);
    buf_release(&out);
}

static void requests(void **state)
{
    static const struct {
        const char *what, *host_keys, *want;
    } rows[] = {
        {"two", "ssh-a AAAA\nssh-b BBBB\n", ",\"host_keys\":[\"ssh-a AAAA\",\"ssh-b BBBB\"]}"},
        {"none", "", "\"agent_id\":\"db1\"}"},
        {"not known", NULL, "\"agent_id\":\"db1\"}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct register_request r = {.agent_id = "db1", .host_keys = rows[i].host_keys};
        struct buf out = {0};
        CHECK(rows[i].what, register_request_format(&r, &out) == 0);
        CHECK(rows[i].what, strstr(buf_text(&out), rows[i].want) != NULL);
        buf_release(&out);
    }
}

static void heartbeats(void **state)
{
    struct heartbeat_answer a;
    struct register_error error;
    static const char good[] = "{\"port_b\":1,\"lease_expires_at\":\"2026-12-01T00:00:00Z\","
                               "\"tunnel\":\"down\"}";
    static const char blind[] = "{\"port_b\":1,\"tunnel\":\"unknown\"}";
    (void)state;
    CHECK_PROBLEM("good", heartbeat_answer_parse(good, strlen(good), &a), NULL);
    CHECK("down", a.up == 0 && a.port_b == 1);
    CHECK_PROBLEM("tunnel unknown", heartbeat_answer_parse(blind, strlen(blind), &a), NULL);
    CHECK("neither up nor down", a.up == -1);
    CHECK_PROBLEM("a number", heartbeat_answer_parse("1", 1, &a), "is not a JSON");
    static const struct {
        const char *body, *text;
        enum control_code code;
    } errors[] = {
        {"{\"error\":\"no\",\"code\":\"revoked\"}", "no", CONTROL_REVOKED},
        {"{\"error\":\"a\\nb\",\"code\":\"expired\"}", "a\nb", CONTROL_EXPIRED},
        {"{\"error\":\"it is revoked\",\"code\":\"forbidden\"}", "it is revoked",
         CONTROL_FORBIDDEN},
        {"{\"error\":\"revoked\"}", "revoked", CONTROL_CODE__MAX},
        {"{\"error\":7,\"code\":\"Revoked\"}", "", CONTROL_CODE__MAX},
        {"{\"code\":[\"revoked\"]}", "", CONTROL_CODE__MAX},
        {"revoked", "", CONTROL_CODE__MAX},
    };
    for (size_t i = 0; i < COUNT(errors); i++) {
        register_error_parse(errors[i].body, strlen(errors[i].body), &error);
        CHECK_TEXT(errors[i].body, error.text, errors[i].text);
        CHECK(errors[i].body, error.code == errors[i].code);
    }
}

static void urls(void **state)
{
    static const struct {
        const char *text, *host, *path, *problem;
        unsigned port;
        bool tls, loopback;
    } rows[] = {
        {"http://127.0.0.1:12000", "127.0.0.1", "/", NULL, 12000, false, true},
        {"http://localhost", "localhost", "/", NULL, 80, false, true},
        {"http://[::1]:12000/x", "::1", "/x", NULL, 12000, false, true},
        {"https://gw.example.com", "gw.example.com", "/", NULL, 443, true, false},
        {"http://127.0.0.1.example.com", "127.0.0.1.example.com", "/", NULL, 80, false, false},
        {"http://gw:65535/", "gw", "/", NULL, 65535, false, false},
        {"http://gw:65536/", NULL, NULL, "port", 0, false, false},
        {"http://gw:0", NULL, NULL, "port", 0, false, false},
        {"http://gw:", NULL, NULL, "port", 0, false, false},
        {"http://gw:+1", NULL, NULL, "port", 0, false, false},
        {"http://", NULL, NULL, "names no host", 0, false, false},
        {"gw:12000", NULL, NULL, "starts with", 0, false, false},
        {"ftp://gw", NULL, NULL, "starts with", 0, false, false},
        {"http://u:p@gw", NULL, NULL, "no place", 0, false, false},
        {"http://gw/\r\nX: y", NULL, NULL, "no place", 0, false, false},
        {"http://[::1", NULL, NULL, "bracket", 0, false, false},
        {"http://[::1]x", NULL, NULL, "behind its port", 0, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct url url;
        CHECK_PROBLEM(rows[i].text, url_parse(rows[i].text, &url), rows[i].problem);
        if (rows[i].problem != NULL)
            continue;
        CHECK_TEXT(rows[i].text, url.host, rows[i].host);
        CHECK_TEXT(rows[i].text, url.path, rows[i].path);
        CHECK(rows[i].text, url.port == rows[i].port && url.tls == rows[i].tls);
        CHECK(rows[i].text, url_is_loopback(&url) == rows[i].loopback);
    }
}

static void http_answers(void **state)
{
    static const struct {
        const char *text, *body;
        unsigned status;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nA: b\r\n\r\n{}", "{}", 200},
        {"HTTP/1.0 410 Gone\r\n\r\n", "", 410},
        {"HTTP/1.1 2000 OK\r\n\r\n", NULL, 200},
        {"HTTP/1.1 20 OK\r\n\r\n", NULL, 0},
        {"HTTP/2 200\r\n\r\n", NULL, 0},
        {"HTTP/1.1 200 OK\r\n", NULL, 0},
        {"SSH-2.0-OpenSSH\r\n\r\n", NULL, 0},
        {"", NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *body = "";
        size_t len = 0;
        CHECK(rows[i].text,
              http_answer_parse(rows[i].text, strlen(rows[i].text), &body, &len) == rows[i].status);
        if (rows[i].body != NULL)
            CHECK_TEXT(rows[i].text, body, rows[i].body);
    }
}

static void *no_memory(size_t size)
{
    (void)size;
    return NULL;
}

/* An answer counts as accepted only once it is on disk. */
static void an_answer_that_cannot_be_saved(void **state)
{
    char *dir = temp_dir_make();
    struct statedir s;
    struct register_answer a = {.agent_id = "db1", .port_b = 20001, .ssh_user = "gw-tunnel"};
    (void)state;
    (void)strlcpy(s.path, dir, sizeof(s.path));
    CHECK("saved", registration_save_answer(&s, &a) == 0);
    errno = 0;
    json_set_alloc_funcs(no_memory, free);
    int rc = registration_save_answer(&s, &a);
    json_set_alloc_funcs(malloc, free);
    CHECK("without memory it is reported", rc != 0 && errno == ENOMEM);
    temp_dir_remove(dir);
}

/* Only the first register is trusted, so a later one must not replace host keys that we cannot
 * read. */
static void host_keys_that_cannot_be_read(void **state)
{
    char *dir = temp_dir_make(), *large = calloc(1, STATEDIR_FILE_MAX + 2), path[600];
    char key[] = KEY;
    struct statedir s;
    struct stat before, after;
    const struct register_answer later = {
        .agent_id = "db1", .ssh_user = "u", .host_keys = {key}, .host_key_count = 1};
    (void)state;
    (void)strlcpy(s.path, dir, sizeof(s.path));
    (void)memset(large, '#', STATEDIR_FILE_MAX + 1);
    CHECK("written", statedir_write(&s, "known_hosts", large) == 0);
    CHECK("too large to read", statedir_read(&s, "known_hosts") == NULL);
    (void)snprintf(path, sizeof(path), "%s/known_hosts", dir);
    CHECK("there", stat(path, &before) == 0);
    CHECK("a later answer", registration_save_origin(&s, &later) == 0);
    CHECK("the host keys stay", stat(path, &after) == 0 && after.st_ino == before.st_ino &&
                                    after.st_size == before.st_size);
    CHECK("the host counts as known", registration_knows_host(&s));
    free(large);
    temp_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(session_without_secret),
        cmocka_unit_test(requests),
        cmocka_unit_test(heartbeats),
        cmocka_unit_test(urls),
        cmocka_unit_test(http_answers),
        cmocka_unit_test(an_answer_that_cannot_be_saved),
        cmocka_unit_test(host_keys_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
