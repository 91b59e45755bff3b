/* SPDX-License-Identifier: ISC */
#include "leased/watch/dir_watch.h"

#include "lib/base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

/* An event without a name is about the directory itself, or says that events were lost: it counts
 * as a change. */
bool dir_watch_read(int fd, const char *name)
{
    _Alignas(struct inotify_event) char text[8192];
    bool hit = false;
    ssize_t n;
    while ((n = read(fd, text, sizeof(text))) > 0)
        for (char *at = text; at < text + n;) {
            const struct inotify_event *ev = (const void *)at;
            hit = hit || name == NULL || ev->len == 0 || strncmp(ev->name, name, strlen(name)) == 0;
            at += sizeof(*ev) + ev->len;
        }
    return hit;
}

int dir_watch_start(struct event_base *base, const char *dir, uint32_t mask, event_callback_fn fn,
                    void *arg, struct event **watching)
{
    if (*watching != NULL) {
        (void)close(event_get_fd(*watching));
        event_free(*watching);
        *watching = NULL;
    }
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0 || inotify_add_watch(fd, dir, mask) < 0) {
        log_warn("cannot watch '%s': %s; changes are seen within %d s", dir, strerror(errno),
                 DIR_WATCH_FALLBACK_MS / 1000);
        if (fd >= 0)
            (void)close(fd);
        return 0;
    }
    *watching = event_new(base, fd, EV_READ | EV_PERSIST, fn, arg);
    return *watching != NULL && event_add(*watching, NULL) == 0 ? 0 : -1;
}
