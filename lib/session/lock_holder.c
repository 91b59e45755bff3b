/* SPDX-License-Identifier: ISC */
#include "lib/session/lock_holder.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/*
 * On overlayfs and btrfs, stat(2) shows another device than /proc/locks. Both are anonymous then
 * (major 0), and their minor numbers are not compared.
 */
static bool same_file(char *device_inode, const struct stat *st)
{
    char *rest = device_inode;
    const char *major_text = strsep(&rest, ":"), *minor_text = strsep(&rest, ":");
    if (minor_text == NULL || rest == NULL || strtoull(rest, NULL, 10) != st->st_ino)
        return false;
    unsigned long dev_major = strtoul(major_text, NULL, 16);
    return dev_major == major(st->st_dev) &&
           (dev_major == 0 || strtoul(minor_text, NULL, 16) == minor(st->st_dev));
}

/* `1: POSIX  ADVISORY  WRITE 708 08:01:2097547 120 120`: the pid, then the device in hexadecimal
 * and the inode in decimal. */
static bool parse_line(char *line, const struct stat *st, pid_t *ret_pid)
{
    char *rest = line;
    char *field[6];
    for (size_t i = 0; i < 6; i++) {
        do
            field[i] = strsep(&rest, " \n");
        while (field[i] != NULL && *field[i] == '\0');
        if (field[i] == NULL)
            return false;
    }
    const char *problem = NULL;
    long long pid = strtonum(field[4], 1, 1LL << 22, &problem);
    if (strcmp(field[3], "WRITE") != 0 || !same_file(field[5], st) || problem != NULL)
        return false;
    *ret_pid = (pid_t)pid;
    return true;
}

static void program_name(pid_t pid, char name[static LOCK_HOLDER_NAME_BYTES])
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
    name[0] = '\0';
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return;
    if (fgets(name, LOCK_HOLDER_NAME_BYTES, f) == NULL)
        name[0] = '\0';
    name[strcspn(name, "\n")] = '\0';
    (void)fclose(f);
}

enum sight lock_holder_find(const char *path, pid_t *ret_pid,
                            char name[static LOCK_HOLDER_NAME_BYTES])
{
    char line[256];
    struct stat st;
    pid_t pid = 0;
    bool found = false;
    if (stat(path, &st) != 0)
        return errno == ENOENT ? SIGHT_IS_NOT : SIGHT_CANNOT_TELL;
    FILE *f = fopen("/proc/locks", "re");
    if (f == NULL)
        return SIGHT_CANNOT_TELL;
    while (!found && fgets(line, sizeof(line), f) != NULL)
        found = parse_line(line, &st, &pid) && pid != getpid();
    bool failed = ferror(f) != 0;
    (void)fclose(f);
    if (!found)
        return failed ? SIGHT_CANNOT_TELL : SIGHT_IS_NOT;
    *ret_pid = pid;
    program_name(pid, name);
    return SIGHT_IS;
}
