/* SPDX-License-Identifier: ISC */
#include "leased/http/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_ is this? see linux/audit.h"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "which half of an argument is the low one?"
#endif

/* What libevent's loop, its sockets, syslog(3), malloc and exit need. Not sendmsg, which can name
 * an address and pass descriptors, and not ioctl, which can type into a terminal. */
static const uint32_t allowed[] = {
    SYS_epoll_pwait,
    SYS_epoll_ctl,
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_recvfrom,
    SYS_accept4,
    SYS_close,
    SYS_shutdown,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_getsockname,
    SYS_getpeername,
    SYS_munmap,
    SYS_mremap,
    SYS_brk,
    SYS_madvise,
    SYS_futex,
    SYS_clock_gettime,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_getpid,
    SYS_gettid,
    SYS_timerfd_settime,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
#ifdef SYS_time
    SYS_time,
#endif
};

/* Allowed if (the low half of the argument & mask) == value and the high half is 0. */
static const struct {
    uint32_t number;
    unsigned argument;
    uint32_t mask, value;
} allowed_if[] = {
    /* send(2) is sendto without an address. With one, a datagram socket such as that of syslog(3)
     * could reach every socket in the file system. */
    {SYS_sendto, 4, UINT32_MAX, 0},
    {SYS_mmap, 2, PROT_EXEC, 0},
    /* No F_SETOWN and F_SETSIG: with these the kernel would send signals for us. */
    {SYS_fcntl, 1, UINT32_MAX, F_GETFL},
    {SYS_fcntl, 1, UINT32_MAX, F_SETFL},
    {SYS_fcntl, 1, UINT32_MAX, F_GETFD},
    {SYS_fcntl, 1, UINT32_MAX, F_SETFD},
};

enum {
    ALLOWED = sizeof(allowed) / sizeof(allowed[0]),
    ALLOWED_IF = sizeof(allowed_if) / sizeof(allowed_if[0]),
    STEPS_IF = 8, /* instructions for each entry of allowed_if */
    STEPS_MAX = 3 + ALLOWED * 2 + ALLOWED_IF * STEPS_IF + 2,
    ARGUMENT_BYTES = 8,
};

static const struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
/* EPERM, and the process lives: a library that tries another call just sees it fail. */
static const struct sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);

static struct sock_filter load(size_t at)
{
    return (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at);
}

/* If the loaded word is not value, skips so many instructions. */
static struct sock_filter unless_equal(uint32_t value, uint8_t skip)
{
    return (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

static size_t half_of(unsigned argument, bool high)
{
    return offsetof(struct seccomp_data, args) + argument * ARGUMENT_BYTES + (high ? 4 : 0);
}

static int filter_system_calls(void)
{
    struct sock_filter code[STEPS_MAX];
    size_t n = 0;
    /* Other ABIs of this machine have other numbers, and are refused. x32 has the same arch, but
     * its numbers are in no list here. */
    code[n++] = load(offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0);
    code[n++] = refuse;
    code[n++] = load(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ALLOWED; i++) {
        code[n++] = unless_equal(allowed[i], 1);
        code[n++] = allow;
    }
    for (size_t i = 0; i < ALLOWED_IF; i++) {
        code[n++] = unless_equal(allowed_if[i].number, STEPS_IF - 1);
        code[n++] = load(half_of(allowed_if[i].argument, true));
        code[n++] = unless_equal(0, 4);
        code[n++] = load(half_of(allowed_if[i].argument, false));
        code[n++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, allowed_if[i].mask);
        code[n++] = unless_equal(allowed_if[i].value, 1);
        code[n++] = allow;
        code[n++] = load(offsetof(struct seccomp_data, nr));
    }
    code[n++] = refuse;
    const struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Handles every right that the first version of landlock knows, and grants none of them. */
static int refuse_files(void)
{
    const struct landlock_ruleset_attr rules = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                             LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                             LANDLOCK_ACCESS_FS_MAKE_SYM};
    long fd = syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0);
    if (fd < 0)
        return -1;
    long rc = syscall(SYS_landlock_restrict_self, fd, 0);
    int saved = errno;
    (void)close((int)fd);
    errno = saved;
    return (int)rc;
}

/* Whether the error means that this kernel lacks the feature. EPERM of landlock comes from a
 * container whose seccomp filter does not know landlock; EINVAL of seccomp from a kernel built
 * without it. */
static bool is_missing(int (*step)(void), int error)
{
    return error == ENOSYS || error == EOPNOTSUPP || (step == refuse_files && error == EPERM) ||
           (step == filter_system_calls && error == EINVAL);
}

int confine_http(bool allow_missing, char *why, size_t why_bytes)
{
    static const struct {
        const char *name;
        int (*step)(void);
    } steps[] = {{"landlock", refuse_files}, {"seccomp", filter_system_calls}};
    size_t len = 0;

    why[0] = '\0';
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0) {
        (void)snprintf(why, why_bytes, "prctl: %s", strerror(errno));
        return -1;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i].step() == 0)
            continue;
        int error = errno;
        if (len < why_bytes)
            len += (size_t)snprintf(why + len, why_bytes - len, "%s%s: %s", len > 0 ? ", " : "",
                                    steps[i].name, strerror(error));
        if (!is_missing(steps[i].step, error))
            return -1;
        if (!allow_missing)
            return CONFINE_REFUSED;
    }
    return 0;
}
