/* SPDX-License-Identifier: ISC */
#include "join/system_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH_ is this? see linux/audit.h"
#endif

static const uint32_t refused[] = {
    SYS_execve,
    SYS_execveat,
    SYS_clone,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_bind,
    SYS_listen,
    SYS_socketpair,
    SYS_sendmsg, /* it passes descriptors */
    SYS_sendmmsg,
    SYS_ioctl, /* it types into a terminal */
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_keyctl,
};

/* From here on all machines have the same numbers: io_uring, pidfd, clone3, openat2 and whatever
 * is to come. Those of x32 are above, too. ENOSYS, so that a libc falls back to an older call. */
enum { FIRST_OF_NEW = 424 };

enum {
    REFUSED = sizeof(refused) / sizeof(refused[0]),
    STEPS_MAX = 32 + REFUSED,
};

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define FAIL(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

void system_calls_refuse(void)
{
    /* The low halves of arguments suffice: the kernel looks at no more of these. */
    const struct sock_filter begin[] = {
        LOAD(arch),
        IF_EQUAL(OUR_ARCH, 1, 0),
        FAIL(EPERM),
        LOAD(nr),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_OF_NEW, 0, 1),
        FAIL(ENOSYS),
        IF_EQUAL(SYS_socket, 0, 7),
        LOAD(args[0]),
        IF_EQUAL(AF_UNIX, 0, 3),
        LOAD(args[1]),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xf), /* without SOCK_CLOEXEC and SOCK_NONBLOCK */
        IF_EQUAL(SOCK_STREAM, 1, 0),
        FAIL(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        IF_EQUAL(SYS_mprotect, 1, 0),
        IF_EQUAL(SYS_mmap, 0, 4),
        LOAD(args[2]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
        FAIL(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        IF_EQUAL(SYS_prctl, 0, 4),
        LOAD(args[0]),
        IF_EQUAL(PR_SET_NAME, 1, 0), /* who waits to say that a code was wrong says so there */
        FAIL(EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_filter code[STEPS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < sizeof(begin) / sizeof(begin[0]); i++)
        code[n++] = begin[i];
    for (size_t i = 0; i < REFUSED; i++)
        code[n++] = (struct sock_filter)IF_EQUAL(refused[i], (uint8_t)(REFUSED - i), 0);
    code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    code[n++] = (struct sock_filter)FAIL(EPERM);
    const struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    (void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}
