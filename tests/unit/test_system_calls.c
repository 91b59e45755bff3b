/* SPDX-License-Identifier: ISC */
/* What join cannot do once it is confined, and what it still does. A child makes the calls. */
#include "join/confine.h"
#include "join/exchange.h"

#include "tests/unit/helpers.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

static char page[8192];

static long execute(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    return execve("/bin/true", argv, argv + 1);
}
static long execute_at(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};
    return syscall(SYS_execveat, AT_FDCWD, "/bin/true", argv, argv + 1, 0);
}
static long fork_it(void)
{
    return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}
static long fork_anew(void)
{
    return syscall(SYS_clone3, page, 64);
}
static long trace(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}
static long read_memory(void)
{
    return syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}
static long kill_parent(void)
{
    return kill(getppid(), 0);
}
static long pidfd(void)
{
    return syscall(SYS_pidfd_open, getppid(), 0);
}
static long internet(void)
{
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}
static long netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
}
static long datagrams(void)
{
    return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}
static long pair(void)
{
    int fds[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}
static long run_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
               ? -1
               : 0;
}
static long protect_memory(void)
{
    return mprotect((void *)(((uintptr_t)page + 4095) & ~(uintptr_t)4095), 4096,
                    PROT_READ | PROT_WRITE | PROT_EXEC);
}
static long type_into_terminal(void)
{
    return ioctl(STDIN_FILENO, TIOCSTI, "x");
}
static long be_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1);
}
static long unshare_it(void)
{
    return syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */);
}
static long ring(void)
{
    return syscall(SYS_io_uring_setup, 1, page);
}
static long number_of_x32(void)
{
    return syscall((long)(0x40000000 | SYS_getpid));
}
static long bpf(void)
{
    return syscall(SYS_bpf, 0, page, 0);
}

/* ---- what join does ---- */

static long unix_stream(void)
{
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}
static long ask_nobody(void)
{
    const struct join_request request = {
        .code = "KQ7P3XMA9TREWZ2H", .key_type = "ssh-ed25519", .key_base64 = "AAAA"};
    struct join_answer answer = {.exit = 0};
    return exchange_join("/nonexistent/socket", &request, 100, &answer) == EXCHANGE_NOT_SENT ? 0
                                                                                             : -1;
}
static long open_it(void)
{
    return open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
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
static long protect_data(void)
{
    return mprotect((void *)(((uintptr_t)page + 4095) & ~(uintptr_t)4095), 4096,
                    PROT_READ | PROT_WRITE);
}
static long name_itself(void)
{
    return prctl(PR_SET_NAME, "join-refused");
}
static long wait_a_bit(void)
{
    return poll(NULL, 0, 1);
}
static long set_alarm(void)
{
    const struct sigaction sa = {.sa_handler = SIG_IGN};
    (void)alarm(40);
    return sigaction(SIGALRM, &sa, NULL);
}

static const struct {
    const char *what;
    long (*act)(void);
    int error; /* 0: it works */
} attempts[] = {
    {"execve", execute, EPERM},
    {"execveat", execute_at, EPERM},
    {"clone", fork_it, EPERM},
    {"clone3", fork_anew, ENOSYS},
    {"ptrace", trace, EPERM},
    {"process_vm_readv", read_memory, EPERM},
    {"kill", kill_parent, EPERM},
    {"pidfd_open", pidfd, ENOSYS},
    {"a socket of the internet", internet, EPERM},
    {"a socket of netlink", netlink, EPERM},
    {"a socket for datagrams", datagrams, EPERM},
    {"socketpair", pair, EPERM},
    {"mmap PROT_EXEC", run_memory, EPERM},
    {"mprotect PROT_EXEC", protect_memory, EPERM},
    {"ioctl TIOCSTI", type_into_terminal, EPERM},
    {"prctl", be_dumpable, EPERM},
    {"unshare", unshare_it, EPERM},
    {"io_uring_setup", ring, ENOSYS},
    {"a number of x32", number_of_x32, ENOSYS},
    {"bpf", bpf, EPERM},
    {"a socket of unix", unix_stream, 0},
    {"a request that nobody takes", ask_nobody, 0},
    {"open", open_it, 0},
    {"malloc", allocate, 0},
    {"mprotect", protect_data, 0},
    {"its name", name_itself, 0},
    {"poll", wait_a_bit, 0},
    {"alarm", set_alarm, 0},
};

/* As a line on standard error, which is the pipe: other descriptors were closed. */
static void say(const char *what, int error)
{
    char text[128];
    int len = snprintf(text, sizeof(text), "%s: %s\n", what, strerror(error));
    if (write(STDERR_FILENO, text, (size_t)len) != len)
        (void)syscall(SYS_exit_group, 3);
}

static void confined(void **state)
{
    static const char end[] = "all were tried\n";
    char said[4096] = "";
    int out[2], status = 0;
    (void)state;
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(out[1], STDERR_FILENO);
        confine_self();
        for (size_t i = 0; i < COUNT(attempts); i++) {
            errno = 0;
            long got = attempts[i].act();
            int error = got < 0 ? errno : 0;
            if (error != attempts[i].error || (got < 0) != (attempts[i].error != 0))
                say(attempts[i].what, error);
        }
        /* An execve that works ends the loop. */
        if (write(STDERR_FILENO, end, strlen(end)) < 0)
            (void)syscall(SYS_exit_group, 3);
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
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_string_equal(said, end);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(confined)};
    return cmocka_run_group_tests_name("system_calls", tests, NULL, NULL);
}
