/* SPDX-License-Identifier: ISC */
/*
 * The http process of leased: reads what strangers send, and holds nothing worth stealing. It has
 * no capability, no file, no way to open one, to connect, to signal or to run anything (confine.h);
 * all it can do is hand bounded structs to the engine.
 */
#ifndef TUNLEASE_LEASED_HTTP_H
#define TUNLEASE_LEASED_HTTP_H

#include "lib/wire/control.h"

struct http_listener {
    int fd;
    bool is_open; /* MetricsListen: no credential is asked for metrics */
};

struct http_options {
    int engine_fd; /* SOCK_SEQPACKET, non-blocking */
    const struct http_listener *listeners;
    size_t listener_count;
    const struct control_site *site; /* read only; may change under a reload */
    bool unconfined;                 /* go on where this kernel cannot confine it */
};

/* Runs in a forked child. Returns an exit status: 0 when the engine closed its end, or on SIGTERM.
 */
int http_run(const struct http_options *o);

#endif
