/* SPDX-License-Identifier: ISC */
#include "leasectl/host/procview.h"

#include <bsd/string.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS_MAX = 256, LINE_BYTES = 4096 };

/* Parses `36 35 98:0 ROOT /proc OPTIONS [TAG...] - proc SOURCE OPTIONS` (proc(5)). Of several
 * mounts on /proc the last is on top, so each replaces what came before. */
static void parse_mount(char *line, struct proc_view *v)
{
    char point[256], type[32], options[512];
    char *rest = strstr(line, " - ");
    if (rest == NULL || sscanf(line, "%*s %*s %*s %*s %255s", point) != 1 ||
        strcmp(point, "/proc") != 0 || sscanf(rest, " - %31s %*s %511s", type, options) != 2)
        return;
    *v = (struct proc_view){.sees = true};
    if (strcmp(type, "proc") != 0)
        return;
    rest = options;
    for (char *option; (option = strsep(&rest, ",")) != NULL;) {
        if (strncmp(option, "hidepid=", 8) == 0 && strcmp(option + 8, "off") != 0 &&
            strcmp(option + 8, "0") != 0) {
            (void)strlcpy(v->hidepid, option + 8, sizeof(v->hidepid));
            v->sees = false;
        } else if (strncmp(option, "gid=", 4) == 0) {
            v->gid = (gid_t)strtoul(option + 4, NULL, 10);
            v->has_gid = v->gid != 0; /* 0 means that no gid= was given */
        }
    }
}

static int read_mounts(pid_t pid, struct proc_view *v)
{
    char path[64], line[LINE_BYTES];
    (void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    *v = (struct proc_view){.sees = true};
    while (fgets(line, sizeof(line), f) != NULL)
        parse_mount(line, v);
    (void)fclose(f);
    return 0;
}

static bool lists_gid(const char *numbers, gid_t gid)
{
    char *end;
    for (unsigned long n = strtoul(numbers, &end, 10); end != numbers;
         numbers = end, n = strtoul(numbers, &end, 10))
        if ((gid_t)n == gid)
            return true;
    return false;
}

int proc_view_of_process(pid_t pid, struct proc_view *ret)
{
    char path[64], line[LINE_BYTES];
    struct proc_view v;
    if (read_mounts(pid, &v) != 0)
        return -1;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    while (fgets(line, sizeof(line), f) != NULL) {
        if (v.has_gid && (strncmp(line, "Gid:", 4) == 0 || strncmp(line, "Groups:", 7) == 0))
            v.sees = v.sees || lists_gid(strchr(line, ':') + 1, v.gid);
        else if (strncmp(line, "CapEff:", 7) == 0)
            v.sees = v.sees || (strtoull(line + 7, NULL, 16) >> CAP_SYS_PTRACE & 1) != 0;
    }
    (void)fclose(f);
    *ret = v;
    return 0;
}

bool proc_view_may_look_inside(void)
{
    char line[LINE_BYTES];
    bool may = false;
    FILE *f = fopen("/proc/self/status", "re");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "CapEff:", 7) == 0)
            may = (strtoull(line + 7, NULL, 16) >> CAP_SYS_PTRACE & 1) != 0;
    if (f != NULL)
        (void)fclose(f);
    return may;
}

int proc_view_of_user(const char *user, struct proc_view *ret)
{
    gid_t groups[GROUPS_MAX];
    int count = GROUPS_MAX;
    struct proc_view v;
    const struct passwd *pw = getpwnam(user);
    if (pw == NULL) {
        errno = ENOENT;
        return -1;
    }
    if (read_mounts(getpid(), &v) != 0)
        return -1;
    (void)getgrouplist(user, pw->pw_gid, groups, &count);
    for (int i = 0; i < count && i < GROUPS_MAX; i++)
        v.sees = v.sees || (v.has_gid && groups[i] == v.gid);
    *ret = v;
    return 0;
}
