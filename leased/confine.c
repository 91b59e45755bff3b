/* SPDX-License-Identifier: ISC */
#include "leased/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
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

/* What libevent's loop, the sockets it has, malloc and exit take. */
static const uint32_t allowed[] = {
    SYS_epoll_pwait,   SYS_epoll_ctl,       SYS_read,      SYS_write,        SYS_readv,
    SYS_writev,        SYS_recvfrom,        SYS_sendto,    SYS_recvmsg,      SYS_sendmsg,
    SYS_accept4,       SYS_close,           SYS_shutdown,  SYS_getsockopt,   SYS_setsockopt,
    SYS_getsockname,   SYS_getpeername,     SYS_fcntl,     SYS_ioctl,        SYS_mmap,
    SYS_munmap,        SYS_mremap,          SYS_brk,       SYS_madvise,      SYS_futex,
    SYS_clock_gettime, SYS_gettimeofday,    SYS_getrandom, SYS_rt_sigreturn, SYS_rt_sigprocmask,
    SYS_rt_sigaction,  SYS_restart_syscall, SYS_exit,      SYS_exit_group,   SYS_getpid,
    SYS_gettid,        SYS_timerfd_settime,
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

enum { ALLOWED = sizeof(allowed) / sizeof(allowed[0]) };

static int filter_system_calls(void)
{
    struct sock_filter code[ALLOWED + 5];
    size_t n = 0;
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 0, ALLOWED + 1);
    code[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < ALLOWED; i++) /* a hit jumps over the rest and the refusal */
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
                                                 (uint8_t)(ALLOWED - i), 0);
    /* EPERM and not death: a library that tries something else is answered, as by a file mode. */
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    const struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Every right that the first version of landlock knows, and no path that has any. */
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
    (void)close((int)fd);
    return (int)rc;
}

int confine_http(char *why, size_t why_bytes)
{
    const char *what = NULL;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        what = "no_new_privs";
    else if (prctl(PR_SET_DUMPABLE, 0) != 0)
        what = "dumpable";
    else if (refuse_files() != 0)
        what = "landlock";
    else if (filter_system_calls() != 0)
        what = "seccomp";
    if (what == NULL)
        return 0;
    (void)snprintf(why, why_bytes, "%s: %s", what, strerror(errno));
    return -1;
}
