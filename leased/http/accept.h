/* SPDX-License-Identifier: ISC */
/* Accepts clients on all listeners. */
#ifndef TUNLEASE_LEASED_HTTP_ACCEPT_H
#define TUNLEASE_LEASED_HTTP_ACCEPT_H

#include "leased/http/listener.h"
#include "leased/http/server.h"

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>

enum { ACCEPTORS_MAX = 32 };

struct acceptor {
    struct acceptors *all;
    const struct http_listener *listener;
    struct event on_accept;
};

struct acceptors {
    struct event_base *base;
    struct server *server;
    bool paused; /* out of descriptors or memory, until acceptors_resume */
    size_t count;
    struct acceptor items[ACCEPTORS_MAX];
};

/* Starts to accept clients and to add them to the server. The listeners are the caller's, and must
 * outlive *a. Returns 0, or -1. */
int acceptors_start(struct acceptors *a, struct event_base *base, struct server *server,
                    const struct http_listener *listeners, size_t count);
/* Accepts again after a pause; called at each tick. */
void acceptors_resume(struct acceptors *a);
/* Closes the listeners: no client is accepted any more. */
void acceptors_close(struct acceptors *a);
void acceptors_release(struct acceptors *a);

#endif
