/* SPDX-License-Identifier: ISC */
/* Clients that connect to what http listens on. */
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
    bool paused; /* no descriptors or no memory: until acceptors_resume */
    size_t count;
    struct acceptor items[ACCEPTORS_MAX];
};

/* Lets clients in, and server has them. The listeners are the caller's, and stay where they are. 0
 * or -1. */
int acceptors_start(struct acceptors *a, struct event_base *base, struct server *server,
                    const struct http_listener *listeners, size_t count);
/* After a rest. */
void acceptors_resume(struct acceptors *a);
/* Closes the listeners: nobody else is let in. */
void acceptors_close(struct acceptors *a);
void acceptors_release(struct acceptors *a);

#endif
