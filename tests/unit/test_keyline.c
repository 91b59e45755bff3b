/* SPDX-License-Identifier: ISC */
/* Key lines, byte for byte as akc(8) has them. */
#include "lib/lease/keyline.h"

#include "lib/base/buf.h"
#include "lib/lease/lease.h"

#include "tests/unit/helpers.h"

#include <stdbool.h>

enum { EXPIRES_S = 1795802400 }; /* 2026-11-27T18:00:00Z */

#define BEGIN "restrict,port-forwarding,"
#define END                                                                                        \
    "expiry-time=\"20261127180000Z\",command=\"/usr/sbin/nologin\" ssh-ed25519 AAAAkey alice\n"
#define OPEN(p) "permitopen=\"" p "\","
#define LISTEN(p) "permitlisten=\"" p "\","
#define OPEN_NOTHING OPEN("255.255.255.255:1")
#define LISTEN_NOTHING LISTEN("NONE:1")

static const struct row {
    const char *what, *open, *listen, *from, *line;
} rows[] = {
    {"neither direction: both deny forms", "", "", NULL, BEGIN OPEN_NOTHING LISTEN_NOTHING END},
    {"open, on loopback in both spellings", "127.0.0.1:8009", "", NULL,
     BEGIN OPEN("127.0.0.1:8009") OPEN("localhost:8009") LISTEN_NOTHING END},
    {"open, IPv6 as it is", "[::1]:8009", "", NULL, BEGIN OPEN("[::1]:8009") LISTEN_NOTHING END},
    {"open, a name as it is", "db1.example.com:443", "", NULL,
     BEGIN OPEN("db1.example.com:443") LISTEN_NOTHING END},
    {"open, other loopback address as it is", "127.0.0.2:80", "", NULL,
     BEGIN OPEN("127.0.0.2:80") LISTEN_NOTHING END},
    {"listen, on loopback in both spellings", "", "127.0.0.1:20001", NULL,
     BEGIN OPEN_NOTHING LISTEN("127.0.0.1:20001") LISTEN("localhost:20001") END},
    {"listen, both families", "", "127.0.0.1:20001 [::1]:20001", NULL,
     BEGIN OPEN_NOTHING LISTEN("127.0.0.1:20001") LISTEN("localhost:20001") LISTEN("[::1]:20001")
         END},
    {"both directions", "10.0.0.7:5432", "127.0.0.1:20001", NULL,
     BEGIN OPEN("10.0.0.7:5432") LISTEN("127.0.0.1:20001") LISTEN("localhost:20001") END},
    {"order of permits", "b:2 a:1", "", NULL, BEGIN OPEN("b:2") OPEN("a:1") LISTEN_NOTHING END},
    {"range, port by port", "10.0.0.7:9-11", "", NULL,
     BEGIN OPEN("10.0.0.7:9") OPEN("10.0.0.7:10") OPEN("10.0.0.7:11") LISTEN_NOTHING END},
    {"range on loopback", "127.0.0.1:9-10", "", NULL,
     BEGIN OPEN("127.0.0.1:9") OPEN("localhost:9") OPEN("127.0.0.1:10") OPEN("localhost:10")
         LISTEN_NOTHING END},
    {"range up to the last port", "[::1]:65534-65535", "", NULL,
     BEGIN OPEN("[::1]:65534") OPEN("[::1]:65535") LISTEN_NOTHING END},
    {"smallest and largest port", "a:1 a:65535 a:10 a:100 a:1000", "", NULL,
     BEGIN OPEN("a:1") OPEN("a:65535") OPEN("a:10") OPEN("a:100") OPEN("a:1000")
         LISTEN_NOTHING END},
    {"from", "127.0.0.1:8009", "", "10.0.0.0/8,192.0.2.1,2001:db8::/32",
     BEGIN OPEN("127.0.0.1:8009") OPEN("localhost:8009") LISTEN_NOTHING
     "from=\"10.0.0.0/8,192.0.2.1,2001:db8::/32\"," END},
    {"from, host bits cleared", "", "127.0.0.1:20001", "10.1.2.3/8",
     BEGIN OPEN_NOTHING LISTEN("127.0.0.1:20001")
         LISTEN("localhost:20001") "from=\"10.0.0.0/8\"," END},
};

static void make_lease(struct lease *l, struct pubkey *key, const struct row *row)
{
    *l = (struct lease){.id = 17, .name = "alice", .login = "pfwd", .expires_s = EXPIRES_S};
    *key = (struct pubkey){.type = "ssh-ed25519", .base64 = "AAAAkey", .comment = "not printed"};
    assert_int_equal(permit_list_parse(row->open, &l->open), 0);
    assert_int_equal(permit_list_parse(row->listen, &l->listen), 0);
    if (row->from != NULL)
        assert_null(source_list_parse(row->from, &l->from));
}

static void golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lease l;
        struct pubkey key;
        struct buf out = {0};
        make_lease(&l, &key, &rows[i]);
        keyline_format(&l, &key, &out);
        CHECK_TEXT(rows[i].what, buf_text(&out), rows[i].line);
        buf_release(&out);
        lease_release(&l);
    }
}

/* What docs/sshd-facts.md 6 warns of: lower case could be bound, a missing option opens all. */
static void never_open_by_omission(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct lease l;
        struct pubkey key;
        struct buf out = {0};
        make_lease(&l, &key, &rows[i]);
        keyline_format(&l, &key, &out);
        const char *line = buf_text(&out);
        CHECK(rows[i].what, strncmp(line, BEGIN, strlen(BEGIN)) == 0);
        CHECK(rows[i].what, strstr(line, "permitopen=\"") != NULL);
        CHECK(rows[i].what, strstr(line, "permitlisten=\"") != NULL);
        CHECK(rows[i].what, strstr(line, "none:") == NULL);
        CHECK(rows[i].what, strstr(line, ":*") == NULL);
        CHECK(rows[i].what, strchr(line, '\n') == line + out.len - 1);
        buf_release(&out);
        lease_release(&l);
    }
}

static void appends_and_grows(void **state)
{
    struct lease l = {.name = "n", .expires_s = EXPIRES_S};
    struct pubkey key = {.type = "t", .base64 = "b"};
    struct buf out = {0};
    size_t ports = 0;
    (void)state;
    assert_int_equal(permit_list_parse("127.0.0.1:1-256 127.0.0.1:257-512 127.0.0.1:513-768 "
                                       "127.0.0.1:769-1024",
                                       &l.open),
                     0);
    keyline_format(&l, &key, &out);
    size_t first = out.len;
    keyline_format(&l, &key, &out);
    assert_int_equal(out.len, 2 * first);
    for (const char *at = out.data; (at = strstr(at, "permitopen=")) != NULL; at++)
        ports++;
    CHECK("the largest list, in both spellings, twice", ports == 4 * 1024);
    assert_non_null(strstr(out.data, "permitopen=\"localhost:1024\","));
    buf_release(&out);
    lease_release(&l);
}

static void expiry(void **state)
{
    static const struct {
        const char *what;
        int64_t expires_s;
        const char *option;
    } ends[] = {
        {"the epoch", 0, "expiry-time=\"19700101000000Z\""},
        {"last second of a year", 1798761599, "expiry-time=\"20261231235959Z\""},
        {"last time sshd reads", INT64_C(253402300799), "expiry-time=\"99991231235959Z\""},
        {"beyond it: clamped", INT64_C(253402300800), "expiry-time=\"99991231235959Z\""},
        {"before the epoch: clamped", -1, "expiry-time=\"19700101000000Z\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(ends); i++) {
        struct lease l = {.name = "n", .expires_s = ends[i].expires_s};
        struct pubkey key = {.type = "t", .base64 = "b"};
        struct buf out = {0};
        keyline_format(&l, &key, &out);
        CHECK(ends[i].what, strstr(buf_text(&out), ends[i].option) != NULL);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden),
        cmocka_unit_test(never_open_by_omission),
        cmocka_unit_test(appends_and_grows),
        cmocka_unit_test(expiry),
    };
    return cmocka_run_group_tests_name("keyline", tests, NULL, NULL);
}
