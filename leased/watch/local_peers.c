/* SPDX-License-Identifier: ISC */
#include "leased/watch/local_peers.h"

#include "leased/watch/unregistered.h"
#include "lib/base/log.h"
#include "lib/base/tcp_table.h"
#include "lib/conf/conf.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

/* One search of both tables. */
struct search {
    struct local_peers *peers;
    struct peer *items;
    size_t count;
    bool v6;
};

static void map_v4(const void *v4, unsigned char out[static 16])
{
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, v4, 4);
}

/* False: not an address. */
static bool parse_address(struct peer *p)
{
    struct in_addr v4;
    if (inet_pton(AF_INET, p->address, &v4) == 1) {
        map_v4(&v4, p->bytes);
        return true;
    }
    return inet_pton(AF_INET6, p->address, p->bytes) == 1;
}

static bool is_loopback(const struct peer *p)
{
    const struct in6_addr *a = (const void *)p->bytes;
    return IN6_IS_ADDR_LOOPBACK(a) || (IN6_IS_ADDR_V4MAPPED(a) && p->bytes[12] == 127);
}

/* A socket whose local end is the peer's. One that leads to our port is the peer's own; another one
 * is, if packets were redirected on their way. */
static void note_socket(const struct search *s, const struct tcp_line *line, struct peer *p)
{
    uint32_t remote[4];
    uint16_t remote_port = 0;
    uid_t uid = (uid_t)-1;
    uint64_t inode = 0;
    const bool leads_here =
        tcp_end_parse(line->remote, s->v6, remote, &remote_port) && remote_port == p->our_port;
    /* A socket that nobody has open any more has no inode, and is shown as root's. */
    const bool is_open = tcp_line_owner(line, &uid, &inode) && inode != 0;
    const bool is_login = is_open && unregistered_is_login(s->peers->unregistered, uid);
    p->may_be_login = p->may_be_login || is_login;
    p->is_login = p->is_login || (leads_here && is_login);
    p->is_found = p->is_found || (leads_here && is_open);
    p->is_gone = p->is_gone || (leads_here && !is_open);
}

static bool on_line(void *ctx, const char *text)
{
    const struct search *s = ctx;
    struct tcp_line line;
    uint32_t address[4];
    unsigned char bytes[16];
    uint16_t port;
    if (!tcp_line_parse(text, &line) || line.state == TCP_LISTEN_STATE)
        return true;
    for (size_t i = 0; i < s->count; i++) {
        if (s->items[i].port != line.port || s->items[i].address[0] == '\0')
            continue;
        if (!tcp_end_parse(line.local, s->v6, address, &port))
            continue;
        if (s->v6)
            memcpy(bytes, address, sizeof(bytes));
        else
            map_v4(address, bytes);
        if (memcmp(bytes, s->items[i].bytes, sizeof(bytes)) == 0)
            note_socket(s, &line, &s->items[i]);
    }
    return true;
}

/* 0, or -1 with errno. */
static int search_tables(struct search *s)
{
    struct tcp_table table;
    for (int v6 = 0; v6 <= 1; v6++) {
        int more = 1;
        s->v6 = v6 != 0;
        if (tcp_table_open(&table, s->peers->foreign_network ? 1 : 0, s->v6) != 0) {
            if (s->v6 && errno == ENOENT)
                return 0; /* no IPv6 here */
            return -1;
        }
        while (more == 1)
            more = tcp_table_read(&table, on_line, s);
        if (more < 0)
            return -1;
    }
    return 0;
}

static enum peer_verdict judge_unix(const struct local_peers *l, const struct peer *p)
{
    if (p->uid == (uid_t)-1)
        return PEER_UNKNOWN;
    return unregistered_is_login(l->unregistered, p->uid) ? PEER_TUNNEL_LOGIN : PEER_ADMITTED;
}

static enum peer_verdict judge_tcp(const struct peer *p)
{
    if (p->is_login)
        return PEER_TUNNEL_LOGIN;
    if (p->is_found)
        return PEER_ADMITTED;
    if (p->may_be_login)
        return PEER_TUNNEL_LOGIN;
    /* Who is in no table is on another host, but for one that has gone since it asked. */
    return p->is_gone || is_loopback(p) ? PEER_UNKNOWN : PEER_ADMITTED;
}

static void note_readable(struct local_peers *l, bool is_readable)
{
    if (!is_readable && !l->is_unreadable)
        log_error(
            "cannot read who on this host connects to leased, in '/proc/%s/net/tcp': %m; nobody "
            "is answered at MetricsListen until it can be read",
            l->foreign_network ? "1" : "self");
    if (is_readable && l->is_unreadable)
        log_info("who on this host connects to leased can be read again");
    l->is_unreadable = !is_readable;
}

void local_peers_judge(struct local_peers *l, struct peer *peers, size_t count)
{
    struct search s = {.peers = l, .items = peers, .count = count};
    bool has_tcp = false;
    unregistered_find_logins(l->unregistered, l->conf); /* somebody may have made another */
    for (size_t i = 0; i < count; i++) {
        struct peer *p = &peers[i];
        p->is_found = p->is_login = p->is_gone = p->may_be_login = false;
        p->verdict = PEER_UNKNOWN;
        if (p->address[0] == '\0')
            p->verdict = judge_unix(l, p);
        else
            has_tcp = parse_address(p) || has_tcp;
    }
    if (!has_tcp)
        return;
    const bool is_readable = search_tables(&s) == 0;
    note_readable(l, is_readable);
    for (size_t i = 0; is_readable && i < count; i++)
        if (peers[i].address[0] != '\0')
            peers[i].verdict = judge_tcp(&peers[i]);
}
