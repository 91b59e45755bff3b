/* SPDX-License-Identifier: ISC */
/*
 * standin: replaces akc. Its name says what it does: `good` answers as akc --check would, if it was
 * started correctly; the others are all the ways not to answer.
 */
#include "tests/pam/key.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static bool args_are_right(int argc, char **argv)
{
    return argc == 9 && strcmp(argv[1], "-c") == 0 && strcmp(argv[3], "--check") == 0 &&
           strcmp(argv[4], "--addr") == 0 && strcmp(argv[5], KEY_SOURCE) == 0 &&
           strcmp(argv[7], KEY_TYPE) == 0 && strcmp(argv[8], KEY_BASE64) == 0;
}

static bool signals_are_default(void)
{
    struct sigaction sa;
    sigset_t mask;
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int sig = 1; sig < NSIG; sig++)
        if (sigismember(&mask, sig) == 1 ||
            (sigaction(sig, NULL, &sa) == 0 && sa.sa_handler != SIG_DFL))
            return false;
    return true;
}

/* 0, 1, 2, and the one that opendir has opened */
static bool nothing_else_open(void)
{
    int count = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return false;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    (void)closedir(dir);
    return count == 4;
}

/* Started by root, it does not run as root and has no groups of root's. */
static bool is_nobody_special(void)
{
    gid_t groups[2];
    int count = getgroups(2, groups);
    return getuid() != 0 && getuid() == geteuid() && getgid() == getegid() && count >= 0 &&
           (count == 0 || (count == 1 && groups[0] == getgid()));
}

static int answer_if_clean(int argc, char **argv)
{
    const char *wrong = !args_are_right(argc, argv) ? "arguments"
                        : environ[0] == NULL || environ[1] == NULL || environ[2] != NULL ||
                                getenv("PATH") == NULL || getenv("LC_ALL") == NULL
                            ? "environment"
                        : !signals_are_default() ? "signals"
                        : !nothing_else_open()   ? "descriptors"
                        : !is_nobody_special()   ? "user"
                                                 : NULL;
    if (wrong == NULL)
        return fputs(CHECK_LINE, stdout) < 0;
    (void)printf("wrong=%s\n", wrong);
    return 0;
}

static void for_ever(void)
{
    for (;;)
        (void)sleep(60);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *does = slash != NULL ? slash + 1 : argv[0];
    if (strcmp(does, "good") == 0)
        return answer_if_clean(argc, argv);
    (void)setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(does, "sleeps") == 0) {
        for_ever();
    } else if (strcmp(does, "deaf") == 0) {
        for (int sig = 1; sig < NSIG; sig++)
            (void)signal(sig, SIG_IGN);
        for_ever();
    } else if (strcmp(does, "endless") == 0) {
        while (puts(CHECK_LINE) >= 0)
            ;
    } else if (strcmp(does, "trickles") == 0) {
        for (;;) {
            (void)fputs("x", stdout);
            (void)usleep(50000);
        }
    } else if (strcmp(does, "stays") == 0) { /* the line, and then no end */
        (void)fputs(CHECK_LINE, stdout);
        for_ever();
    } else if (strcmp(does, "closes") == 0) { /* the end of its line, but not its own */
        (void)fputs(CHECK_LINE, stdout);
        (void)close(STDOUT_FILENO);
        for_ever();
    } else if (strcmp(does, "dies") == 0) {
        (void)fputs(CHECK_LINE, stdout);
        (void)raise(SIGKILL);
    } else if (strcmp(does, "half") == 0) {
        (void)fwrite(CHECK_LINE, 1, sizeof(CHECK_LINE) / 2, stdout);
    } else if (strcmp(does, "unended") == 0) {
        (void)fwrite(CHECK_LINE, 1, sizeof(CHECK_LINE) - 2, stdout);
    } else if (strcmp(does, "nul") == 0) {
        (void)fwrite(CHECK_LINE, 1, sizeof(CHECK_LINE), stdout);
    } else if (strcmp(does, "twice") == 0) {
        (void)fputs(CHECK_LINE CHECK_LINE, stdout);
    } else if (strcmp(does, "another") == 0) {
        (void)fputs("lease_id=17 name=alice listen=0 max_sessions=0 fp=SHA256:another\n", stdout);
    } else if (strcmp(does, "refuses") == 0) {
        (void)fputs(CHECK_LINE, stdout);
        return 3;
    } else if (strcmp(does, "fails") == 0) {
        (void)fputs(CHECK_LINE, stdout);
        return 1;
    }
    return 0; /* silent */
}
