/* SPDX-License-Identifier: ISC */
/* Who sends a request: where it came in, and from which address. */
#ifndef TUNLEASE_LEASED_HTTP_CLIENT_H
#define TUNLEASE_LEASED_HTTP_CLIENT_H

#include "leased/http/http_head.h"
#include "lib/conf/conf.h"
#include "lib/wire/control.h"

#include <stdbool.h>
#include <sys/socket.h>

struct client {
    bool on_metrics_listen;              /* as struct http_listener has both */
    enum proxy_header proxy;             /* address is that of the request, then */
    char address[CONTROL_ADDRESS_BYTES]; /* "" for a unix socket */
};

void client_set_from_peer(struct client *c, const struct sockaddr_storage *peer);

/* Who asked, by the word of the proxy that the listener is for. False: it says none, and the
 * address is "". */
bool client_set_from_proxy(struct client *c, const struct http_head *head);

#endif
