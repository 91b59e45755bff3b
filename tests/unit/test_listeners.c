/* SPDX-License-Identifier: ISC */
/* The ports on which something listens, over IPv4 and IPv6, and not those of connections, which
 * come after the listeners in the kernel's table. */
#include "lib/session/listeners.h"

#include "tests/unit/helpers.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum { LISTENERS = 100 };

union any {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static int listen_on(int family, union any *a)
{
    socklen_t len = family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
    int fd = socket(family, SOCK_STREAM, 0);
    memset(a, 0, sizeof(*a));
    a->sa.sa_family = (sa_family_t)family;
    if (family == AF_INET)
        a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        a->in6.sin6_addr = in6addr_loopback;
    if (fd < 0 || bind(fd, &a->sa, len) != 0 || listen(fd, 1) != 0 ||
        getsockname(fd, &a->sa, &len) != 0)
        skip(); /* no IPv6 here */
    return fd;
}

static uint16_t port_of(const union any *a)
{
    return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

static void open_and_close(int family)
{
    union any a[LISTENERS], from;
    int fds[LISTENERS];
    static struct listeners l;
    for (size_t i = 0; i < LISTENERS; i++)
        fds[i] = listen_on(family, &a[i]);
    /* A connection, whose own port does not listen. */
    socklen_t len = family == AF_INET ? sizeof(from.in) : sizeof(from.in6);
    int out = socket(family, SOCK_STREAM, 0);
    assert_int_equal(connect(out, &a[0].sa, len), 0);
    assert_int_equal(getsockname(out, &from.sa, &len), 0);
    assert_int_equal(listeners_read(&l), 0);
    for (size_t i = 0; i < LISTENERS; i++)
        CHECK("it listens", listeners_has(&l, port_of(&a[i])));
    CHECK("a client's port does not", !listeners_has(&l, port_of(&from)));
    for (size_t i = 0; i < LISTENERS; i++)
        (void)close(fds[i]);
    assert_int_equal(listeners_read_of(getpid(), &l), 0);
    for (size_t i = 0; i < LISTENERS; i++)
        CHECK("it was closed", !listeners_has(&l, port_of(&a[i])));
    (void)close(out);
}

static void v4(void **state)
{
    (void)state;
    open_and_close(AF_INET);
}

static void v6(void **state)
{
    (void)state;
    open_and_close(AF_INET6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(v4), cmocka_unit_test(v6)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
