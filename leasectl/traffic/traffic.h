/* SPDX-License-Identifier: ISC */
/*
 * What live sessions do now: where they listen, which connections their forwards have open, and how
 * many bytes went through each of them. Down is to the holder of the lease, up is from there,
 * whoever made the connection.
 *
 * The kernel counts on a socket, and forgets its counters when the connection closes.
 */
#ifndef TUNLEASE_LEASECTL_TRAFFIC_TRAFFIC_H
#define TUNLEASE_LEASECTL_TRAFFIC_TRAFFIC_H

#include "lib/session/session_list.h"
#include "lib/session/sockets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One open connection of a forward. */
struct forward {
    pid_t pid;         /* of the session's monitor */
    bool accepted;     /* it came in to a listener of the session (ssh -R) */
    const char *peer;  /* ADDRESS:PORT of the other end; in traffic.sockets */
    const char *local; /* of the end that the session's sshd has; the listener, if accepted */
    uint16_t port;     /* of the peer, or of the listener: the port that --port means */
    bool has_bytes;    /* false: not known. The rest is 0 then. */
    uint64_t cookie;   /* the kernel gives it to no other connection until the next boot */
    uint64_t down, up;
    int64_t idle_ms; /* since data went either way */
};

struct traffic {
    struct socket_list sockets; /* sockets.seen: for each session of the list that was read */
    struct forward *forwards;   /* owned; sorted by session */
    size_t forward_count;
    int why_no_bytes; /* errno, where the kernel tells no counters at all; else 0 */
};

/* Returns 0 and *ret, to be released; or -1 with errno: the sockets cannot be told. Only root sees
 * those of another user's sshd. */
int traffic_read(const struct session_list *list, struct traffic *ret);
void traffic_release(struct traffic *t);

/* The forwards of the session with this pid: *ret_count of them. NULL: it has none. */
const struct forward *traffic_of(const struct traffic *t, pid_t pid, size_t *ret_count);

/* Its listeners, likewise. */
const struct session_socket *traffic_listeners_of(const struct traffic *t, pid_t pid,
                                                  size_t *ret_count);

/* What went through count forwards. Known only where it is known of all of them. */
struct traffic_sum {
    bool is_known;
    uint64_t down, up;
};
struct traffic_sum traffic_sum_of(const struct forward *forwards, size_t count, bool all_seen);

#endif
