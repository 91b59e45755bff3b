/* SPDX-License-Identifier: ISC */
#include "leased/requests/issue.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DIR_BYTES = 64 };

static const char passphrase_env[] = "TUNLEASE_ISSUE_PASSPHRASE";

static struct issuing {
    pid_t pid; /* 0: free */
    int64_t until_ms;
    char dir[DIR_BYTES];
    void *owner;
} issuing[ISSUING_MAX];

bool issue_is_askpass(void)
{
    const char *passphrase = getenv(passphrase_env);
    if (passphrase == NULL)
        return false;
    (void)puts(passphrase);
    return true;
}

static void file_in(const struct issuing *i, const char *name, char out[static DIR_BYTES + 16])
{
    (void)snprintf(out, DIR_BYTES + 16, "%s/%s", i->dir, name);
}

/* Removes every file of a private key. */
static void clean_up(struct issuing *i)
{
    static const char *const names[] = {"key", "key.pub"};
    char path[DIR_BYTES + 16];
    for (size_t k = 0; k < 2; k++) {
        file_in(i, names[k], path);
        (void)unlink(path);
    }
    (void)rmdir(i->dir);
    *i = (struct issuing){.pid = 0};
}

/* In the child. Everybody could read a passphrase in its arguments; only this user and root can
 * read the environment. */
static void run_keygen(const struct issuing *i, const char *agent, const char *passphrase)
{
    char file[DIR_BYTES + 16], self[256];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    sigset_t none;
    if (n <= 0)
        return;
    self[n] = '\0';
    file_in(i, "key", file);
    (void)setpgid(0, 0); /* so that what it starts is killed with it */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int sig = 1; sig < NSIG; sig++)
        (void)signal(sig, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
        dup2(null_fd, STDERR_FILENO) < 0 || clearenv() != 0 ||
        setenv(passphrase_env, passphrase, 1) != 0 || setenv("SSH_ASKPASS", self, 1) != 0 ||
        setenv("SSH_ASKPASS_REQUIRE", "force", 1) != 0 || setenv("PATH", "/usr/bin:/bin", 1) != 0 ||
        setenv("HOME", "/nonexistent", 1) != 0)
        return;
    (void)execl("/usr/bin/ssh-keygen", "ssh-keygen", "-q", "-t", "ed25519", "-C", agent, "-f", file,
                (char *)NULL);
}

static void kill_group(const struct issuing *i)
{
    (void)kill(-i->pid, SIGKILL);
    (void)kill(i->pid, SIGKILL); /* it may not have made its group yet */
}

/* Kills the child that has the slot now, if its time is over: it may be a later one than the timer
 * was set for. Its end is handled as usual. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    const struct issuing *i = arg;
    (void)fd;
    (void)what;
    if (i->pid == 0 || clock_monotonic_ms() < i->until_ms)
        return;
    log_error("ssh-keygen took longer than %d s: it is killed", ISSUE_MS / 1000);
    kill_group(i);
}

void issue_stop(void (*release)(void *owner))
{
    for (size_t k = 0; k < ISSUING_MAX; k++) {
        struct issuing *i = &issuing[k];
        if (i->pid == 0)
            continue;
        kill_group(i);
        (void)waitpid(i->pid, NULL, 0);
        release(i->owner);
        clean_up(i);
    }
}

int issue_start(struct event_base *base, const char *agent, const char *passphrase, void *owner)
{
    /* A timer may fire a little before the clock that on_deadline asks. */
    const struct timeval limit = {.tv_sec = ISSUE_MS / 1000, .tv_usec = 50000};
    struct issuing *i = NULL;
    for (size_t k = 0; k < ISSUING_MAX && i == NULL; k++)
        if (issuing[k].pid == 0)
            i = &issuing[k];
    if (i == NULL) {
        errno = EAGAIN;
        return -1;
    }
    *i = (struct issuing){
        .until_ms = clock_monotonic_ms() + ISSUE_MS, .dir = "/tmp/leased.XXXXXX", .owner = owner};
    if (mkdtemp(i->dir) == NULL) {
        *i = (struct issuing){.pid = 0};
        return -1;
    }
    i->pid = fork();
    if (i->pid == 0) {
        run_keygen(i, agent, passphrase);
        _exit(EXIT_FAILURE);
    }
    if (i->pid < 0) {
        int saved = errno;
        clean_up(i);
        errno = saved;
        return -1;
    }
    if (event_base_once(base, -1, EV_TIMEOUT, on_deadline, i, &limit) != 0)
        kill_group(i); /* without a timer nothing would limit its time */
    return 0;
}

/* Reads a small file. Returns its length, or -1. */
static ssize_t read_small(const char *path, char *out, size_t out_bytes)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = read(fd, out, out_bytes - 1);
    (void)close(fd);
    if (n > 0)
        out[n] = '\0';
    return n;
}

/* Reads the key pair from the child's directory. */
static void read_keys(const struct issuing *i, struct issued *ret)
{
    char path[DIR_BYTES + 16];
    char *private_key = calloc(1, ISSUE_KEY_BYTES);
    if (private_key == NULL)
        return;
    file_in(i, "key.pub", path);
    ssize_t n = read_small(path, ret->public_key, sizeof(ret->public_key));
    file_in(i, "key", path);
    if (n <= 0 || read_small(path, private_key, ISSUE_KEY_BYTES) <= 0) {
        free(private_key);
        return;
    }
    ret->public_key[strcspn(ret->public_key, "\n")] = '\0';
    ret->private_key = private_key;
}

bool issue_done(pid_t pid, bool good, struct issued *ret)
{
    for (size_t k = 0; k < ISSUING_MAX; k++) {
        struct issuing *i = &issuing[k];
        if (i->pid != pid)
            continue;
        ret->owner = i->owner;
        ret->private_key = NULL;
        if (good)
            read_keys(i, ret);
        clean_up(i);
        return true;
    }
    return false;
}
