/* SPDX-License-Identifier: ISC */
/* Parsing the head of a request: what is accepted, what each part says, and heads that come in
 * pieces. tests/http_raw.py shows what is refused over a socket. */
#include "leased/http/http_head.h"

#include "tests/unit/helpers.h"

#define LINE "GET /healthz HTTP/1.1\r\n"
#define HOST "Host: gw\r\n"
#define END "\r\n"

static void statuses(void **state)
{
    static const struct {
        const char *what, *text;
        int status;
    } rows[] = {
        {"the shortest head", LINE HOST END, 0},
        {"1.0 needs no Host", "GET / HTTP/1.0\r\n" END, 0},
        {"1.1 needs a Host", LINE END, 400},
        {"an empty value", LINE HOST "X-A:\r\n" END, 0},
        {"a tab", LINE HOST "X-A:\ta\tb\t\r\n" END, 0},
        {"the highest byte", LINE HOST "X-A: \xff\r\n" END, 0},
        {"the highest byte in a path", "GET /\xff HTTP/1.1\r\n" HOST END, 0},
        {"a tilde, the last printable character", LINE HOST "X-A: ~ \r\n" END, 0},
        {"DEL", LINE HOST "X-A: \x7f\r\n" END, 400},
        {"the last C0 character", LINE HOST "X-A: \x1f\r\n" END, 400},
        {"every character of a token", LINE HOST "!#$%&'*+-.^_`|~9aZ: x\r\n" END, 0},
        {"a slash in a name", LINE HOST "a/b: x\r\n" END, 400},
        {"a high byte in a name", LINE HOST "\xe9: x\r\n" END, 400},
        {"Host of an IPv6 address", LINE "Host: [::1]:12000\r\n" END, 0},
        {"Host in capitals", LINE "HOST: gw\r\n" END, 0},
        {"two Hosts", LINE HOST "hOST: gw\r\n" END, 400},
        {"a Host of two words", LINE "Host: a b\r\n" END, 400},
        {"a Host with a user", LINE "Host: a@b\r\n" END, 400},
        {"1.0 with two Hosts", "GET / HTTP/1.0\r\n" HOST HOST END, 400},
        {"two Content-Length", LINE HOST "Content-Length: 5\r\ncontent-length: 5\r\n" END, 400},
        {"two Content-Type", LINE HOST "Content-Type:\r\nContent-Type: a/b\r\n" END, 400},
        {"two X-API-Key", LINE HOST "X-API-Key: a\r\nX-API-Key: a\r\n" END, 400},
        {"X-API-Key and Authorization", LINE HOST "X-API-Key: a\r\nAuthorization: Bearer a\r\n" END,
         400},
        {"an empty X-API-Key", LINE HOST "X-API-Key:\r\n" END, 400},
        {"an X-API-Key of two words", LINE HOST "X-API-Key: a b\r\n" END, 400},
        {"two Authorization", LINE HOST "Authorization: x\r\nAuthorization: y\r\n" END, 400},
        {"a transfer coding", LINE HOST "Transfer-Encoding: gzip\r\n" END, 501},
        {"Transfer-Encoding of 1.0", "GET / HTTP/1.0\r\ntransfer-encoding: x\r\n" END, 501},
        {"HTTP/1.10", "GET / HTTP/1.10\r\n" HOST END, 505},
        {"HTTP/3", "GET / HTTP/3\r\n" HOST END, 505},
        {"HTTPS/1.1", "GET / HTTPS/1.1\r\n" HOST END, 400},
        {"no version", "GET /\r\n" HOST END, 400},
        {"an empty version", "GET / \r\n" HOST END, 400},
        {"no method", " / HTTP/1.1\r\n" HOST END, 400},
        {"no target", "GET  HTTP/1.1\r\n" HOST END, 400},
        {"a target without a slash", "GET healthz HTTP/1.1\r\n" HOST END, 400},
        {"an unknown Expect", LINE HOST "Expect: x\r\n" END, 400},
        {"a nameless header", LINE HOST ": x\r\n" END, 400},
        {"a line without a colon", LINE HOST "x\r\n" END, 400},
        {"a folded line", LINE HOST " x: y\r\n" END, 400},
        {"a line that begins with a tab", LINE HOST "\tx: y\r\n" END, 400},
    };
    struct http_head head;
    int status;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t len = strlen(rows[i].text);
        CHECK(rows[i].what, http_head_parse(rows[i].text, len, &head, &status) == len);
        CHECK(rows[i].what, status == rows[i].status);
    }
}

static void lengths(void **state)
{
    static const struct {
        const char *value;
        long long want; /* -1: refused */
    } rows[] = {
        {"0", 0},
        {"5", 5},
        {" 5\t", 5},
        {"65536", 65536},
        {"9223372036854775807", INT64_MAX},
        {"", -1},
        {"00", -1},
        {"05", -1},
        {"+5", -1},
        {"9223372036854775808", -1},
        {"-5", -1},
        {"5,5", -1},
        {"5 5", -1},
        {"0x5", -1},
        {"18446744073709551621", -1},
        {"\xd9\xa5", -1},
        {"5.0", -1},
        {"5e1", -1},
        {"5;", -1},
    };
    char text[256];
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct http_head head;
        int status;
        int len =
            snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:%s\r\n\r\n",
                     rows[i].value);
        CHECK(rows[i].value, http_head_parse(text, (size_t)len, &head, &status) == (size_t)len);
        CHECK(rows[i].value, status == (rows[i].want < 0 ? 400 : 0));
        if (status == 0)
            CHECK(rows[i].value, head.has_length && (long long)head.content_length == rows[i].want);
    }
}

static void check_piece(const char *what, const struct http_slice *got, const char *want)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%.*s", (int)got->len, got->len > 0 ? got->at : "");
    CHECK_TEXT(what, text, want);
}

static void parts(void **state)
{
    static const char text[] = "POST /a/b?c=/d HTTP/1.1\r\n"
                               "host: gw:12000\r\n"
                               "content-type: \t application/json; charset=utf-8 \r\n"
                               "Authorization: BEARER  abc.-_~+/=\r\n"
                               "Expect: 100-Continue\r\n"
                               "Content-Length: 2\r\n"
                               "\r\n{}GET";
    struct http_head head;
    int status;
    (void)state;
    assert_int_equal(http_head_parse(text, strlen(text), &head, &status), strlen(text) - 5);
    assert_int_equal(status, 0);
    check_piece("method", &head.method, "POST");
    check_piece("path", &head.path, "/a/b");
    check_piece("type", &head.content_type, "application/json; charset=utf-8");
    check_piece("credential", &head.credential, "abc.-_~+/=");
    assert_true(head.keep_alive && head.expects_continue && head.has_length);
    assert_int_equal(head.content_length, 2);
}

static void connections(void **state)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } rows[] = {
        {LINE HOST END, true},
        {LINE HOST "Connection: close\r\n" END, false},
        {LINE HOST "Connection: CLOSE\r\n" END, false},
        {LINE HOST "Connection: keep-alive, close\r\n" END, false},
        {LINE HOST "Connection: ,close,,x\r\n" END, false},
        {LINE HOST "Connection: keep-alive\r\nConnection: close\r\n" END, false},
        {LINE HOST "Connection: close\r\nConnection: keep-alive\r\n" END, false},
        {LINE HOST "Connection: closed\r\n" END, true},
        {LINE HOST "Connection: keep-alive\r\n" END, true},
        {LINE HOST "Connection:\r\n" END, true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n" END, false},
    };
    struct http_head head;
    int status;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK(rows[i].text,
              http_head_parse(rows[i].text, strlen(rows[i].text), &head, &status) > 0);
        CHECK(rows[i].text, status == 0 && head.keep_alive == rows[i].keep_alive);
    }
}

/* A head cut off anywhere is incomplete and not refused; more bytes after it change nothing. */
static void pieces(void **state)
{
    static const char good[] =
        "POST / HTTP/1.1\r\nHost: a\r\nX-A: \r\nContent-Length: 2\r\n\r\n{}\r\n\r\n\n\0";
    size_t head_bytes = (size_t)(strstr(good, "{}") - good);
    struct http_head head;
    int status;
    (void)state;
    for (size_t len = 0; len < sizeof(good); len++) {
        assert_int_equal(http_head_parse(good, len, &head, &status),
                         len < head_bytes ? 0 : head_bytes);
        assert_int_equal(status, 0);
    }
}

/* A head that no further byte can make valid is refused at once. */
static void early(void **state)
{
    static const struct {
        const char *text;
        size_t least; /* bytes after which it is refused */
        int status;
    } rows[] = {
        {"GET /\r\n", 7, 400},
        {"GET / HTTP/1.1\nHost: a\n\n", 15, 400},
        {"GET / HTTP/1.1\r\nHost: a\r\rX", 25, 400},
        {"GET / HTTP/1.1\r\nHost : a\r\n", 26, 400},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: a\r\n", 38, 501},
        {"GET / HTTP/2.0\r\n", 16, 505},
        {"\x16\x03\x01\x02", 1, 400},
        {"\r\nGET / HTTP/1.1\r\n", 2, 400},
    };
    struct http_head head;
    int status;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t len = 0; len <= strlen(rows[i].text); len++) {
            CHECK(rows[i].text, http_head_parse(rows[i].text, len, &head, &status) == 0);
            CHECK(rows[i].text, status == (len < rows[i].least ? 0 : rows[i].status));
        }
}

static size_t fill(char *text, size_t headers, size_t padding)
{
    size_t len = (size_t)sprintf(text, LINE HOST);
    for (size_t i = 1; i < headers; i++)
        len += (size_t)sprintf(text + len, "X: y\r\n");
    if (padding > 0) {
        len += (size_t)sprintf(text + len, "P: ");
        memset(text + len, 'p', padding);
        len += padding;
        len += (size_t)sprintf(text + len, "\r\n");
    }
    return len + (size_t)sprintf(text + len, "\r\n");
}

static void limits(void **state)
{
    static char text[4 * HTTP_HEAD_BYTES];
    struct http_head head;
    int status;
    (void)state;
    size_t len = fill(text, HTTP_HEADERS_MAX, 0);
    assert_int_equal(http_head_parse(text, len, &head, &status), len);
    assert_int_equal(status, 0);
    len = fill(text, HTTP_HEADERS_MAX + 1, 0);
    assert_int_equal(http_head_parse(text, len, &head, &status), len);
    assert_int_equal(status, 431);

    size_t padding = HTTP_HEAD_BYTES - fill(text, 1, 1) + 1;
    len = fill(text, 1, padding);
    assert_int_equal(len, HTTP_HEAD_BYTES);
    assert_int_equal(http_head_parse(text, len, &head, &status), len);
    assert_int_equal(status, 0);
    len = fill(text, 1, padding + 1);
    assert_int_equal(http_head_parse(text, len - 1, &head, &status), 0);
    assert_int_equal(status, 431);
    assert_int_equal(http_head_parse(text, HTTP_HEAD_BYTES - 1, &head, &status), 0);
    assert_int_equal(status, 0);
    assert_int_equal(http_head_parse(text, len, &head, &status), 0);
    assert_int_equal(status, 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statuses),    cmocka_unit_test(lengths), cmocka_unit_test(parts),
        cmocka_unit_test(connections), cmocka_unit_test(pieces),  cmocka_unit_test(early),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests_name("http_head", tests, NULL, NULL);
}
