/* SPDX-License-Identifier: ISC */
#include "lib/store/akc_knows.h"

#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/store/handle.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char akc_path[] = TUNLEASE_LIBEXECDIR "/tunlease/akc";

enum {
    ANSWER_MS = 3000,
    ANSWER_BYTES = 16,
    CANNOT_TELL = -1,
    AKC_LIVES_MS = 1000, /* its own deadline: akc(8) */
    LATER_MS = 100,      /* an older akc that was started just before its file was replaced */
};

/* Reads until the writer closes its end. The text is NUL-terminated. False: it has not within
 * ANSWER_MS. */
static bool read_answer(int fd, char out[static ANSWER_BYTES])
{
    int64_t until_ms = clock_monotonic_ms() + ANSWER_MS, left_ms;
    size_t used = 0;
    while (used < ANSWER_BYTES - 1 && (left_ms = until_ms - clock_monotonic_ms()) > 0) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, (int)left_ms) <= 0)
            continue;
        ssize_t n = read(fd, out + used, ANSWER_BYTES - 1 - used);
        used += n > 0 ? (size_t)n : 0;
        if (n == 0 || (n < 0 && errno != EINTR)) {
            out[used] = '\0';
            return true;
        }
    }
    out[used] = '\0';
    return used == ANSWER_BYTES - 1;
}

static void end(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* it has answered, or never will */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

/* 0, or an error of errno(3). */
static int start_akc(int out_fd, pid_t *ret)
{
    char *const argv[] = {(char[]){"akc"}, (char[]){"--store-version"}, NULL};
    char *const env[] = {NULL};
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0)
        return error;
    error = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
    if (error == 0)
        error = posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (error == 0)
        error = posix_spawn(ret, akc_path, &actions, NULL, argv, env);
    (void)posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* The newest version that the installed akc reads. 0: it is from before it could be asked.
 * CANNOT_TELL, with errno set: it does not start, or does not answer. */
static int64_t ask(void)
{
    char answer[ANSWER_BYTES];
    int64_t version = 0;
    int fds[2];
    pid_t pid;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return CANNOT_TELL;
    int error = start_akc(fds[1], &pid);
    (void)close(fds[1]);
    if (error == 0) {
        error = read_answer(fds[0], answer) ? 0 : ETIMEDOUT;
        end(pid);
        if (!number_parse(answer, strcspn(answer, "\n"), 1, INT32_MAX, &version))
            version = 0;
    }
    (void)close(fds[0]);
    errno = error;
    return error == 0 ? version : CANNOT_TELL;
}

/* The file's change time is when it got its name. */
static void wait_for_older(const struct stat *sb)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        return;
    int64_t age_ms = (int64_t)(now.tv_sec - sb->st_ctim.tv_sec) * 1000 +
                     (now.tv_nsec - sb->st_ctim.tv_nsec) / 1000000;
    if (age_ms >= 0 && age_ms < AKC_LIVES_MS + LATER_MS)
        (void)poll(NULL, 0, (int)(AKC_LIVES_MS + LATER_MS - age_ms));
}

static enum store_rc say_cannot_tell(struct store *st, int version, int error)
{
    st->failed_code = 0;
    (void)snprintf(st->error, sizeof(st->error),
                   "it must be migrated to version %d first, and '%s', which sshd runs, could not "
                   "be asked whether it reads that: %s; until it can be, nothing can be changed",
                   version, akc_path, strerror(error));
    return STORE_FAIL;
}

enum store_rc akc_knows(struct store *st, int version)
{
    struct stat sb;
    if (stat(akc_path, &sb) != 0)
        return errno == ENOENT || errno == ENOTDIR ? STORE_OK : say_cannot_tell(st, version, errno);
    const int64_t known = ask();
    if (known == CANNOT_TELL)
        return say_cannot_tell(st, version, errno);
    if (known < version) {
        st->failed_code = 0;
        (void)snprintf(st->error, sizeof(st->error),
                       "it must be migrated to version %d first, and '%s', which sshd runs, could "
                       "not read it then: finish the upgrade ('dpkg --configure -a' and 'apt-get "
                       "-f install', or 'make install'); until then logins work as before, and "
                       "nothing can be changed",
                       version, akc_path);
        return STORE_FAIL;
    }
    wait_for_older(&sb);
    return STORE_OK;
}
