/* SPDX-License-Identifier: ISC */
/* The TCP sockets of a session: those of its child that its monitor does not have. */
#include "lib/session/sockets.h"

#include "tests/unit/session_helpers.h"

#include <arpa/inet.h>
#include <linux/capability.h>
#include <sys/syscall.h>

/* A monitor and its child, as sshd has them: both hold the ssh connection, and the child alone
 * listens. */
struct pair {
    pid_t monitor;
    int end_fd; /* the monitor ends when this is closed */
    uint16_t port;
    struct session session;
};

static int loopback_socket(struct sockaddr_in *ret)
{
    socklen_t len = sizeof(*ret);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(fd, (const struct sockaddr *)ret, len), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &len), 0);
    return fd;
}

static void be_child(int report_fd)
{
    struct sockaddr_in a;
    (void)loopback_socket(&a);
    (void)!setresuid(NOBODY, NOBODY, NOBODY);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* which the change of user cleared */
    uint16_t port = ntohs(a.sin_port);
    (void)!write(report_fd, &port, sizeof(port));
    for (;;)
        (void)pause();
}

static struct pair start_pair(void)
{
    struct pair p = {.monitor = 0};
    struct sockaddr_in sshd;
    int report[2], end[2];
    char c;
    assert_int_equal(pipe2(report, O_CLOEXEC), 0);
    assert_int_equal(pipe2(end, O_CLOEXEC), 0);
    p.monitor = fork();
    assert_true(p.monitor >= 0);
    if (p.monitor == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)setsid();
        (void)close(end[1]);
        (void)loopback_socket(&sshd);
        int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        (void)connect(connection, (const struct sockaddr *)&sshd, sizeof(sshd));
        pid_t child = fork();
        if (child == 0)
            be_child(report[1]);
        (void)!read(end[0], &c, 1);
        (void)kill(child, SIGKILL);
        (void)waitpid(child, NULL, 0);
        _exit(0);
    }
    assert_int_equal(read(report[0], &p.port, sizeof(p.port)), sizeof(p.port));
    (void)close(report[0]);
    (void)close(report[1]);
    (void)close(end[0]);
    p.end_fd = end[1];
    p.session = session_of(p.monitor);
    return p;
}

static void end_pair(const struct pair *p)
{
    (void)close(p->end_fd);
    assert_int_equal(waitpid(p->monitor, NULL, 0), p->monitor);
}

static void check_read(struct pair *p, size_t count, size_t unseen)
{
    const struct session_list list = {.items = &p->session, .count = 1};
    struct socket_list sockets;
    assert_int_equal(sockets_read(&list, &sockets), 0);
    assert_int_equal(sockets.count, count);
    assert_int_equal(sockets.unseen, unseen);
    if (count > 0) {
        assert_true(sockets.items[0].listening);
        assert_int_equal(sockets.items[0].port, p->port);
        assert_int_equal(sockets.items[0].pid, p->monitor);
    }
    socket_list_release(&sockets);
}

static void listener_of_the_child(void **state)
{
    struct pair p = start_pair();
    (void)state;
    check_read(&p, 1, 0);
    end_pair(&p);
}

/* Like root in most containers: it may list the descriptors of other users' processes, but not read
 * them. */
static void drop_ptrace(int unused)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    (void)unused;
    assert_int_equal(syscall(SYS_capget, &header, data), 0);
    data[0].effective &= ~(1U << CAP_SYS_PTRACE);
    assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

static void check_unseen(void *arg)
{
    check_read(arg, 0, 1);
}

static void unreadable_descriptors(void **state)
{
    struct pair p = start_pair();
    (void)state;
    apart(drop_ptrace, 0, check_unseen, &p);
    end_pair(&p);
}

/* A connection within this host: fd[0] from our listener, fd[1] to it, over IPv6 if v6_listener. */
static void connect_to_ourselves(bool v6_listener, int fd[static 3])
{
    struct sockaddr_in a;
    struct sockaddr_in6 a6 = {.sin6_family = AF_INET6}; /* of both families */
    socklen_t len = sizeof(a6);
    int listener;
    if (v6_listener) {
        listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (const struct sockaddr *)&a6, len), 0);
        assert_int_equal(listen(listener, 1), 0);
        assert_int_equal(getsockname(listener, (struct sockaddr *)&a6, &len), 0);
        a = (struct sockaddr_in){.sin_family = AF_INET,
                                 .sin_port = a6.sin6_port,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    } else {
        listener = loopback_socket(&a);
    }
    fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd[1], (const struct sockaddr *)&a, sizeof(a)), 0);
    fd[0] = accept(listener, NULL, NULL);
    assert_true(fd[0] >= 0);
    fd[2] = listener;
}

static void check_both_ends(bool v6_listener)
{
    struct socket_list ours;
    const pid_t self = getpid();
    int fd[3];
    size_t ends = 0;
    connect_to_ourselves(v6_listener, fd);
    assert_int_equal(sockets_read_of(&self, 1, &ours), 0);
    assert_int_equal(ours.unseen, 0);
    assert_int_equal(ours.count, 3);
    for (size_t i = 0; i < ours.count; i++) {
        const struct session_socket *a = &ours.items[i];
        assert_int_equal(a->pid, self);
        for (size_t k = 0; k < ours.count; k++)
            ends += sockets_are_one_connection(a, &ours.items[k]);
        if (a->listening)
            continue;
        assert_int_equal(strncmp(a->local, "127.0.0.1:", 10), 0);
        assert_int_equal(socket_other_end_is_here(a), SIGHT_IS);
        struct session_socket elsewhere = *a;
        (void)snprintf(elsewhere.remote, sizeof(elsewhere.remote), "192.0.2.1:%u",
                       elsewhere.remote_port);
        assert_int_equal(socket_other_end_is_here(&elsewhere), SIGHT_IS_NOT);
    }
    assert_int_equal(ends, 2);
    socket_list_release(&ours);
    for (size_t i = 0; i < 3; i++)
        (void)close(fd[i]);
}

static void both_ends_of_a_connection(void **state)
{
    (void)state;
    check_both_ends(false);
}

/* As a socket unit of systemd has it for sshd. */
static void a_listener_of_both_families(void **state)
{
    (void)state;
    check_both_ends(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listener_of_the_child),
        cmocka_unit_test(unreadable_descriptors),
        cmocka_unit_test(both_ends_of_a_connection),
        cmocka_unit_test(a_listener_of_both_families),
    };
    if (geteuid() != 0) {
        (void)puts("needs root, for processes of another user");
        return 77;
    }
    return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}
