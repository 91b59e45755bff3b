/* SPDX-License-Identifier: ISC */
/* A socket on which http lets clients in. */
#ifndef TUNLEASE_LEASED_HTTP_LISTENER_H
#define TUNLEASE_LEASED_HTTP_LISTENER_H

#include "lib/conf/conf.h"

#include <stdbool.h>

struct http_listener {
    int fd;                  /* listening, non-blocking */
    bool on_metrics_listen;  /* MetricsListen: no credential is asked for metrics */
    enum proxy_header proxy; /* what says who asked; of a listener for a proxy alone */
};

#endif
