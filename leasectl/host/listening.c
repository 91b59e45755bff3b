/* SPDX-License-Identifier: ISC */
#include "leasectl/host/listening.h"

#include "lib/base/tcp_table.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct search {
    uint16_t port;
    bool v6;
    struct listening_sockets *out;
};

/* The address that reaches the socket from this host: loopback, if it is bound to all addresses. */
static bool parse_reachable_address(const char *end, bool v6, struct listening_socket *l)
{
    uint32_t words[4];
    if (!tcp_end_parse(end, v6, words, &l->port))
        return false;
    if ((words[0] | words[1] | words[2] | words[3]) == 0)
        return strlcpy(l->host, v6 ? "::1" : "127.0.0.1", sizeof(l->host)) < sizeof(l->host);
    return inet_ntop(v6 ? AF_INET6 : AF_INET, words, l->host, sizeof(l->host)) != NULL;
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
    if (t.port == s->port && parse_reachable_address(t.local, s->v6, &l))
        s->out->items[s->out->count++] = l;
    return true;
}

void listening_sockets_on_port(uint16_t port, struct listening_sockets *out)
{
    struct tcp_table table;
    out->count = 0;
    for (int v6 = 0; v6 <= 1; v6++) {
        struct search search = {.port = port, .v6 = v6 != 0, .out = out};
        int more = tcp_table_open(&table, 0, search.v6) == 0 ? 1 : -1;
        while (more == 1)
            more = tcp_table_read(&table, add_if_listening, &search);
    }
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
