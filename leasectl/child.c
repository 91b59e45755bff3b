/* SPDX-License-Identifier: ISC */
#include "leasectl/child.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_GRACE_MS = 500 };

static const char path_env[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

enum { ENV_MAX = 16 };

/* As sshd runs a command of its configuration: execve(2) alone, where execvpe(3) gives a file that
 * the kernel does not take to a shell. */
static void exec_as(const char *const argv[], const char *envp[], const struct child_user *user)
{
    if (initgroups(user->name, user->gid) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
        setresuid(user->uid, user->uid, user->uid) == 0)
        (void)execve(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
    (void)dprintf(STDERR_FILENO, "%s", strerror(errno));
    _exit(CHILD_NOT_STARTED);
}

static void exec_child(const char *const argv[], const char *const env[],
                       const struct child_user *user, const int fds[3])
{
    const char *envp[ENV_MAX + 4] = {path_env, "LC_ALL=C", "HOME=/nonexistent"};
    size_t n = 3;
    for (size_t i = 0; env != NULL && env[i] != NULL && n < ENV_MAX; i++)
        envp[n++] = env[i];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int fd = 0; fd < 3; fd++)
        if (dup2(fds[fd], fd) < 0)
            _exit(CHILD_NOT_STARTED);
    /* Our other descriptors are close-on-exec. The effective uid may be that of the store's owner:
     * back to the real one. */
    if (setresuid(getuid(), getuid(), getuid()) != 0)
        _exit(CHILD_NOT_STARTED);
    if (user != NULL)
        exec_as(argv, envp, user);
    (void)putenv((char *)(uintptr_t)path_env); /* where execvpe looks argv[0] up */
    (void)execvpe(argv[0], (char *const *)(uintptr_t)argv, (char *const *)(uintptr_t)envp);
    _exit(CHILD_NOT_STARTED);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static int start(struct child *c, const char *const argv[], const char *const env[],
                 const struct child_user *user)
{
    int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
    int rc = -1;

    *c = CHILD_NONE;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        goto out;
    pid_t pid = fork();
    if (pid < 0)
        goto out;
    if (pid == 0)
        exec_child(argv, env, user, (const int[]){in[0], out[1], err[1]});
    (void)fcntl(out[0], F_SETFL, O_NONBLOCK);
    (void)fcntl(err[0], F_SETFL, O_NONBLOCK);
    *c = (struct child){.pid = pid, .in = in[1], .out = out[0], .err = err[0]};
    in[1] = out[0] = err[0] = -1;
    rc = 0;
out:
    for (int i = 0; i < 2; i++) {
        close_fd(&in[i]);
        close_fd(&out[i]);
        close_fd(&err[i]);
    }
    return rc;
}

int child_start(struct child *c, const char *const argv[], const char *const env[])
{
    return start(c, argv, env, NULL);
}

/* Reads what the pipe holds, and closes our end when the other end is closed. Output beyond
 * CHILD_OUTPUT_MAX is dropped. A program that writes without an end is not read without an end: its
 * deadline comes. */
static void drain(int *fd, struct buf *text)
{
    enum { CHUNK_BYTES = 4096, CHUNKS_MAX = 2 * 65536 / CHUNK_BYTES }; /* a pipe holds 65536 */
    char chunk[CHUNK_BYTES];
    for (int i = 0; *fd >= 0 && i < CHUNKS_MAX; i++) {
        ssize_t n = read(*fd, chunk, sizeof(chunk));
        if (n > 0 && text->len < CHILD_OUTPUT_MAX)
            buf_add_mem(text, chunk, (size_t)n);
        if (n > 0 || (n < 0 && errno == EINTR))
            continue;
        if (n == 0 || errno != EAGAIN)
            close_fd(fd);
        return;
    }
}

static void reap(struct child *c, int options)
{
    if (c->pid > 0 && waitpid(c->pid, &c->status, options) == c->pid)
        c->pid = -1;
}

bool child_pump(struct child *c, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = c->out, .events = POLLIN}, {.fd = c->err, .events = POLLIN}};
    if (c->out < 0 && c->err < 0 && c->pid > 0)
        (void)poll(NULL, 0, timeout_ms < 10 ? timeout_ms : 10);
    else
        (void)poll(fds, 2, timeout_ms);
    drain(&c->out, &c->out_text);
    drain(&c->err, &c->err_text);
    reap(c, WNOHANG);
    if (c->pid > 0)
        return false;
    drain(&c->out, &c->out_text);
    drain(&c->err, &c->err_text);
    return true;
}

void child_close_input(struct child *c)
{
    close_fd(&c->in);
}

void child_stop(struct child *c)
{
    int64_t end_ms = clock_monotonic_ms() + STOP_GRACE_MS;
    if (c->pid > 0)
        (void)kill(c->pid, SIGTERM);
    while (c->pid > 0 && clock_monotonic_ms() < end_ms)
        (void)child_pump(c, 10);
    if (c->pid > 0) {
        (void)kill(c->pid, SIGKILL);
        reap(c, 0);
    }
    drain(&c->out, &c->out_text);
    drain(&c->err, &c->err_text);
    close_fd(&c->in);
    close_fd(&c->out);
    close_fd(&c->err);
}

void child_release(struct child *c)
{
    child_stop(c);
    buf_release(&c->out_text);
    buf_release(&c->err_text);
}

const char *child_text(const struct buf *output)
{
    const char *text = buf_text(output);
    return text != NULL ? text : "";
}

void child_add_first_line(const struct buf *output, struct buf *out)
{
    const char *text = output->len > 0 ? buf_text(output) : NULL;
    if (text != NULL)
        buf_add_mem(out, text, strcspn(text, "\r\n"));
}

int child_exit_status(const struct child *c)
{
    if (c->pid > 0)
        return -1;
    return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
}

/* One write is enough: input is shorter than a pipe holds. EPIPE is no failure: the program may end
 * without reading it. */
static bool write_input(struct child *c, const char *input)
{
    return write(c->in, input, strlen(input)) == (ssize_t)strlen(input) || errno == EPIPE;
}

static int run(struct child *c, const char *input, int timeout_ms)
{
    int64_t end_ms = clock_monotonic_ms() + timeout_ms;
    if (input != NULL && !write_input(c, input)) {
        child_stop(c);
        return CHILD_NOT_STARTED;
    }
    child_close_input(c);
    while (!child_pump(c, 50))
        if (clock_monotonic_ms() > end_ms) {
            child_stop(c);
            return CHILD_OUT_OF_TIME;
        }
    return child_exit_status(c);
}

int child_run(struct child *c, const char *const argv[], const char *const env[], const char *input,
              int timeout_ms)
{
    return start(c, argv, env, NULL) == 0 ? run(c, input, timeout_ms) : CHILD_NOT_STARTED;
}

int child_run_as(struct child *c, const char *const argv[], const struct child_user *user,
                 int timeout_ms)
{
    return start(c, argv, NULL, user) == 0 ? run(c, NULL, timeout_ms) : CHILD_NOT_STARTED;
}
