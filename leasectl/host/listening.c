/* SPDX-License-Identifier: ISC */
#include "leasectl/host/listening.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* "0100007F:0016", words in host order as the kernel has them in memory; any address: loopback. */
static bool parse_local(const char *text, bool v6, struct listening *l)
{
    uint32_t words[4] = {0};
    unsigned port;
    if (v6 ? sscanf(text, "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 "%8" SCNx32 ":%4x", &words[0],
                    &words[1], &words[2], &words[3], &port) != 5
           : sscanf(text, "%8" SCNx32 ":%4x", &words[0], &port) != 2)
        return false;
    l->port = (uint16_t)port;
    if ((words[0] | words[1] | words[2] | words[3]) == 0)
        return strlcpy(l->host, v6 ? "::1" : "127.0.0.1", sizeof(l->host)) < sizeof(l->host);
    return inet_ntop(v6 ? AF_INET6 : AF_INET, words, l->host, sizeof(l->host)) != NULL;
}

static void read_listenings(const char *path, bool v6, uint16_t port, struct listenings *out)
{
    enum { LISTEN = 10 };
    char line[512], local[48];
    unsigned state;
    FILE *f = fopen(path, "re");
    while (f != NULL && out->count < SOCKETS_MAX && fgets(line, sizeof(line), f) != NULL) {
        struct listening l = {.inode = 0};
        if (sscanf(line, " %*u: %47s %*s %x %*s %*s %*s %*u %*u %" SCNu64, local, &state,
                   &l.inode) != 3)
            continue;
        if (state != LISTEN) /* the kernel shows the listeners first */
            break;
        if (parse_local(local, v6, &l) && l.port == port)
            out->items[out->count++] = l;
    }
    if (f != NULL)
        (void)fclose(f);
}

void find_listenings(uint16_t port, struct listenings *out)
{
    out->count = 0;
    read_listenings("/proc/net/tcp", false, port, out);
    read_listenings("/proc/net/tcp6", true, port, out);
}

bool sshd_listens_anew(uint16_t port, uint64_t socket)
{
    struct listenings now;
    find_listenings(port, &now);
    for (size_t i = 0; i < now.count; i++)
        if (now.items[i].inode == socket)
            return false;
    return now.count > 0;
}

const struct listening *held_by(const char *pid, const struct listenings *sockets)
{
    char path[64], target[64];
    const struct listening *held = NULL;
    uint64_t inode;
    (void)snprintf(path, sizeof(path), "/proc/%.10s/fd", pid);
    DIR *dir = opendir(path);
    for (const struct dirent *e; held == NULL && dir != NULL && (e = readdir(dir)) != NULL;) {
        ssize_t n = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        if (n <= 0)
            continue;
        target[n] = '\0';
        if (sscanf(target, "socket:[%" SCNu64 "]", &inode) != 1)
            continue;
        for (size_t i = 0; held == NULL && i < sockets->count; i++)
            if (sockets->items[i].inode == inode)
                held = &sockets->items[i];
    }
    if (dir != NULL)
        (void)closedir(dir);
    return held;
}

bool sshd_port_is_systemds(uint16_t port)
{
    struct listenings sockets;
    find_listenings(port, &sockets);
    return access("/run/systemd/system", F_OK) == 0 && held_by("1", &sockets) != NULL;
}
