/* SPDX-License-Identifier: ISC */
#include "lib/session/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum sight process_answers(pid_t pid)
{
    if (pid <= 0)
        return SIGHT_IS_NOT;
    if (kill(pid, 0) == 0 || errno == EPERM)
        return SIGHT_IS;
    return errno == ESRCH ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
}

enum sight process_group_answers(pid_t leader)
{
    if (leader <= 1) /* to kill(2), 0 and -1 are not groups of those numbers */
        return SIGHT_IS_NOT;
    if (kill(-leader, 0) == 0 || errno == EPERM)
        return SIGHT_IS;
    return errno == ESRCH ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
}

/* /proc did not show the process, for the reason why. It is gone only if the kernel does not know
 * it either. */
static enum sight not_shown(pid_t pid, int why)
{
    if (why == ESRCH || process_answers(pid) == SIGHT_IS_NOT)
        return SIGHT_IS_NOT;
    errno = why;
    return SIGHT_CANNOT_TELL;
}

/* Reads a short file, which the kernel returns whole in one read(2). Returns 0, or an errno. */
static int read_file(const char *path, char *out, size_t out_bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t n = read(fd, out, out_bytes - 1);
    int why = n < 0 ? errno : 0;
    (void)close(fd);
    if (why == 0)
        out[n] = '\0';
    return why;
}

/*
 * `PID (COMM) STATE PPID PGRP SID ... STARTTIME ...`. The name of the command may contain blanks
 * and parentheses, so fields are counted from the last ')'. The uid is not taken from the owner of
 * this file, which is the effective uid and of no use for a program that changed it, but from
 * status.
 */
static bool parse_stat(const char *text, struct process *p)
{
    enum { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_SESSION = 6, FIELD_START = 22 };
    const char *name = strchr(text, '(');
    const char *at = strrchr(text, ')');
    if (name == NULL || at == NULL || at < name || at[1] != ' ')
        return false;
    (void)snprintf(p->name, sizeof(p->name), "%.*s", (int)(at - name - 1), name + 1);
    at += 2;
    p->state = *at;
    for (int field = FIELD_STATE; field <= FIELD_START; field++) {
        if (field == FIELD_PARENT)
            p->parent = (pid_t)strtol(at, NULL, 10);
        else if (field == FIELD_SESSION)
            p->session = (pid_t)strtol(at, NULL, 10);
        else if (field == FIELD_START)
            p->start_ticks = strtoull(at, NULL, 10);
        at = strchr(at, ' ');
        if (at == NULL)
            return false;
        at++;
    }
    return true;
}

enum sight process_read_stat(pid_t pid, struct process *ret)
{
    char path[64], text[1024];
    struct process p = {.pid = pid};
    if (pid <= 0)
        return SIGHT_IS_NOT;
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    int why = read_file(path, text, sizeof(text));
    if (why == 0 && !parse_stat(text, &p))
        why = EPROTO;
    if (why != 0)
        return not_shown(pid, why);
    *ret = p;
    return SIGHT_IS;
}

static enum sight read_ids(pid_t pid, struct process *p)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    int why = read_file(path, text, sizeof(text));
    const char *uid = why == 0 ? strstr(text, "\nUid:") : NULL;
    const char *gid = uid != NULL ? strstr(uid + 1, "\nGid:") : NULL;
    if (gid == NULL)
        return not_shown(pid, why != 0 ? why : EPROTO);
    p->uid = (uid_t)strtoul(uid + sizeof("\nUid:") - 1, NULL, 10);
    p->gid = (gid_t)strtoul(gid + sizeof("\nGid:") - 1, NULL, 10);
    return SIGHT_IS;
}

enum sight process_read(pid_t pid, struct process *ret)
{
    struct process p;
    enum sight sight = process_read_stat(pid, &p);
    if (sight == SIGHT_IS)
        sight = read_ids(pid, &p);
    if (sight == SIGHT_IS)
        *ret = p;
    return sight;
}

enum sight process_is(pid_t pid, uint64_t start_ticks)
{
    struct process p;
    enum sight sight = process_read_stat(pid, &p);
    if (sight != SIGHT_IS)
        return sight;
    bool is = p.start_ticks == start_ticks && !process_has_ended(&p);
    return is ? SIGHT_IS : SIGHT_IS_NOT;
}

/*
 * Returns 0, or why /proc may not show all processes. Process 1 always exists, so it must be shown.
 * And a /proc that was mounted for another pid namespace shows other pids than ours.
 */
static int proc_hides(void)
{
    struct process first;
    char self[16];
    ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);
    if (n < 0)
        return errno;
    self[n] = '\0';
    if (strtol(self, NULL, 10) != getpid())
        return EXDEV;
    return process_read_stat(1, &first) == SIGHT_IS ? 0 : errno;
}

/* Calls fn for the process with that pid, and returns its result. Returns false if there is no such
 * process, and if that cannot be told: then *why is set. */
static bool visit(const char *number, process_fn fn, void *ctx, int *why)
{
    struct process p;
    switch (process_read((pid_t)strtol(number, NULL, 10), &p)) {
    case SIGHT_IS:
        return fn(ctx, &p);
    case SIGHT_IS_NOT:
        break;
    case SIGHT_CANNOT_TELL:
        *why = errno;
        break;
    }
    return false;
}

enum sight process_each(process_fn fn, void *ctx)
{
    bool found = false;
    int why = proc_hides();
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return SIGHT_CANNOT_TELL;
    while (!found) {
        errno = 0;
        const struct dirent *e = readdir(proc);
        if (e == NULL) {
            why = errno != 0 ? errno : why;
            break;
        }
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
            found = visit(e->d_name, fn, ctx, &why);
    }
    (void)closedir(proc);
    errno = why;
    return found ? SIGHT_IS : why == 0 ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
}

struct children {
    pid_t parent;
    uid_t uid;
    struct process *out;
    size_t max, count;
};

static bool add_child(void *arg, const struct process *p)
{
    struct children *c = arg;
    if (p->parent != c->parent || p->uid != c->uid)
        return false;
    if (c->count < c->max)
        c->out[c->count] = *p;
    c->count++;
    return false;
}

/* Adds the children that the kernel lists in text. False: there may be others, and errno says
 * why. */
static bool add_listed(struct children *c, char *text)
{
    int why = 0;
    for (char *rest = text, *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0')
            (void)visit(word, add_child, c, &why);
    errno = why;
    return why == 0;
}

enum sight process_children(pid_t parent, uid_t uid, struct process *out, size_t max,
                            size_t *ret_count)
{
    char path[64], text[4096];
    struct children c = {.parent = parent, .uid = uid, .out = out, .max = max};
    bool all;

    *ret_count = 0;
    if (process_answers(parent) == SIGHT_IS_NOT)
        return SIGHT_IS_NOT;
    /* This file needs CONFIG_PROC_CHILDREN. If it is missing, not readable, or larger than text,
     * all processes are scanned. */
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    if (read_file(path, text, sizeof(text)) == 0 && strlen(text) < sizeof(text) - 1)
        all = add_listed(&c, text);
    else
        all = process_each(add_child, &c) == SIGHT_IS_NOT;
    *ret_count = c.count;
    if (!all)
        return SIGHT_CANNOT_TELL;
    return c.count > 0 ? SIGHT_IS : SIGHT_IS_NOT;
}
