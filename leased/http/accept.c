/* SPDX-License-Identifier: ISC */
#include "leased/http/accept.h"

#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_AT_ONCE = 64,
    BUFFER_BYTES = 65536, /* of a client's socket, each way; the default grows to megabytes */
};

static void start_connection(struct acceptor *a, int fd, const struct sockaddr_storage *peer)
{
    struct server *s = a->all->server;
    const int on = 1, bytes = BUFFER_BYTES;
    struct connection *c = connection_open(&s->connections, fd, a->listener->on_join_socket);
    if (c == NULL)
        return;
    c->client.on_metrics_listen = a->listener->on_metrics_listen;
    c->client.proxy = a->listener->proxy;
    client_set_from_peer(&c->client, fd, peer);
    /* Set on each client and not on the listener: systemd may have queued clients on its socket
     * before we could set an option on it. */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (peer->ss_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    server_add_connection(s, c, a->all->base);
}

static void on_accept(evutil_socket_t fd, short what, void *arg)
{
    struct acceptor *a = arg;
    (void)what;
    for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        memset(&peer, 0, sizeof(peer));
        int client = accept4(fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0) {
            start_connection(a, client, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            (void)event_del(&a->on_accept); /* or the loop would wake up at once, for ever */
            a->all->paused = true;
            server_tick_soon(a->all->server);
        }
        return;
    }
}

int acceptors_start(struct acceptors *a, struct event_base *base, struct server *server,
                    const struct http_listener *listeners, size_t count)
{
    *a = (struct acceptors){.base = base, .server = server};
    if (count > ACCEPTORS_MAX)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct acceptor *item = &a->items[a->count++];
        item->all = a;
        item->listener = &listeners[i];
        (void)event_assign(&item->on_accept, base, item->listener->fd, EV_READ | EV_PERSIST,
                           on_accept, item);
        if (event_add(&item->on_accept, NULL) != 0)
            return -1;
    }
    return 0;
}

void acceptors_resume(struct acceptors *a)
{
    for (size_t i = 0; i < a->count && a->paused; i++)
        (void)event_add(&a->items[i].on_accept, NULL);
    a->paused = false;
}

void acceptors_close(struct acceptors *a)
{
    for (size_t i = 0; i < a->count; i++) {
        (void)event_del(&a->items[i].on_accept);
        (void)close(a->items[i].listener->fd);
    }
    a->paused = false;
}

void acceptors_release(struct acceptors *a)
{
    for (size_t i = 0; i < a->count; i++)
        (void)event_del(&a->items[i].on_accept);
}
