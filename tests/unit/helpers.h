/* SPDX-License-Identifier: ISC */
/* What the unit tests share: rows that name themselves, a directory of their own, programs to run.
 */
#ifndef TUNLEASE_TESTS_UNIT_HELPERS_H
#define TUNLEASE_TESTS_UNIT_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* what: the row's description, so that a failure names the boundary. */
#define CHECK(what, condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s: not so: %s", what, #condition);                                          \
    } while (0)

#define CHECK_TEXT(what, got, want) check_text(what, got, want, __FILE__, __LINE__)

static inline void check_text(const char *what, const char *got, const char *want, const char *file,
                              int line)
{
    if (got == NULL || strcmp(got, want) != 0) {
        print_error("%s:\n  got  %s\n  want %s\n", what, got != NULL ? got : "(null)", want);
        _fail(file, line);
    }
}

/* want: part of the reason, or NULL for accepted. */
#define CHECK_PROBLEM(what, got, want) check_problem(what, got, want, __FILE__, __LINE__)

static inline void check_problem(const char *what, const char *got, const char *want,
                                 const char *file, int line)
{
    if ((got == NULL) != (want == NULL) || (want != NULL && strstr(got, want) == NULL)) {
        print_error("%s:\n  got  %s\n  want %s\n", what, got != NULL ? got : "(accepted)",
                    want != NULL ? want : "(accepted)");
        _fail(file, line);
    }
}

/* The share of a processor that is left to us, in percent of what we ask for: 100, or more. */
static inline int64_t slow_percent_now(void)
{
    struct timespec wall, wall_end, cpu, cpu_end;
    int64_t wall_us, cpu_us;
    (void)clock_gettime(CLOCK_MONOTONIC, &wall);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
    do {
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu_end);
        cpu_us = (cpu_end.tv_sec - cpu.tv_sec) * 1000000 + (cpu_end.tv_nsec - cpu.tv_nsec) / 1000;
    } while (cpu_us < 20000);
    (void)clock_gettime(CLOCK_MONOTONIC, &wall_end);
    wall_us = (wall_end.tv_sec - wall.tv_sec) * 1000000 + (wall_end.tv_nsec - wall.tv_nsec) / 1000;
    return wall_us < cpu_us ? 100 : 100 * wall_us / cpu_us;
}

/*
 * What so many milliseconds of a quiet machine are on this one, as tests/run has measured it
 * (tests/pace.sh); or more, when others leave us less of it now. A test's deadlines are counted so,
 * the product's never.
 */
static inline int64_t slow_ms(int64_t ms)
{
    static _Atomic int64_t percent, looked_s = -1;
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    if (looked_s != t.tv_sec) { /* a look takes 20 ms */
        const char *given = getenv("TEST_SLOW_PERCENT");
        int64_t now = slow_percent_now(), told = given != NULL ? atoi(given) : 100;
        if (told > now)
            now = told;
        if (now > percent)
            percent = now;
        looked_s = t.tv_sec;
    }
    return ms * percent / 100;
}

/* A fresh directory, 0755, to be removed with temp_dir_remove. */
static inline char *temp_dir_make(void)
{
    const char *base = getenv("TMPDIR");
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/tunlease-unit.XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(path));
    assert_int_equal(chmod(path, 0755), 0);
    return strdup(path);
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void temp_dir_remove(char *path)
{
    (void)chmod(path, 0755);
    assert_int_equal(nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
    free(path);
}

/* DIR/NAME, to be freed. */
static inline char *path_in(const char *dir, const char *name)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
    return path;
}

static inline void write_file(const char *path, const void *mem, size_t len, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, mem, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text), 0644);
}

/* The whole file, NUL-terminated, to be freed. */
static inline char *read_whole(const char *path, size_t *ret_len)
{
    size_t len = 0, size = 1 << 20;
    char *text = malloc(size + 1);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        fail_msg("cannot open '%s'", path);
    len = fread(text, 1, size, f);
    assert_int_equal(fclose(f), 0);
    text[len] = '\0';
    if (ret_len != NULL)
        *ret_len = len;
    return text;
}

/* Runs argv with stdin closed off; its stdout into out (may be NULL). The exit status. */
static inline int run_command(char *const argv[], char *out, size_t out_bytes)
{
    int pipe_fds[2], status = 0;
    size_t len = 0;
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)dup2(pipe_fds[1], STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    (void)close(pipe_fds[1]);
    for (char piece[512];;) {
        ssize_t got = read(pipe_fds[0], piece, sizeof(piece));
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got && out != NULL && len + 1 < out_bytes; i++)
            out[len++] = piece[i];
    }
    if (out != NULL)
        out[len] = '\0';
    (void)close(pipe_fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* A file of the source tree, which lies somewhere above the running program. To be freed. */
static inline char *source_file(const char *name)
{
    char exe[4096];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    assert_true(len > 0);
    exe[len] = '\0';
    for (char *slash; (slash = strrchr(exe, '/')) != NULL;) {
        *slash = '\0';
        char *path = path_in(exe, name);
        if (access(path, R_OK) == 0)
            return path;
        free(path);
    }
    fail_msg("no '%s' above the test program", name);
    return NULL;
}

#endif
