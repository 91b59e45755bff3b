/* SPDX-License-Identifier: ISC */
/*
 * inturn: runs commands one after the other, in rounds, and prints what each of them took.
 *   inturn [-u UID:GID] ROUNDS LABEL :: COMMAND [ARG...] [:: COMMAND [ARG...]]...
 *
 * One line for each command: median, lower and upper quartile of its wall time in us; peak resident
 * memory in KiB of its largest process; the median over all rounds of FIRST/THIS, in thousandths.
 * Each round begins with another command, so that none always runs after the same one; a first
 * round is not counted. -u: as sshd runs an AuthorizedKeysCommand (docs/sshd-facts.md 5). LABEL is
 * for the progress on a terminal.
 *
 * It is linked statically and stays small: the kernel counts what a child inherits until its
 * execve as the child's memory.
 */
#include "tests/bench/now.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_COMMANDS = 16, MAX_ROUNDS = 100000 };

struct command {
    char **argv;
    int64_t *took_us;
    long peak_kib;
};

struct identity {
    bool given;
    uid_t uid;
    gid_t gid;
};

extern char **environ;

static _Noreturn void become(char **argv, const struct identity *id)
{
    int null = open("/dev/null", O_RDWR);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
        _exit(126);
    (void)close(null);
    if (id->given && (setgroups(0, NULL) != 0 || setresgid(id->gid, id->gid, id->gid) != 0 ||
                      setresuid(id->uid, id->uid, id->uid) != 0 || chdir("/") != 0))
        _exit(126);
    (void)execve(argv[0], argv, environ);
    _exit(127);
}

static int64_t run_command(struct command *c, const struct identity *id)
{
    struct rusage usage;
    int status;
    int64_t start = now_us();
    pid_t pid = fork();
    if (pid < 0)
        err(1, "fork");
    if (pid == 0)
        become(c->argv, id);
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            err(1, "wait4");
    int64_t took = now_us() - start;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        errx(1, "%s failed (wait status %d)", c->argv[0], status);
    if (usage.ru_maxrss > c->peak_kib)
        c->peak_kib = usage.ru_maxrss;
    return took;
}

/* For all commands: they inherit it. */
static void set_sshd_environment(void)
{
    static const char *const settings[][2] = {
        {"PATH", "/usr/local/bin:/usr/bin:/bin:/usr/games"},
        {"USER", "_tunlease-akc"},
        {"LOGNAME", "_tunlease-akc"},
        {"HOME", "/nonexistent"},
        {"LANG", "C.UTF-8"},
    };
    (void)clearenv();
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        if (setenv(settings[i][0], settings[i][1], 1) != 0)
            err(1, "setenv");
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void report(const struct command *c, const struct command *first, int rounds,
                   int64_t *scratch)
{
    size_t n = (size_t)rounds;
    for (size_t i = 0; i < n; i++)
        scratch[i] = first->took_us[i] * 1000 / (c->took_us[i] > 0 ? c->took_us[i] : 1);
    qsort(scratch, n, sizeof(*scratch), by_value);
    int64_t ratio = scratch[n / 2];
    memcpy(scratch, c->took_us, n * sizeof(*scratch));
    qsort(scratch, n, sizeof(*scratch), by_value);
    (void)printf("%lld %lld %lld %ld %lld\n", (long long)scratch[n / 2], (long long)scratch[n / 4],
                 (long long)scratch[n * 3 / 4], c->peak_kib, (long long)ratio);
}

static int parse_commands(char **words, struct command *commands)
{
    int count = 0;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "::") != 0)
            continue;
        *words = NULL;
        if (count == MAX_COMMANDS || words[1] == NULL)
            errx(2, "a command is missing, or there are more than %d", MAX_COMMANDS);
        commands[count++].argv = words + 1;
    }
    return count;
}

int main(int argc, char **argv)
{
    struct command commands[MAX_COMMANDS] = {{.peak_kib = 0}};
    struct identity id = {.given = false};
    bool terminal = isatty(STDERR_FILENO) != 0;
    int at = 1;

    if (argc > 2 && strcmp(argv[1], "-u") == 0) {
        id.given = sscanf(argv[2], "%u:%u", &id.uid, &id.gid) == 2;
        if (!id.given)
            errx(2, "-u takes UID:GID");
        at = 3;
    }
    if (argc - at < 4)
        errx(2, "usage: inturn [-u UID:GID] ROUNDS LABEL :: COMMAND [ARG...] [:: COMMAND...]...");
    int rounds = atoi(argv[at]);
    if (rounds < 1 || rounds > MAX_ROUNDS)
        errx(2, "ROUNDS is 1 to %d", MAX_ROUNDS);
    const char *label = argv[at + 1];
    int count = parse_commands(argv + at + 2, commands);
    int64_t *scratch = calloc((size_t)rounds, sizeof(*scratch));
    if (count == 0 || scratch == NULL)
        errx(2, "no command");
    for (int k = 0; k < count; k++)
        if ((commands[k].took_us = calloc((size_t)rounds, sizeof(int64_t))) == NULL)
            errx(1, "out of memory");

    if (id.given)
        set_sshd_environment();
    for (int round = -1; round < rounds; round++) {
        if (terminal && round % 8 == 0)
            (void)fprintf(stderr, "\r\033[K%s: %d of %d", label, round, rounds);
        for (int k = 0; k < count; k++) {
            struct command *c = &commands[(k + round + 1) % count];
            int64_t took = run_command(c, &id);
            if (round >= 0)
                c->took_us[round] = took;
        }
    }
    if (terminal)
        (void)fputs("\r\033[K", stderr);
    for (int k = 0; k < count; k++)
        report(&commands[k], &commands[0], rounds, scratch);
    return fflush(stdout) == 0 ? 0 : 1;
}
