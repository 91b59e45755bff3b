/* SPDX-License-Identifier: ISC */
/* The unix socket that `tunnel-agent status` asks: RUN_DIR/PID.status. */
#ifndef TUNLEASE_AGENT_TUNNEL_STATUS_SOCKET_H
#define TUNLEASE_AGENT_TUNNEL_STATUS_SOCKET_H

#include "tunnel-agent/host/statedir.h"

#include <stdbool.h>

struct buf;
struct event;
struct event_base;

/* Set format and ctx; the rest zero. Valid for status_socket_close from then on. */
struct status_socket {
    /* The answer, as JSON or as text. */
    void (*format)(void *ctx, bool json, struct buf *out);
    void *ctx;

    int fd; /* not positive: not open */
    struct event *event;
    char path[STATEDIR_PATH_BYTES];
};

/* Listens. 0, or -1 with errno or *ret_why. */
int status_socket_open(struct status_socket *s, struct event_base *base, const char *run_dir,
                       const char **ret_why);
void status_socket_close(struct status_socket *s);

#endif
