/* SPDX-License-Identifier: ISC */
#include "leasectl/host/listening.h"

#include "lib/base/tcp_table.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct search {
    const struct port_set *ports;
    bool v6, beyond_loopback;
    struct listening_sockets *out;
};

static bool is_loopback(const uint32_t words[static 4], bool v6)
{
    const uint32_t first = ntohl(words[0]);
    if (!v6)
        return first >> 24 == 127;
    if ((words[0] | words[1]) != 0)
        return false;
    return (words[2] == 0 && ntohl(words[3]) == 1) ||
           (words[2] == htonl(0xffff) && ntohl(words[3]) >> 24 == 127);
}

/* Fills in l. Without beyond_loopback host is the address that reaches the socket from this host:
 * loopback, if it is bound to all addresses. */
static bool parse_address(const struct search *s, const char *end, struct listening_socket *l)
{
    uint32_t words[4];
    if (!tcp_end_parse(end, s->v6, words, &l->port) ||
        (s->beyond_loopback && is_loopback(words, s->v6)))
        return false;
    if (!s->beyond_loopback && (words[0] | words[1] | words[2] | words[3]) == 0)
        return strlcpy(l->host, s->v6 ? "::1" : "127.0.0.1", sizeof(l->host)) < sizeof(l->host);
    return inet_ntop(s->v6 ? AF_INET6 : AF_INET, words, l->host, sizeof(l->host)) != NULL;
}

static bool add_if_listening(void *ctx, const char *line)
{
    const struct search *s = ctx;
    struct tcp_line t;
    if (s->out->count == LISTENING_SOCKETS_MAX)
        return false;
    if (!tcp_line_parse(line, &t))
        return true;
    if (t.state != TCP_LISTEN_STATE) /* the kernel shows the listeners first */
        return false;
    struct listening_socket l = {.inode = tcp_line_inode(&t)};
    if (port_set_has(s->ports, t.port) && parse_address(s, t.local, &l))
        s->out->items[s->out->count++] = l;
    return true;
}

static int find_sockets(const struct port_set *ports, bool beyond_loopback,
                        struct listening_sockets *out)
{
    struct tcp_table table;
    int rc = 0;
    out->count = 0;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct search search = {
            .ports = ports, .v6 = v6 != 0, .beyond_loopback = beyond_loopback, .out = out};
        int more = tcp_table_open(&table, 0, search.v6) == 0 ? 1 : -1;
        if (more < 0 && v6 && errno == ENOENT)
            more = 0;
        while (more == 1)
            more = tcp_table_read(&table, add_if_listening, &search);
        rc = more < 0 ? -1 : rc;
    }
    return rc;
}

void listening_sockets_on_port(uint16_t port, struct listening_sockets *out)
{
    struct port_set ports = {0};
    port_set_add(&ports, port, port);
    (void)find_sockets(&ports, false, out);
}

int listening_sockets_beyond_loopback(const struct port_set *ports, struct listening_sockets *out)
{
    return find_sockets(ports, true, out);
}

/* Reads a file of a process, its NULs as blanks. */
static void read_process_file(const char *pid, const char *file, char *out, size_t out_bytes)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%.10s/%s", pid, file);
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(out, 1, out_bytes - 1, f) : 0;
    if (f != NULL)
        (void)fclose(f);
    for (size_t i = 0; i < n; i++)
        if (out[i] == '\0' || out[i] == '\n')
            out[i] = ' ';
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

void listening_process_of(const struct listening_socket *socket, struct listening_process *ret)
{
    const struct listening_sockets one = {.items = {*socket}, .count = 1};
    *ret = (struct listening_process){.pid = 0};
    DIR *dir = opendir("/proc");
    for (const struct dirent *e; ret->pid == 0 && dir != NULL && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
            listening_socket_of_process(e->d_name, &one) == NULL)
            continue;
        ret->pid = (pid_t)strtol(e->d_name, NULL, 10);
        read_process_file(e->d_name, "comm", ret->name, sizeof(ret->name));
        read_process_file(e->d_name, "cmdline", ret->command, sizeof(ret->command));
    }
    if (dir != NULL)
        (void)closedir(dir);
}

bool listening_socket_was_replaced(uint16_t port, uint64_t socket)
{
    struct listening_sockets now;
    listening_sockets_on_port(port, &now);
    for (size_t i = 0; i < now.count; i++)
        if (now.items[i].inode == socket)
            return false;
    return now.count > 0;
}

const struct listening_socket *listening_socket_of_process(const char *pid,
                                                           const struct listening_sockets *sockets)
{
    char path[64], target[64];
    const struct listening_socket *found = NULL;
    uint64_t inode;
    (void)snprintf(path, sizeof(path), "/proc/%.10s/fd", pid);
    DIR *dir = opendir(path);
    for (const struct dirent *e; found == NULL && dir != NULL && (e = readdir(dir)) != NULL;) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
            continue;
        for (size_t i = 0; found == NULL && i < sockets->count; i++)
            if (sockets->items[i].inode == inode)
                found = &sockets->items[i];
    }
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}

bool systemd_listens_on_port(uint16_t port)
{
    struct listening_sockets sockets;
    listening_sockets_on_port(port, &sockets);
    return access("/run/systemd/system", F_OK) == 0 &&
           listening_socket_of_process("1", &sockets) != NULL;
}
