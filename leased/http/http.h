/* SPDX-License-Identifier: ISC */
/*
 * The http process of leased: reads what strangers send, and holds nothing worth stealing. It has
 * no capability, no file, no way to open one, to connect, to signal or to run anything (confine.h);
 * all it can do is hand bounded structs to the engine.
 *
 * A small strict reader of its own (http_head.h) on libevent's loop, not evhttp: evhttp makes a
 * connection known only when its first request is whole, so no deadline could hold one that drips,
 * and it reads bare line feeds and two Content-Length (facts/ecosystem.md 1.1).
 *
 * Everything is bounded. A connection has one request under way: the next is read when the answer
 * to this one is out, so that a client that does not read its answers stops itself. A request is
 * whole 5 s after its first byte; a connection without one goes after 75 s, and the oldest of them
 * at once when a newcomer finds no room; bytes of requests that are not whole take 32 MiB at most.
 * Engine's answer comes within 6 s, or the client is told 503. After a refusal that leaves bytes
 * unread the answer is followed by an end of our side alone, and what still comes is thrown away
 * for 2 s, or the client's kernel would drop the answer with the connection (RFC 9112 section 9.6).
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
    const struct control_site *site; /* read only; may change under a reload */
    bool unconfined;                 /* go on where this kernel cannot confine it */
};

/* Runs in a process of its own, without privileges. Returns an exit status, with a reason in the
 * log: 0 when the engine closed its end, or on SIGTERM. */
int http_loop(const struct http_options *o);

#endif
