/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/port_holder.h"

#ifdef __linux__

#include "lib/base/tcp_table.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SOCKETS_MAX = 16 }; /* listeners of one port that are compared */

struct inodes {
    uint16_t port;
    uint64_t *items;
    size_t count, max;
};

static bool add_listener(void *ctx, const char *line)
{
    struct inodes *list = ctx;
    struct tcp_line l;
    if (tcp_line_parse(line, &l) && l.port == list->port && l.state == TCP_LISTEN_STATE)
        list->items[list->count++] = tcp_line_inode(&l);
    return list->count < list->max;
}

/* Collects the inodes of sockets that listen on port. Returns how many. */
static size_t listener_inodes(bool v6, uint16_t port, uint64_t *inodes, size_t max)
{
    struct inodes list = {.port = port, .items = inodes, .max = max};
    struct tcp_table table;
    int more = tcp_table_open(&table, 0, v6) == 0 ? 1 : -1;
    while (more == 1)
        more = tcp_table_read(&table, add_listener, &list);
    return list.count;
}

static bool has_socket(const char *pid, uint64_t inode)
{
    char path[300], want[64], target[64];
    bool found = false;
    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    (void)snprintf(want, sizeof(want), "socket:[%" PRIu64 "]", inode);
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

void port_holder_describe(uint16_t port, char *out, size_t size)
{
    char path[300], comm[64] = "";
    uint64_t inode = 0;
    out[0] = '\0';
    if (listener_inodes(false, port, &inode, 1) == 0)
        (void)listener_inodes(true, port, &inode, 1);
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

bool port_holder_is(pid_t pid, uint16_t port)
{
    uint64_t inodes[SOCKETS_MAX];
    char name[16];
    bool found = false;
    size_t count = listener_inodes(false, port, inodes, SOCKETS_MAX);
    (void)snprintf(name, sizeof(name), "%d", (int)pid);
    for (size_t i = 0; i < count && !found; i++)
        found = has_socket(name, inodes[i]);
    return found;
}

#else

void port_holder_describe(uint16_t port, char *out, size_t size)
{
    (void)port;
    if (size > 0)
        out[0] = '\0';
}

bool port_holder_is(pid_t pid, uint16_t port)
{
    (void)pid;
    (void)port;
    return true;
}

#endif
