/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/platform.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__

#include <bsd/string.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

enum { TCP_LISTEN_STATE = 0x0A /* include/net/tcp_states.h */ };

void platform_die_with_parent(pid_t parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) /* it died before the line above */
        _exit(127);
}

int64_t platform_awake_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_BOOTTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The inode of a listening socket on port, from one of /proc/net/tcp and tcp6; 0: none. */
static unsigned long listener_inode(const char *table, uint16_t port)
{
    char line[512];
    unsigned long found = 0;
    FILE *f = fopen(table, "re");
    if (f == NULL)
        return 0;
    while (found == 0 && fgets(line, sizeof(line), f) != NULL) {
        /* sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode */
        char *cursor = line, *word[10];
        size_t n = 0;
        for (char *w; n < 10 && (w = strsep(&cursor, " \n")) != NULL;)
            if (*w != '\0')
                word[n++] = w;
        if (n < 10)
            continue;
        const char *colon = strrchr(word[1], ':');
        if (colon != NULL && strtoul(colon + 1, NULL, 16) == port &&
            strtoul(word[3], NULL, 16) == TCP_LISTEN_STATE)
            found = strtoul(word[9], NULL, 10);
    }
    (void)fclose(f);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char path[300], want[64], target[64];
    bool found = false;
    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    (void)snprintf(want, sizeof(want), "socket:[%lu]", inode);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return false;
    for (const struct dirent *e; !found && (e = readdir(dir)) != NULL;) {
        ssize_t len = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        found = strcmp(target, want) == 0;
    }
    (void)closedir(dir);
    return found;
}

void platform_port_holder(uint16_t port, char *out, size_t size)
{
    char path[300], comm[64] = "";
    unsigned long inode = listener_inode("/proc/net/tcp", port);
    out[0] = '\0';
    if (inode == 0)
        inode = listener_inode("/proc/net/tcp6", port);
    DIR *dir = inode != 0 ? opendir("/proc") : NULL;
    if (dir == NULL)
        return;
    for (const struct dirent *e; out[0] == '\0' && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || !has_socket(e->d_name, inode))
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
        FILE *f = fopen(path, "re");
        if (f != NULL) {
            if (fgets(comm, sizeof(comm), f) != NULL)
                comm[strcspn(comm, "\n")] = '\0';
            (void)fclose(f);
        }
        (void)snprintf(out, size, "%s, pid %.16s", comm[0] != '\0' ? comm : "?", e->d_name);
    }
    (void)closedir(dir);
}

int64_t platform_io_bytes(pid_t pid)
{
    char path[64], line[128];
    int64_t sum = 0;
    int found = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return -1;
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "rchar: ", 7) == 0 || strncmp(line, "wchar: ", 7) == 0) {
            sum += strtoll(line + 7, NULL, 10);
            found++;
        }
    (void)fclose(f);
    return found == 2 ? sum : -1;
}

char *platform_self(void)
{
    return realpath("/proc/self/exe", NULL);
}

#else

void platform_die_with_parent(pid_t parent)
{
    (void)parent;
}

int64_t platform_awake_ms(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void platform_port_holder(uint16_t port, char *out, size_t size)
{
    (void)port;
    if (size > 0)
        out[0] = '\0';
}

int64_t platform_io_bytes(pid_t pid)
{
    (void)pid;
    return -1;
}

char *platform_self(void)
{
    return NULL;
}

#endif
