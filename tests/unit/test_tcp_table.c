/* SPDX-License-Identifier: ISC */
/* Lines of /proc/net/tcp as a kernel wrote them, and lines that are malformed. */
#include "lib/base/tcp_table.h"

#include "tests/unit/helpers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define REST                                                                                       \
    " 00000000:00000000 00:00000000 00000000     0        0 20837 1 0000000000000000 100 0 0 10 0"

static void lines(void **state)
{
    const struct {
        const char *text;
        bool is_line;
        uint16_t port;
        unsigned state;
        const char *remote;
        uint64_t inode;
    } rows[] = {
        {"   0: 0100007F:1F90 00000000:0000 0A" REST, true, 8080, TCP_LISTEN_STATE,
         "00000000:0000 ", 20837},
        {"1234: 0100007F:0016 0200007F:CF3A 01" REST, true, 22, TCP_ESTABLISHED_STATE,
         "0200007F:CF3A ", 20837},
        {"   0: 00000000000000000000000001000000:FFFF 00000000000000000000000000000000:0000 "
         "0A" REST,
         true, 65535, TCP_LISTEN_STATE, "00000000000000000000000000000000:0000 ", 20837},
        {"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000", true, 8080, TCP_LISTEN_STATE,
         "00000000:0000 ", 0},
        {"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when", false, 0, 0, "", 0},
        {"   0: 0100007F:1F90 00000000:0000 0A", false, 0, 0, "", 0}, /* cut off */
        {"   0: 0100007F:1F90 00000000:0000", false, 0, 0, "", 0},
        {"   0: 0100007F:1F90", false, 0, 0, "", 0},
        {"   0: 0100007F:10000 00000000:0000 0A" REST, false, 0, 0, "", 0},
        {"", false, 0, 0, "", 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct tcp_line l;
        CHECK(rows[i].text, tcp_line_parse(rows[i].text, &l) == rows[i].is_line);
        if (!rows[i].is_line)
            continue;
        CHECK(rows[i].text, l.port == rows[i].port && l.state == rows[i].state);
        CHECK(rows[i].text, strncmp(l.remote, rows[i].remote, strlen(rows[i].remote)) == 0);
        CHECK(rows[i].text, tcp_line_inode(&l) == rows[i].inode);
    }
}

static void ends(void **state)
{
    const struct {
        const char *end;
        bool v6;
        const char *address; /* NULL: it is none */
        uint16_t port;
    } rows[] = {
        {"0100007F:1F90 00000000:0000 0A", false, "127.0.0.1", 8080},
        {"00000000:FFFF", false, "0.0.0.0", 65535},
        {"B80D0120000000000000000007000000:0016 0", true, "2001:db8::7", 22},
        {"B80D0120000000000000000007000000", true, NULL, 0},
        {"0100007F", false, NULL, 0},
        {"0100007F:0016", true, NULL, 0},
        {"", false, NULL, 0},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t address[4];
        uint16_t port = 0;
        char text[INET6_ADDRSTRLEN];
        bool is = tcp_end_parse(rows[i].end, rows[i].v6, address, &port);
        CHECK(rows[i].end, is == (rows[i].address != NULL));
        if (!is)
            continue;
        assert_non_null(inet_ntop(rows[i].v6 ? AF_INET6 : AF_INET, address, text, sizeof(text)));
        CHECK_TEXT(rows[i].end, text, rows[i].address);
        CHECK(rows[i].end, port == rows[i].port);
    }
}

/* Another file is an error, and not a table in which nothing listens. */
static bool any(void *ctx, const char *line)
{
    (void)ctx;
    (void)line;
    return true;
}

static void other_file(void **state)
{
    struct tcp_table t;
    (void)state;
    assert_int_equal(tcp_table_open(&t, 0, false), 0);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(dup2(null, t.fd), t.fd);
    (void)close(null);
    errno = 0;
    assert_int_equal(tcp_table_read(&t, any, NULL), -1);
    assert_int_equal(errno, EIO);
    assert_int_equal(t.fd, -1);
    tcp_table_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(ends),
                                       cmocka_unit_test(other_file)};
    return cmocka_run_group_tests_name("tcp_table", tests, NULL, NULL);
}
