/* SPDX-License-Identifier: ISC */
/*
 * Who on this host is at the other end of a connection. sshd opens a forward as the login of the
 * session, so what comes through a tunnel is a socket of a tunnel login, and the kernel's tables
 * say so. No lease may read what is served at MetricsListen, and sshd's Match block cannot always
 * forbid it: PermitOpen has no exceptions. And of two hosts with the state of one agent, the one
 * that asks through a tunnel has the agent's session.
 *
 * Both tables are searched, whatever the address: an IPv4 address can also be reached through a
 * socket of IPv6 (::ffff:127.0.0.1).
 */
#ifndef TUNLEASE_LEASED_WATCH_LOCAL_PEERS_H
#define TUNLEASE_LEASED_WATCH_LOCAL_PEERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct unregistered;

enum peer_verdict {
    PEER_ADMITTED,
    PEER_TUNNEL_LOGIN,
    PEER_UNKNOWN, /* it cannot be told: the tables cannot be read, or the socket is gone already */
};

struct peer {
    const char *address; /* as inet_ntop(3) writes it; "": a unix socket, and uid is the peer's */
    uint16_t port;
    uint16_t our_port; /* which it connected to */
    uid_t uid;         /* -1: cannot be told */
    enum peer_verdict verdict;

    /* While the tables are searched. */
    unsigned char bytes[16]; /* IPv4 is mapped into IPv6 */
    bool is_found, is_login, is_gone, may_be_login;
};

struct local_peers {
    /* Lent. */
    const struct conf *conf;
    struct unregistered *unregistered; /* knows the tunnel logins */
    bool foreign_network;              /* as in struct listeners_cache */

    bool is_unreadable; /* the tables, when last asked; logged once */
};

/* Sets the verdict of each peer. Reads the tables once for all of them, which takes milliseconds.
 */
void local_peers_judge(struct local_peers *l, struct peer *peers, size_t count);

#endif
