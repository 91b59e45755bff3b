/* SPDX-License-Identifier: ISC */
#include "lib/session/ladder.h"

#include "lib/base/clock.h"
#include "lib/session/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STEP_MS = 5 };

/* glibc 2.36 has these; 2.31, of the oldest sshd that is supported, has not. */
static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int send_signal(int pidfd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* A pidfd is readable once its process has ended, and with it every descriptor that it held. */
static bool has_ended(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* The pidfd first, then the look: so what was looked at is what the pidfd holds. */
static int hold(pid_t pid, uint64_t start_ticks)
{
    int fd = open_pidfd(pid);
    if (fd >= 0 && !process_is(pid, start_ticks)) {
        (void)close(fd);
        errno = ESRCH;
        return -1;
    }
    return fd;
}

static void add_child(struct ladder *l, const struct process *p)
{
    if (l->child_count == LADDER_CHILDREN_MAX)
        return;
    int fd = hold(p->pid, p->start_ticks);
    if (fd < 0)
        return;
    l->child_fds[l->child_count++] = fd;
    l->had_child = true;
}

/* uid 0: a child that was born as the monitor died has not become the login yet. */
static int take_orphan(void *arg, const struct process *p)
{
    struct ladder *l = arg;
    struct process leader;
    if (p->session != l->pid || p->pid == l->pid || (p->uid != l->uid && p->uid != 0) ||
        p->state == 'Z' || p->start_ticks < l->start_ticks)
        return 0;
    /* While a session id is in use its number is no new process's: if it is, this is not ours. */
    if (process_read(l->pid, &leader) && leader.start_ticks != l->start_ticks)
        return 1;
    add_child(l, p);
    return 0;
}

static void find_children(struct ladder *l)
{
    struct process children[LADDER_CHILDREN_MAX];
    if (l->monitor_fd < 0) {
        (void)process_each(take_orphan, l);
        return;
    }
    size_t n = process_children(l->pid, l->uid, children, LADDER_CHILDREN_MAX);
    for (size_t i = 0; i < n; i++)
        add_child(l, &children[i]);
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

void ladder_release(struct ladder *l)
{
    close_fd(&l->monitor_fd);
    while (l->child_count > 0)
        close_fd(&l->child_fds[--l->child_count]);
}

static enum ladder_state settle(struct ladder *l, enum ladder_state state)
{
    if (state != LADDER_CLIMBING)
        ladder_release(l);
    l->state = state;
    return state;
}

static int kill_children(struct ladder *l)
{
    l->killed = true;
    for (size_t i = 0; i < l->child_count; i++)
        if (send_signal(l->child_fds[i], SIGKILL) != 0 && errno != ESRCH)
            return -1;
    return 0;
}

enum ladder_state ladder_start(struct ladder *l, const struct session *s, int64_t now_ms)
{
    *l = (struct ladder){.state = LADDER_CLIMBING,
                         .pid = s->pid,
                         .start_ticks = s->start_ticks,
                         .uid = s->uid,
                         .monitor_fd = -1,
                         .since_ms = now_ms};
    l->monitor_fd = hold(s->pid, s->start_ticks);
    if (l->monitor_fd < 0 && errno != ESRCH)
        return settle(l, LADDER_FAILED);
    find_children(l);
    if (l->monitor_fd < 0) /* an orphan: nobody is left to pass SIGTERM on */
        return kill_children(l) == 0 ? ladder_step(l, now_ms) : settle(l, LADDER_FAILED);
    if (send_signal(l->monitor_fd, SIGTERM) != 0 && errno != ESRCH)
        return settle(l, LADDER_FAILED);
    (void)send_signal(l->monitor_fd, SIGCONT); /* a stopped one could not obey */
    return l->state;
}

/* Forgets what has ended. */
static void reap(struct ladder *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->child_count; i++) {
        if (has_ended(l->child_fds[i]))
            (void)close(l->child_fds[i]);
        else
            l->child_fds[kept++] = l->child_fds[i];
    }
    l->child_count = kept;
    if (l->monitor_fd >= 0 && has_ended(l->monitor_fd))
        close_fd(&l->monitor_fd);
}

enum ladder_state ladder_step(struct ladder *l, int64_t now_ms)
{
    if (l->state != LADDER_CLIMBING)
        return l->state;
    reap(l);
    if (l->child_count == 0 && l->had_child)
        return settle(l, LADDER_GONE); /* the monitor may take its time in close_session */
    if (l->child_count == 0 && l->monitor_fd < 0) {
        /* Signalled between two looks: its child may have been born meanwhile. */
        find_children(l);
        if (l->child_count == 0)
            return settle(l, LADDER_GONE);
        return kill_children(l) == 0 ? LADDER_CLIMBING : settle(l, LADDER_FAILED);
    }
    if (l->killed || now_ms - l->since_ms < LADDER_PATIENCE_MS)
        return LADDER_CLIMBING;
    if (l->child_count == 0)
        find_children(l);
    if (l->child_count > 0 && kill_children(l) != 0)
        return settle(l, LADDER_FAILED);
    return LADDER_CLIMBING;
}

size_t ladder_end_all(const struct session_list *list, int64_t deadline_ms, bool gone[])
{
    size_t climbing = 0, failed = 0;
    if (list->count == 0)
        return 0;
    struct ladder *ladders = calloc(list->count, sizeof(*ladders));
    if (ladders == NULL)
        return SIZE_MAX;
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < list->count; i++)
        if (ladder_start(&ladders[i], &list->items[i], now_ms) == LADDER_CLIMBING)
            climbing++;
    while (climbing > 0 && now_ms < deadline_ms) {
        /* Short at first: a session is usually gone in a few milliseconds. */
        (void)poll(NULL, 0, 1);
        now_ms = clock_monotonic_ms();
        climbing = 0;
        for (size_t i = 0; i < list->count; i++)
            if (ladder_step(&ladders[i], now_ms) == LADDER_CLIMBING)
                climbing++;
        if (climbing > 16)
            (void)poll(NULL, 0, STEP_MS);
    }
    for (size_t i = 0; i < list->count; i++) {
        gone[i] = ladders[i].state == LADDER_GONE;
        failed += gone[i] ? 0 : 1;
        ladder_release(&ladders[i]);
    }
    free(ladders);
    return failed;
}
