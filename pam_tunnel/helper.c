/* SPDX-License-Identifier: ISC */
/*
 * Runs `akc --check` to learn whether a key holds a lease, as the user that sshd runs akc as: the
 * monitor is root, and never opens the store itself.
 */
#include "pam_tunnel/helper.h"

#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/session/auth_info.h"

#include <bsd/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHECK_ADMITS = 0,
    CHECK_REFUSES = 3,
    NOT_STARTED = 127,
    REAP_MS = 100, /* how long a process that was sent SIGKILL may take */
    USER_BYTES = 4096,
};

struct identity {
    uid_t uid;
    gid_t gid;
};

static int find_identity(const char *user, struct identity *ret)
{
    char text[USER_BYTES];
    struct passwd pw, *found = NULL;
    if (getpwnam_r(user, &pw, text, sizeof(text), &found) != 0 || found == NULL ||
        found->pw_uid == 0)
        return -1;
    *ret = (struct identity){.uid = found->pw_uid, .gid = found->pw_gid};
    return 0;
}

/* In the child: akc inherits nothing that the host process has open, ignores or exports. */
static void exec_akc(const char *const argv[], int out_fd, const struct identity *as)
{
    static const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    (void)sigemptyset(&none);
    for (int sig = 1; sig < NSIG; sig++)
        (void)sigaction(sig, &by_default, NULL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(out_fd, STDOUT_FILENO) < 0 || dup2(null_fd, STDIN_FILENO) < 0 ||
        dup2(null_fd, STDERR_FILENO) < 0)
        _exit(NOT_STARTED);
    closefrom(STDERR_FILENO + 1);
    if (geteuid() == 0 &&
        (setgroups(1, &as->gid) != 0 || setresgid(as->gid, as->gid, as->gid) != 0 ||
         setresuid(as->uid, as->uid, as->uid) != 0))
        _exit(NOT_STARTED);
    /* After the change of user, which would clear this (prctl(2)). */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)env);
    _exit(NOT_STARTED);
}

/* Reads until the writer closes its end. Returns the length, or -1: too late, or too much. */
static ssize_t read_all(int fd, char *out, size_t out_bytes, int64_t deadline_ms)
{
    size_t used = 0;
    for (;;) {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (left_ms <= 0 || used == out_bytes)
            return -1;
        if (poll(&p, 1, (int)left_ms) <= 0)
            continue; /* EINTR, or the deadline, which the next turn sees */
        ssize_t n = read(fd, out + used, out_bytes - used);
        if (n == 0)
            return (ssize_t)used;
        if (n < 0 && errno != EINTR)
            return -1;
        used += n > 0 ? (size_t)n : 0;
    }
}

/* Returns the exit status of pid, or -1: it did not end by deadline_ms, or a signal ended it. */
static int reap(pid_t pid, int64_t deadline_ms)
{
    int status = 0;
    for (;;) {
        pid_t rc = waitpid(pid, &status, WNOHANG);
        if (rc == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        if (rc < 0 && errno != EINTR)
            return -1;
        if (clock_monotonic_ms() >= deadline_ms)
            return -1;
        (void)poll(NULL, 0, 1);
    }
}

/* Runs argv. Returns its exit status, or -1. What it printed is in out, NUL-terminated. */
static int run_akc(const char *const argv[], const struct identity *as, int64_t deadline_ms,
                   char *out, size_t out_bytes)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    struct sigaction sigchld;
    int fds[2] = {-1, -1};
    int status = -1;

    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    /* If the host program ignores or handles SIGCHLD, somebody else could reap the child. */
    if (sigaction(SIGCHLD, &by_default, &sigchld) != 0)
        goto out;
    pid_t pid = fork();
    if (pid == 0)
        exec_akc(argv, fds[1], as);
    (void)close(fds[1]);
    fds[1] = -1;
    if (pid > 0) {
        ssize_t n = read_all(fds[0], out, out_bytes - 1, deadline_ms);
        if (n >= 0) {
            out[n] = '\0';
            status = reap(pid, deadline_ms);
        }
        if (n < 0 || status < 0) {
            (void)kill(pid, SIGKILL);
            (void)reap(pid, clock_monotonic_ms() + REAP_MS);
            status = -1;
        }
        if (n >= 0 && memchr(out, '\0', (size_t)n) != NULL)
            status = -1;
    }
    (void)sigaction(SIGCHLD, &sigchld, NULL);
out:
    (void)close(fds[0]);
    if (fds[1] >= 0)
        (void)close(fds[1]);
    return status;
}

/* ---- the answer ---- */

/* Words name=value, one blank between them, and a newline at the end. Words that only a later akc
 * knows are skipped. */
int judgement_parse(struct judgement *j)
{
    int64_t number = 0;
    size_t len = strlen(j->text);

    j->lease_id = 0;
    j->listens = false;
    j->max_sessions = 0;
    j->name = j->fingerprint = j->opens = j->listens_on = NULL;
    if (len == 0 || j->text[len - 1] != '\n')
        return -1;
    j->text[len - 1] = '\0';
    if (strchr(j->text, '\n') != NULL)
        return -1;
    for (char *rest = j->text, *word; (word = strsep(&rest, " ")) != NULL;) {
        char *value = strchr(word, '=');
        if (value == NULL)
            return -1;
        *value++ = '\0';
        const size_t value_len = strlen(value);
        bool good = true;
        if (strcmp(word, "lease_id") == 0) {
            good = number_parse_signed(value, value_len, &j->lease_id);
        } else if (strcmp(word, "listen") == 0) {
            good = number_parse(value, value_len, 0, INT32_MAX, &number);
            j->listens = number != 0;
        } else if (strcmp(word, "max_sessions") == 0) {
            good = number_parse(value, value_len, 0, INT32_MAX, &number);
            j->max_sessions = (unsigned)number;
        } else if (strcmp(word, "name") == 0) {
            j->name = value;
        } else if (strcmp(word, "fp") == 0) {
            j->fingerprint = value;
        } else if (strcmp(word, "open_permits") == 0) {
            j->opens = value;
        } else if (strcmp(word, "listen_permits") == 0) {
            j->listens_on = value;
        }
        if (!good)
            return -1;
    }
    return j->lease_id != 0 && j->name != NULL && j->fingerprint != NULL ? 0 : -1;
}

enum helper_rc helper_check(const struct module_args *args, const char *login,
                            const struct auth_info *key, const char *source, int64_t deadline_ms,
                            struct judgement *ret, const char **why)
{
    const char *argv[12] = {args->akc};
    struct identity as;
    size_t n = 1;

    *why = "akc's user is missing, or is root";
    if (geteuid() == 0 && find_identity(args->akc_user, &as) != 0)
        return HELPER_COULD_NOT;
    if (args->conf_file != NULL) {
        argv[n++] = "-c";
        argv[n++] = args->conf_file;
    }
    argv[n++] = "--check";
    argv[n++] = "--addr";
    argv[n++] = source;
    argv[n++] = login;
    argv[n++] = key->key_type;
    argv[n] = key->key_base64;
    int status = run_akc(argv, &as, deadline_ms, ret->text, sizeof(ret->text));
    if (status == CHECK_REFUSES) {
        *why = "the key holds no active lease";
        return HELPER_NO_LEASE;
    }
    *why = status == -1            ? "akc --check did not answer in time"
           : status == NOT_STARTED ? "akc could not be started"
                                   : "akc --check could not tell; its own line says why";
    if (status != CHECK_ADMITS)
        return HELPER_COULD_NOT;
    *why = "akc --check answered for another key, or in words that are not understood";
    if (judgement_parse(ret) != 0 || strcmp(ret->fingerprint, key->fingerprint) != 0)
        return HELPER_COULD_NOT;
    return HELPER_LEASE;
}
