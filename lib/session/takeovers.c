/* SPDX-License-Identifier: ISC */
#include "lib/session/takeovers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = (TAKEOVERS_MAX + 2) * 22 };

static void forget_old(struct takeovers *t, int64_t now_ms)
{
    size_t old = 0;
    while (old < t->count && t->at_ms[old] <= now_ms - TAKEOVERS_WINDOW_MS)
        old++;
    t->count -= old;
    memmove(t->at_ms, t->at_ms + old, t->count * sizeof(t->at_ms[0]));
}

/* The RunDir of a private instance may be on disk and outlive a boot; the clock starts anew. */
static bool is_of_this_boot(const struct takeovers *t, int64_t now_ms)
{
    return t->refused_until_ms <= now_ms + TAKEOVERS_PAUSE_MS &&
           (t->count == 0 || t->at_ms[t->count - 1] <= now_ms);
}

enum takeover_verdict takeovers_judge(struct takeovers *t, int64_t now_ms)
{
    if (!is_of_this_boot(t, now_ms))
        *t = (struct takeovers){.count = 0};
    if (now_ms < t->refused_until_ms)
        return TAKEOVER_REFUSED;
    t->refused_until_ms = 0;
    forget_old(t, now_ms);
    if (t->count == TAKEOVERS_MAX) {
        t->refused_until_ms = now_ms + TAKEOVERS_PAUSE_MS;
        return TAKEOVER_PAUSE_BEGINS;
    }
    t->at_ms[t->count++] = now_ms;
    return TAKEOVER_ALLOWED;
}

/* `REFUSED_UNTIL AT AT ...`, milliseconds, oldest first. */
void takeovers_load(int fd, struct takeovers *ret)
{
    char text[TEXT_BYTES + 1];
    struct takeovers t = {.count = 0};
    *ret = t;
    ssize_t n = pread(fd, text, TEXT_BYTES, 0);
    if (n <= 0)
        return;
    text[n] = '\0';
    char *at = text, *end;
    t.refused_until_ms = strtoll(at, &end, 10);
    for (at = end; *at == ' ' && t.count < TAKEOVERS_MAX; at = end) {
        int64_t ms = strtoll(at, &end, 10);
        if (end == at || ms < 0 || (t.count > 0 && ms < t.at_ms[t.count - 1]))
            return;
        t.at_ms[t.count++] = ms;
    }
    if (*at == '\n')
        *ret = t;
}

void takeovers_save(int fd, const struct takeovers *t)
{
    char text[TEXT_BYTES + 1];
    int used = snprintf(text, sizeof(text), "%" PRId64, t->refused_until_ms);
    for (size_t i = 0; i < t->count; i++)
        used += snprintf(text + used, sizeof(text) - (size_t)used, " %" PRId64, t->at_ms[i]);
    used += snprintf(text + used, sizeof(text) - (size_t)used, "\n");
    /* A failed write loses the count only, and the count authorises nothing. */
    if (pwrite(fd, text, (size_t)used, 0) == used)
        (void)!ftruncate(fd, used);
}
