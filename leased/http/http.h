/* SPDX-License-Identifier: ISC */
/*
 * The http process of leased reads what strangers send, and holds nothing worth stealing. It has no
 * capability and no file, and cannot open one, connect, signal or run anything (confine.h). All
 * that it can do is to send bounded structs to engine.
 *
 * It has a small strict parser of its own (http_head.h) on libevent's loop. evhttp would not do: it
 * reports a connection only when its first request is complete, so no deadline could end one that
 * drips in, and it accepts bare line feeds and two Content-Length (docs/design.md 8.1).
 *
 * Everything is bounded:
 * - A connection has one request under way. The next is handled when the answer to this one was
 *   written, so a client that does not read its answers stops itself.
 * - A request must be complete 5 s after its first byte. A connection without a request is closed
 *   after 75 s, and the oldest of them at once when a new client finds no room.
 * - All incomplete requests together take 32 MiB at most.
 * - A client that has no answer from engine after 6 s is told 503.
 * - After a refusal that leaves bytes unread we shut down only our side, and throw away what still
 *   comes for 2 s. If we closed at once, the client's kernel could lose the answer (RFC 9112
 * section 9.6).
 */
#ifndef TUNLEASE_LEASED_HTTP_HTTP_H
#define TUNLEASE_LEASED_HTTP_HTTP_H

#include "leased/http/listener.h"

#include <stdbool.h>
#include <stddef.h>

struct control_site;

struct http_options {
    int engine_fd; /* SOCK_SEQPACKET, non-blocking */
    const struct http_listener *listeners;
    size_t listener_count;
    const struct control_site *site; /* read-only; changes at a reload */
    bool unconfined;                 /* go on if this kernel cannot confine the process */
};

/* The main loop, in a process of its own without privileges. Returns an exit status: 0 after engine
 * closed its end, or on SIGTERM; else the reason was logged. */
int http_loop(const struct http_options *o);

#endif
