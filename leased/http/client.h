/* SPDX-License-Identifier: ISC */
/* The client of a connection: which listener it came through, and its address. */
#ifndef TUNLEASE_LEASED_HTTP_CLIENT_H
#define TUNLEASE_LEASED_HTTP_CLIENT_H

#include "leased/http/http_head.h"
#include "lib/conf/conf.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct client {
    bool on_metrics_listen, on_join_socket; /* both as in struct http_listener */
    bool is_admitted;                       /* on MetricsListen: engine said so */
    enum proxy_header proxy;                /* not NONE: each request brings its own address */
    char address[CONTROL_ADDRESS_BYTES];    /* "" for a unix socket */
    uint16_t port;                          /* 0 for a unix socket, */
    uid_t uid;                              /* which has this instead; -1: cannot be told */
    pid_t pid;                              /* and this; 0: cannot be told */
};

/* fd is the client's socket, for what peer does not say. */
void client_set_from_peer(struct client *c, int fd, const struct sockaddr_storage *peer);

/* Sets the address to what the proxy's header says. False, with the address "", if the header has
 * no plain address. */
bool client_set_from_proxy(struct client *c, const struct http_head *head);

#endif
