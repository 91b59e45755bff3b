/* SPDX-License-Identifier: ISC */
/* All listening sockets of http: opened by leased, or passed by systemd. */
#ifndef TUNLEASE_LEASED_SOCKETS_H
#define TUNLEASE_LEASED_SOCKETS_H

#include "leased/http/listener.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stddef.h>

enum { SOCKETS_MAX = CONF_LISTENERS_MAX + 2 }; /* MetricsListen and the join socket */

struct sockets {
    struct http_listener items[SOCKETS_MAX];
    size_t count;
    bool from_systemd; /* then leased may be in a network namespace of its own */
};

/* Checks that the groups that Listen names exist. 0; or -1, logged. */
int sockets_check(const struct conf *conf);

/* Fills *ret, which the caller zeroed. 0; or -1, logged with what to do. */
int sockets_open(const struct conf *conf, struct sockets *ret);

/* After a reload: if JoinLogin is set and there is no join socket, logs that a restart opens it. */
void sockets_warn_of_join(const struct sockets *s, const struct conf *conf);

#endif
