/* SPDX-License-Identifier: ISC */
#include "lib/session/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is short, and the kernel hands it out whole. */
static bool read_file(const char *path, char *out, size_t out_bytes, struct stat *ret_stat)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, out, out_bytes - 1);
    bool good = n > 0 && (ret_stat == NULL || fstat(fd, ret_stat) == 0);
    (void)close(fd);
    if (good)
        out[n] = '\0';
    return good;
}

/*
 * `PID (COMM) STATE PPID PGRP SID ... STARTTIME ...`. The command's name may hold blanks and
 * parentheses: only what follows the last ')' can be counted. Its owner is the effective uid, which
 * is no use for a program that changed it, so uid comes from status.
 */
static bool parse_stat(const char *text, struct process *p)
{
    enum { FIELD_STATE = 3, FIELD_PARENT = 4, FIELD_SESSION = 6, FIELD_START = 22 };
    const char *at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ')
        return false;
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

static bool read_stat(pid_t pid, struct process *p)
{
    char path[64], text[1024];
    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    p->pid = pid;
    return read_file(path, text, sizeof(text), NULL) && parse_stat(text, p);
}

static bool read_uid(pid_t pid, uid_t *ret)
{
    char path[64], text[4096];
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    if (!read_file(path, text, sizeof(text), NULL))
        return false;
    const char *line = strstr(text, "\nUid:");
    if (line == NULL)
        return false;
    *ret = (uid_t)strtoul(line + sizeof("\nUid:") - 1, NULL, 10);
    return true;
}

bool process_read(pid_t pid, struct process *ret)
{
    struct process p;
    if (pid <= 0 || !read_stat(pid, &p) || !read_uid(pid, &p.uid))
        return false;
    *ret = p;
    return true;
}

bool process_is(pid_t pid, uint64_t start_ticks)
{
    struct process p;
    return pid > 0 && read_stat(pid, &p) && p.start_ticks == start_ticks && p.state != 'Z' &&
           p.state != 'X';
}

int process_each(process_fn fn, void *ctx)
{
    struct process p;
    int rc = 0;
    DIR *proc = opendir("/proc");
    if (proc == NULL)
        return -1;
    for (const struct dirent *e; rc == 0 && (e = readdir(proc)) != NULL;)
        if (e->d_name[0] >= '1' && e->d_name[0] <= '9' &&
            process_read((pid_t)strtol(e->d_name, NULL, 10), &p))
            rc = fn(ctx, &p);
    (void)closedir(proc);
    return rc;
}

struct children {
    pid_t parent;
    uid_t uid;
    struct process *out;
    size_t max, count;
};

static int take_child(void *arg, const struct process *p)
{
    struct children *c = arg;
    if (p->parent == c->parent && p->uid == c->uid && c->count < c->max)
        c->out[c->count++] = *p;
    return 0;
}

size_t process_children(pid_t parent, uid_t uid, struct process *out, size_t max)
{
    char path[64], text[4096];
    struct children c = {.parent = parent, .uid = uid, .out = out, .max = max};
    struct process p;

    /* Needs CONFIG_PROC_CHILDREN; empty when there is none, missing when the kernel has it not. */
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent, (int)parent);
    if (access(path, R_OK) != 0) {
        (void)process_each(take_child, &c);
        return c.count;
    }
    if (!read_file(path, text, sizeof(text), NULL))
        return 0;
    for (char *rest = text, *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0' && process_read((pid_t)strtol(word, NULL, 10), &p))
            (void)take_child(&c, &p);
    return c.count;
}
