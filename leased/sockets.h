/* SPDX-License-Identifier: ISC */
/* All that http listens on: opened here, or passed by systemd. */
#ifndef TUNLEASE_LEASED_SOCKETS_H
#define TUNLEASE_LEASED_SOCKETS_H

#include "leased/http/listener.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stddef.h>

enum { SOCKETS_MAX = CONF_LISTENERS_MAX + 1 };

struct sockets {
    struct http_listener items[SOCKETS_MAX];
    size_t count;
    bool from_systemd; /* by systemd: we may be in a network of our own */
};

/* What a well-formed configuration may still name that is not there. 0; or -1, logged. */
int sockets_check(const struct conf *conf);

/* 0 and *ret, which starts empty; or -1, logged with what to do. */
int sockets_open(const struct conf *conf, struct sockets *ret);

#endif
