/* SPDX-License-Identifier: ISC */
/* A listening socket of the http process. */
#ifndef TUNLEASE_LEASED_HTTP_LISTENER_H
#define TUNLEASE_LEASED_HTTP_LISTENER_H

#include "lib/conf/conf.h"

#include <stdbool.h>

struct http_listener {
    int fd;                  /* listening, non-blocking */
    bool on_metrics_listen;  /* reports need no credential here, and POST is refused */
    bool on_join_socket;     /* invites are redeemed here, and nothing else is served */
    enum proxy_header proxy; /* the header with the client's address; NONE: not behind a proxy */
};

#endif
