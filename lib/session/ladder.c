/* SPDX-License-Identifier: ISC */
#include "lib/session/ladder.h"

#include "lib/base/clock.h"
#include "lib/session/liveness.h"
#include "lib/session/process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STEP_MS = 5 };

/* glibc 2.36 has wrappers for these; 2.31, on hosts with the oldest supported sshd, has none. */
static int open_pidfd(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int send_signal(int pidfd, int sig)
{
    return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* A pidfd is readable once its process has ended and has closed all its descriptors. */
static bool has_ended(int pidfd)
{
    struct pollfd p = {.fd = pidfd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

/* Opens the pidfd first and checks the start then: so the pidfd refers to the process that was
 * checked. */
static enum sight open_process(pid_t pid, uint64_t start_ticks, int *ret_fd)
{
    int fd = open_pidfd(pid);
    if (fd < 0)
        return errno == ESRCH ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
    enum sight sight = process_is(pid, start_ticks);
    if (sight == SIGHT_IS) {
        *ret_fd = fd;
        return sight;
    }
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return sight;
}

/* SIGHT_CANNOT_TELL: the child may be there, but could not be opened. */
static enum sight add_child(struct ladder *l, const struct process *p)
{
    if (l->child_count == LADDER_CHILDREN_MAX)
        return SIGHT_IS_NOT; /* find_children is called again when these are gone */
    enum sight sight = open_process(p->pid, p->start_ticks, &l->child_fds[l->child_count]);
    if (sight == SIGHT_IS) {
        l->child_count++;
        l->had_child = true;
    }
    return sight;
}

struct orphans {
    struct ladder *ladder;
    enum sight sight; /* of the orphans that were seen */
    int why;
};

static bool add_orphan(void *arg, const struct process *p)
{
    struct orphans *o = arg;
    struct ladder *l = o->ladder;
    if (!liveness_is_orphan(p, l->pid, l->start_ticks, l->uid))
        return false;
    if (add_child(l, p) == SIGHT_CANNOT_TELL) {
        o->sight = SIGHT_CANNOT_TELL;
        o->why = errno;
    }
    return false;
}

/* The monitor is gone. Adds the processes that are left of its session (setsid(2)); if its process
 * group is empty, there are none. */
static enum sight find_orphans(struct ladder *l)
{
    struct orphans o = {.ladder = l, .sight = SIGHT_IS_NOT};
    struct process leader;
    enum sight sight = process_group_answers(l->pid);
    if (sight != SIGHT_IS)
        return sight;
    /* The kernel gives no new process a pid that is in use as a session id. If another process has
     * it, the session of the monitor is over. */
    if (process_read_stat(l->pid, &leader) == SIGHT_IS && leader.start_ticks != l->start_ticks)
        return SIGHT_IS_NOT;
    sight = process_each(add_orphan, &o);
    if (o.sight == SIGHT_CANNOT_TELL) {
        errno = o.why;
        return SIGHT_CANNOT_TELL;
    }
    return l->child_count > 0 ? SIGHT_IS : sight;
}

/* Opens the processes that are left of the session besides the monitor. SIGHT_IS: there are
 * some. */
static enum sight find_children(struct ladder *l)
{
    struct process children[LADDER_CHILDREN_MAX];
    size_t n;
    if (l->monitor_fd < 0)
        return find_orphans(l);
    enum sight sight = process_children(l->pid, l->uid, children, LADDER_CHILDREN_MAX, &n);
    for (size_t i = 0; sight == SIGHT_IS && i < n && i < LADDER_CHILDREN_MAX; i++)
        if (!process_has_ended(&children[i]) && add_child(l, &children[i]) == SIGHT_CANNOT_TELL)
            sight = SIGHT_CANNOT_TELL;
    if (sight == SIGHT_CANNOT_TELL)
        return sight;
    return l->child_count > 0 ? SIGHT_IS : SIGHT_IS_NOT;
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

static enum ladder_state finish(struct ladder *l, enum ladder_state state)
{
    if (state != LADDER_IN_PROGRESS)
        ladder_release(l);
    l->state = state;
    return state;
}

static enum ladder_state give_up(struct ladder *l, int why)
{
    l->why = why;
    bool no_room = why == EMFILE || why == ENFILE || why == ENOMEM;
    return finish(l, no_room ? LADDER_NO_ROOM : LADDER_FAILED);
}

static int kill_children(struct ladder *l)
{
    l->killed = true;
    for (size_t i = 0; i < l->child_count; i++)
        if (send_signal(l->child_fds[i], SIGKILL) != 0 && errno != ESRCH)
            return -1;
    return 0;
}

enum ladder_state ladder_open(struct ladder *l, const struct session *s, int64_t now_ms)
{
    *l = (struct ladder){.state = LADDER_IN_PROGRESS,
                         .pid = s->pid,
                         .start_ticks = s->start_ticks,
                         .uid = s->uid,
                         .monitor_fd = -1,
                         .since_ms = now_ms};
    if (s->sight != SESSION_LIVE)
        return give_up(l, s->unseen_why);
    if (open_process(s->pid, s->start_ticks, &l->monitor_fd) == SIGHT_CANNOT_TELL)
        return give_up(l, errno);
    switch (find_children(l)) {
    case SIGHT_IS:
        break;
    case SIGHT_IS_NOT:
        if (l->monitor_fd < 0)
            return finish(l, LADDER_GONE);
        break;
    case SIGHT_CANNOT_TELL:
        return give_up(l, errno);
    }
    return l->state;
}

enum ladder_state ladder_start(struct ladder *l, const struct session *s, int64_t now_ms)
{
    return ladder_open(l, s, now_ms) == LADDER_IN_PROGRESS ? ladder_step(l, now_ms) : l->state;
}

/* The first signal. */
static enum ladder_state begin(struct ladder *l, int64_t now_ms)
{
    l->has_begun = true;
    l->since_ms = now_ms;
    if (l->monitor_fd < 0) /* an orphan: nobody is left to pass SIGTERM on */
        return kill_children(l) == 0 ? l->state : give_up(l, errno);
    if (send_signal(l->monitor_fd, SIGTERM) != 0 && errno != ESRCH)
        return give_up(l, errno);
    /* What the monitor will pass on. Where many end, their ports are free before the monitors get
     * to it. Not before its own signal, which would then interrupt its close_session. */
    for (size_t i = 0; i < l->child_count; i++)
        (void)send_signal(l->child_fds[i], SIGTERM);
    (void)send_signal(l->monitor_fd, SIGCONT); /* a stopped monitor would not act on SIGTERM */
    return l->state;
}

/* Closes the pidfds of processes that have ended. */
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
    if (l->state != LADDER_IN_PROGRESS)
        return l->state;
    if (!l->has_begun)
        return begin(l, now_ms);
    reap(l);
    /* The known children are gone, but another may have been born meanwhile. The monitor itself may
     * take its time in close_session. */
    bool is_due = now_ms - l->since_ms >= LADDER_PATIENCE_MS;
    if (l->child_count == 0 && (l->had_child || l->monitor_fd < 0 || (is_due && !l->killed)))
        switch (find_children(l)) {
        case SIGHT_IS:
            l->killed = false;
            break;
        case SIGHT_IS_NOT:
            if (l->had_child || l->monitor_fd < 0)
                return finish(l, LADDER_GONE);
            break;
        case SIGHT_CANNOT_TELL:
            return give_up(l, errno);
        }
    bool kills = l->child_count > 0 && !l->killed && (is_due || l->monitor_fd < 0);
    if (kills && kill_children(l) != 0)
        return give_up(l, errno);
    return LADDER_IN_PROGRESS;
}

/*
 * Opens the ladders that found no descriptors before, as long as there are some, and only then
 * steps them all: what ends takes the processors. Returns how many are in progress, or will be,
 * since others that ended have made room.
 */
static size_t step_all(const struct session_list *list, struct ladder ladders[], int64_t now_ms)
{
    size_t in_progress = 0, waiting = 0;
    bool has_room = true, makes_room = false;
    for (size_t i = 0; i < list->count && has_room; i++)
        if (ladders[i].state == LADDER_NO_ROOM)
            has_room = ladder_open(&ladders[i], &list->items[i], now_ms) != LADDER_NO_ROOM;
    for (size_t i = 0; i < list->count; i++) {
        bool was_in_progress = ladders[i].state == LADDER_IN_PROGRESS;
        enum ladder_state state = ladder_step(&ladders[i], now_ms);
        in_progress += state == LADDER_IN_PROGRESS;
        waiting += state == LADDER_NO_ROOM;
        makes_room = makes_room || (was_in_progress && state != LADDER_IN_PROGRESS);
    }
    return in_progress + (makes_room ? waiting : 0);
}

size_t ladder_end_all(const struct session_list *list, int64_t deadline_ms,
                      enum ladder_state states[])
{
    size_t in_progress = 0, not_gone = 0;
    if (list->count == 0)
        return 0;
    struct ladder *ladders = calloc(list->count, sizeof(*ladders));
    if (ladders == NULL)
        return SIZE_MAX;
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < list->count; i++)
        ladders[i] = (struct ladder){.state = LADDER_NO_ROOM, .monitor_fd = -1, .why = EMFILE};
    in_progress = step_all(list, ladders, now_ms);
    while (in_progress > 0 && now_ms < deadline_ms) {
        /* Short at first: a session is usually gone in a few milliseconds. */
        (void)poll(NULL, 0, 1);
        now_ms = clock_monotonic_ms();
        in_progress = step_all(list, ladders, now_ms);
        if (in_progress > 16)
            (void)poll(NULL, 0, STEP_MS);
    }
    for (size_t i = 0; i < list->count; i++) {
        states[i] = ladders[i].state;
        not_gone += states[i] != LADDER_GONE;
        ladder_release(&ladders[i]);
    }
    free(ladders);
    return not_gone;
}
