/* SPDX-License-Identifier: ISC */
/* The unix socket that `tunnel-agent status` connects to: RUN_DIR/PID.status. */
#ifndef TUNLEASE_AGENT_TUNNEL_STATUS_SOCKET_H
#define TUNLEASE_AGENT_TUNNEL_STATUS_SOCKET_H

#include "tunnel-agent/host/statedir.h"

#include <stdbool.h>

struct buf;
struct event;
struct event_base;

/* Set format and ctx, and zero the rest; then status_socket_close may be called. */
struct status_socket {
    /* Formats the answer, as JSON or as text. */
    void (*format)(void *ctx, bool json, struct buf *out);
    void *ctx;

    int fd; /* 0 or less: not open */
    struct event *event;
    char path[STATEDIR_PATH_BYTES];
};

/* Listens in run_dir. 0; or -1 with *ret_why, or with errno if that is NULL. */
int status_socket_open(struct status_socket *s, struct event_base *base, const char *run_dir,
                       const char **ret_why);
void status_socket_close(struct status_socket *s);

#endif
