/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/connection.h"

#ifdef __linux__

#include "lib/base/tcp_table.h"

#include <netinet/in.h>
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    SOCKETS_MAX = 16,    /* an ssh after its login has its connection and its agent's */
    DIAG_PATIENCE_S = 1, /* the kernel answers at once, or not at all */
};

struct sockets {
    unsigned long inode[SOCKETS_MAX];
    size_t count;
};

static void add_sockets(const char *pid, struct sockets *s)
{
    char path[300], target[64];
    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (const struct dirent *e; s->count < SOCKETS_MAX && (e = readdir(dir)) != NULL;) {
        ssize_t len = readlinkat(dirfd(dir), e->d_name, target, sizeof(target) - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        if (strncmp(target, "socket:[", 8) == 0)
            s->inode[s->count++] = strtoul(target + 8, NULL, 10);
    }
    (void)closedir(dir);
}

static bool is_in_group(const char *pid, pid_t group)
{
    char path[300], line[512] = "";
    int pgrp = 0;
    (void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    (void)!fgets(line, sizeof(line), f);
    (void)fclose(f);
    const char *name_end = strrchr(line, ')'); /* pid (comm) state ppid pgrp ... */
    return name_end != NULL && sscanf(name_end + 1, " %*c %*d %d", &pgrp) == 1 && pgrp == group;
}

struct counters {
    struct tcp_info info;
    uint32_t unread, unsent;
};

/* Finds the one of these sockets that is a TCP connection of the family, and its counters. Its
 * inode, or 0. */
static unsigned long find_in_family(int netlink, int family, const struct sockets *s,
                                    struct counters *ret)
{
    struct {
        struct nlmsghdr head;
        struct inet_diag_req_v2 question;
    } request = {.head = {.nlmsg_len = sizeof(request),
                          .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                          .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
                 .question = {.sdiag_family = (uint8_t)family,
                              .sdiag_protocol = IPPROTO_TCP,
                              .idiag_ext = 1 << (INET_DIAG_INFO - 1),
                              .idiag_states = 1U << TCP_ESTABLISHED_STATE}};
    _Alignas(struct nlmsghdr) char answer[32768];
    unsigned long found = 0;
    if (send(netlink, &request, sizeof(request), 0) != (ssize_t)sizeof(request))
        return 0;
    for (;;) { /* read to its end: the next answer comes through the same socket */
        ssize_t n = recv(netlink, answer, sizeof(answer), 0);
        if (n <= 0)
            return found;
        size_t left = (size_t)n;
        for (const struct nlmsghdr *h = (void *)answer; NLMSG_OK(h, left);
             h = NLMSG_NEXT(h, left)) {
            if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY)
                return found; /* NLMSG_DONE, or an error */
            const struct inet_diag_msg *m = NLMSG_DATA(h);
            size_t i = 0, room = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
            while (i < s->count && s->inode[i] != m->idiag_inode)
                i++;
            if (i == s->count)
                continue;
            for (const struct rtattr *a = (const void *)(m + 1); RTA_OK(a, room);
                 a = RTA_NEXT(a, room))
                if (a->rta_type == INET_DIAG_INFO) {
                    size_t len = RTA_PAYLOAD(a);
                    *ret = (struct counters){.unread = m->idiag_rqueue, .unsent = m->idiag_wqueue};
                    /* An older kernel gives a shorter struct. */
                    memcpy(&ret->info, RTA_DATA(a),
                           len < sizeof(ret->info) ? len : sizeof(ret->info));
                    found = m->idiag_inode;
                }
        }
    }
}

static unsigned long find_connection(const struct sockets *s, struct counters *ret)
{
    const struct timeval patience = {.tv_sec = DIAG_PATIENCE_S};
    unsigned long found = 0;
    int fd = s->count > 0 ? socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG) : -1;
    if (fd < 0)
        return 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    found = find_in_family(fd, AF_INET, s, ret);
    if (found == 0)
        found = find_in_family(fd, AF_INET6, s, ret);
    (void)close(fd);
    return found;
}

static bool is_ssh(const char *pid)
{
    char path[300], name[32] = "";
    (void)snprintf(path, sizeof(path), "/proc/%s/comm", pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return false;
    (void)!fgets(name, sizeof(name), f);
    (void)fclose(f);
    return strcmp(name, "ssh\n") == 0;
}

unsigned long connection_find(pid_t group, enum connection_carrier *ret_carrier)
{
    struct sockets s = {.count = 0};
    struct counters counters;
    char pid[16];
    *ret_carrier = CARRIER_UNKNOWN;
    (void)snprintf(pid, sizeof(pid), "%d", (int)group);
    add_sockets(pid, &s);
    unsigned long found = find_connection(&s, &counters);
    if (found != 0)
        *ret_carrier = CARRIER_SSH;
    DIR *dir = found == 0 ? opendir("/proc") : NULL;
    if (dir == NULL)
        return found;
    /* With a jump host or a ProxyCommand its helper has the connection; ssh itself has only pipes.
     */
    for (const struct dirent *e; found == 0 && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9' || !is_in_group(e->d_name, group))
            continue;
        s.count = 0;
        add_sockets(e->d_name, &s);
        found = find_connection(&s, &counters);
        if (found != 0)
            *ret_carrier = is_ssh(e->d_name) ? CARRIER_SSH : CARRIER_PLUGIN;
    }
    (void)closedir(dir);
    return found;
}

bool connection_read_traffic(unsigned long connection, struct connection_traffic *ret)
{
    const struct sockets s = {.inode = {connection}, .count = connection != 0 ? 1 : 0};
    struct counters c;
    if (find_connection(&s, &c) == 0)
        return false;
    *ret = (struct connection_traffic){.silent_ms = c.info.tcpi_last_ack_recv,
                                       .acked_bytes = (int64_t)c.info.tcpi_bytes_acked,
                                       .unsent_bytes = c.unsent,
                                       .read_bytes = (int64_t)c.info.tcpi_bytes_received - c.unread,
                                       .sent_again = c.info.tcpi_total_retrans};
    return true;
}

#else

unsigned long connection_find(pid_t group, enum connection_carrier *ret_carrier)
{
    (void)group;
    *ret_carrier = CARRIER_UNKNOWN;
    return 0;
}

bool connection_read_traffic(unsigned long connection, struct connection_traffic *ret)
{
    (void)connection;
    (void)ret;
    return false;
}

#endif
