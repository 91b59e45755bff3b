/* SPDX-License-Identifier: ISC */
/* What the http process can and cannot do after confine_http: children make the system calls. Also
 * with landlock or seccomp alone. */
#include "leased/http/confine.h"

#include "tests/unit/helpers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

/* Opened before confine_http, as in http. */
static int datagrams, stream[2], listener, loop, directory;
static char *dir, *file, *other_socket;

static long open_it(void)
{
    return open(file, O_RDONLY | O_CLOEXEC);
}
static long open_at(void)
{
    return openat(directory, "file", O_RDONLY | O_CLOEXEC);
}
static long open_raw(void)
{
#ifdef SYS_open
    return syscall(SYS_open, file, O_RDONLY);
#else
    errno = EPERM;
    return -1;
#endif
}
static long create_it(void)
{
    return openat(directory, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}
static long unlink_it(void)
{
    return unlink(file);
}
static long stat_it(void)
{
    struct stat st;
    return stat(file, &st);
}
static long socket_it(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}
static long pair_it(void)
{
    int fds[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}
static long connect_it(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(22)};
    return connect(stream[0], (const struct sockaddr *)&to, sizeof(to));
}
static long bind_it(void)
{
    const struct sockaddr_in to = {.sin_family = AF_INET};
    return bind(listener, (const struct sockaddr *)&to, sizeof(to));
}
static struct sockaddr_un other_address(void)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    (void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", other_socket);
    return to;
}
static long datagram_to(void)
{
    const struct sockaddr_un to = other_address();
    return sendto(datagrams, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to));
}
#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif
/* The filter checks both halves of the address: here the high one is 0. */
static long datagram_to_low(void)
{
    struct sockaddr_un *to =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (to == MAP_FAILED)
        return 0;
    *to = other_address();
    return sendto(datagrams, "x", 1, 0, (const struct sockaddr *)to, sizeof(*to));
}
static long message_to(void)
{
    struct sockaddr_un to = other_address();
    struct iovec piece = {.iov_base = (char[]){"x"}, .iov_len = 1};
    const struct msghdr message = {
        .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &piece, .msg_iovlen = 1};
    return sendmsg(datagrams, &message, 0);
}
static long kill_parent(void)
{
    return kill(getppid(), 0);
}
static long signal_by_fcntl(void)
{
    return fcntl(stream[0], F_SETOWN, getpid());
}
static long signal_of_choice(void)
{
    return fcntl(stream[0], F_SETSIG, SIGKILL);
}
static long duplicate(void)
{
    return fcntl(stream[0], F_DUPFD, 100);
}
static long execute(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    return execve("/bin/true", argv, argv + 1);
}
static long fork_it(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static long trace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static long read_memory(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {dir, 1};
    return syscall(SYS_process_vm_readv, getppid(), &here, 1, &there, 1, 0);
}
static long pidfd(void)
{
    return syscall(SYS_pidfd_open, getppid(), 0);
}
static long run_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}
static long protect_memory(void)
{
    return mprotect((void *)((uintptr_t)dir & ~(uintptr_t)4095), 4096,
                    PROT_READ | PROT_WRITE | PROT_EXEC);
}
static long type_into_terminal(void)
{
    return ioctl(stream[0], TIOCSTI, "x");
}
static long become(void)
{
    return setresuid(0, 0, 0);
}
static long be_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1);
}
static long ring(void)
{
    return syscall(SYS_io_uring_setup, 1, dir);
}
static long bpf(void)
{
    return syscall(SYS_bpf, 0, dir, 0);
}
static long unshare_it(void)
{
    return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
}
static long number_of_x32(void)
{
    return syscall((long)(0x40000000 | SYS_getpid));
}

/* ---- what http does ---- */

static long send_it(void)
{
    return send(stream[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}
static long receive(void)
{
    char byte;
    return recv(stream[0], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN ? 0 : -1;
}
static long accept_it(void)
{
    return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC) < 0 && errno == EAGAIN ? 0
                                                                                              : -1;
}
static long poll_it(void)
{
    struct epoll_event e = {.events = EPOLLIN};
    if (epoll_ctl(loop, EPOLL_CTL_ADD, stream[0], &e) != 0)
        return -1;
    return epoll_wait(loop, &e, 1, 0);
}
static long options(void)
{
    const int on = 1;
    return setsockopt(stream[0], SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) != 0 ||
                   fcntl(stream[0], F_SETFL, O_NONBLOCK) != 0
               ? -1
               : shutdown(stream[0], SHUT_WR);
}
static long allocate(void)
{
    char *small = malloc(100), *large = malloc(10 << 20);
    long good = small != NULL && large != NULL ? 0 : -1;
    if (good == 0)
        memset(large, 1, 10 << 20);
    free(small);
    free(large);
    return good;
}
static long clock_it(void)
{
    struct timespec t;
    return (long)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
}

struct attempt {
    const char *what;
    long (*act)(void);
    int error; /* 0: it works */
};

#define REFUSED(name)                                                                              \
    {                                                                                              \
#name, name, EPERM                                                                         \
    }
#define WORKS(name)                                                                                \
    {                                                                                              \
#name, name, 0                                                                             \
    }

static const struct attempt with_both[] = {
    REFUSED(open_it),
    REFUSED(open_at),
    REFUSED(open_raw),
    REFUSED(create_it),
    REFUSED(unlink_it),
    REFUSED(stat_it),
    REFUSED(socket_it),
    REFUSED(pair_it),
    REFUSED(connect_it),
    REFUSED(bind_it),
    REFUSED(datagram_to),
    REFUSED(message_to),
    REFUSED(datagram_to_low),
    REFUSED(kill_parent),
    REFUSED(signal_by_fcntl),
    REFUSED(signal_of_choice),
    REFUSED(duplicate),
    REFUSED(execute),
    REFUSED(fork_it),
    REFUSED(trace),
    REFUSED(read_memory),
    REFUSED(pidfd),
    REFUSED(run_memory),
    REFUSED(protect_memory),
    REFUSED(type_into_terminal),
    REFUSED(become),
    REFUSED(be_dumpable),
    REFUSED(ring),
    REFUSED(bpf),
    REFUSED(unshare_it),
    REFUSED(number_of_x32),
    WORKS(send_it),
    WORKS(receive),
    WORKS(accept_it),
    WORKS(poll_it),
    WORKS(options),
    WORKS(allocate),
    WORKS(clock_it),
    {NULL, NULL, 0},
};

/* Without seccomp, landlock still refuses files. */
static const struct attempt with_landlock[] = {
    {"open_it", open_it, EACCES},     {"open_at", open_at, EACCES},
    {"create_it", create_it, EACCES}, {"unlink_it", unlink_it, EACCES},
    {"execute", execute, EACCES},     {NULL, NULL, 0},
};

/* Makes a system call fail with error, as a kernel without it would. Of prctl only PR_SET_SECCOMP
 * fails. */
static void remove_system_call(long number, int error)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {.len = COUNT(code), .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(2);
}

/* A system call that fails already before confine_http, and its error; 0: none. */
struct kernel {
    long without;
    int error;
};

/* Not dprintf(3): it calls lseek first, which is refused, and the message would be lost. */
static void __attribute__((format(printf, 2, 3))) say(int fd, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (write(fd, text, (size_t)len) != len)
        (void)syscall(SYS_exit_group, 3);
}

/* Checks in a child that confine_http returns want_rc and want_why, and that every attempt ends as
 * its row says. */
static void in_child(struct kernel kernel, bool allow_missing, int want_rc, const char *want_why,
                     const struct attempt *attempts)
{
    char said[4096] = "";
    int out[2], status = 0;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
    loop = epoll_create1(EPOLL_CLOEXEC);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char why[128];
        if (kernel.error != 0)
            remove_system_call(kernel.without, kernel.error);
        int rc = confine_http(allow_missing, why, sizeof(why));
        if (rc != want_rc || strcmp(why, want_why) != 0)
            say(out[1], "confine_http: %d '%s'\n", rc, why);
        for (; attempts->what != NULL; attempts++) {
            errno = 0;
            long got = attempts->act();
            int error = got < 0 ? errno : 0;
            if (error != attempts->error || (got < 0) != (attempts->error != 0))
                say(out[1], "%s: %ld %s\n", attempts->what, got, strerror(error));
        }
        for (;;) /* not _exit(2): the sanitizer would make a call that is refused */
            (void)syscall(SYS_exit_group, 0);
    }
    (void)close(out[1]);
    for (size_t len = 0; len < sizeof(said) - 1;) {
        ssize_t n = read(out[0], said + len, sizeof(said) - 1 - len);
        if (n <= 0)
            break;
        len += (size_t)n;
    }
    (void)close(out[0]);
    (void)close(stream[0]);
    (void)close(stream[1]);
    (void)close(loop);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_string_equal(said, "");
    assert_int_equal(status, 0);
}

static void landlock_and_seccomp(void **state)
{
    (void)state;
    in_child((struct kernel){0, 0}, false, 0, "", with_both);
    in_child((struct kernel){0, 0}, true, 0, "", with_both);
}

static void one_of_them(void **state)
{
    static const struct attempt none[] = {{NULL, NULL, 0}};
    const struct kernel no_landlock = {SYS_landlock_create_ruleset, ENOSYS},
                        landlock_off = {SYS_landlock_create_ruleset, EOPNOTSUPP},
                        landlock_barred = {SYS_landlock_create_ruleset, EPERM},
                        landlock_broken = {SYS_landlock_restrict_self, E2BIG},
                        no_seccomp = {SYS_prctl, EINVAL}, seccomp_broken = {SYS_prctl, EACCES};
    (void)state;
    in_child(no_landlock, true, 0, "landlock: Function not implemented", with_both);
    in_child(landlock_off, true, 0, "landlock: Operation not supported", with_both);
    in_child(no_seccomp, true, 0, "seccomp: Invalid argument", with_landlock);
    in_child(no_landlock, false, CONFINE_REFUSED, "landlock: Function not implemented", none);
    in_child(landlock_barred, false, CONFINE_REFUSED, "landlock: Operation not permitted", none);
    in_child(no_seccomp, false, CONFINE_REFUSED, "seccomp: Invalid argument", none);
    /* A step that fails with another error is not missing: -u does not accept it. */
    in_child(landlock_broken, true, -1, "landlock: Argument list too long", none);
    in_child(seccomp_broken, true, -1, "seccomp: Permission denied", none);
}

/* Attempts that must be refused work before confine_http, or their refusal would prove nothing. */
static int set_up(void **state)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    (void)state;
    dir = temp_dir_make();
    file = path_in(dir, "file");
    other_socket = path_in(dir, "socket");
    write_text(file, "text");
    directory = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    datagrams = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(directory >= 0 && listener >= 0 && datagrams >= 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, stream), 0);
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_un to = other_address();
    assert_int_equal(bind(other, (const struct sockaddr *)&to, sizeof(to)), 0);
    long (*const possible[])(void) = {open_it,         open_at,    stat_it,
                                      datagram_to,     message_to, kill_parent,
                                      signal_by_fcntl, duplicate,  run_memory};
    for (size_t i = 0; i < COUNT(possible); i++)
        assert_true(possible[i]() >= 0);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    free(file);
    free(other_socket);
    temp_dir_remove(dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(landlock_and_seccomp),
        cmocka_unit_test(one_of_them),
    };
    return cmocka_run_group_tests_name("confine", tests, set_up, clean_up);
}
