/* SPDX-License-Identifier: ISC */
#include "leased/engine/pace.h"

#include "leased/watch/events.h"

#include "lib/base/log.h"
#include "lib/base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 512, STARTS_MAX = 99 };

static bool find_file(char out[static PATH_BYTES])
{
    const char *dir = getenv("RUNTIME_DIRECTORY");
    return dir != NULL && dir[0] == '/' && snprintf(out, PATH_BYTES, "%s/starts", dir) < PATH_BYTES;
}

/* Counts this start, and returns how many before it did not last; 0 when that cannot be saved. */
static int count_start(void)
{
    char path[PATH_BYTES], text[16] = "";
    int64_t before = 0;
    if (!find_file(path))
        return 0;
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return 0;
    /* A file without a number counts as 0. */
    if (pread(fd, text, sizeof(text) - 1, 0) > 0)
        (void)number_parse(text, strcspn(text, "\n"), 0, STARTS_MAX, &before);
    int n = snprintf(text, sizeof(text), "%d\n",
                     before < STARTS_MAX ? (int)before + 1 : (int)STARTS_MAX);
    bool noted = pwrite(fd, text, (size_t)n, 0) == n && ftruncate(fd, n) == 0;
    (void)close(fd);
    return noted ? (int)before : 0;
}

/* 0, 1, 3, 7, 15, 29, 29 ... */
static int pause_s(int before)
{
    int s = before < 2 ? 0 : before > 6 ? PACE_PAUSE_MAX_S : (1 << (before - 1)) - 1;
    return s < PACE_PAUSE_MAX_S ? s : PACE_PAUSE_MAX_S;
}

bool pace_wait(void)
{
    const int before = count_start();
    const struct timespec pause = {.tv_sec = pause_s(before)};
    sigset_t stop, was;
    if (pause.tv_sec == 0)
        return true;
    log_event(&event_start_paused, NULL,
              "ended soon after its start %d times in a row: starts in %lld s", before,
              (long long)pause.tv_sec);
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    (void)sigaddset(&stop, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &stop, &was);
    bool stopped = sigtimedwait(&stop, NULL, &pause) > 0;
    (void)sigprocmask(SIG_SETMASK, &was, NULL);
    if (stopped)
        pace_reset();
    return !stopped;
}

void pace_reset(void)
{
    char path[PATH_BYTES];
    if (find_file(path) && unlink(path) != 0 && errno != ENOENT)
        log_warn("cannot delete '%s': %m", path);
}
