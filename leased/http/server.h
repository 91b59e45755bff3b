/* SPDX-License-Identifier: ISC */
/* Requests of all connections: read, handed to engine, and answered. */
#ifndef TUNLEASE_LEASED_HTTP_SERVER_H
#define TUNLEASE_LEASED_HTTP_SERVER_H

#include "leased/http/answer.h"
#include "leased/http/connection.h"
#include "leased/http/refused.h"
#include "lib/wire/control.h"

#include <stdint.h>

struct event;
struct event_base;

struct server {
    int engine_fd;
    int64_t ends_ms; /* since when the engine is gone; 0: it is there */
    struct event *on_engine_room, *on_tick;
    struct connections connections;
    size_t stalled_turn;
    struct answers answers;
    struct refused refused;
    struct control_request request; /* that is being read */
    char input[REQUEST_BYTES_MAX];
};

/* A new connection of the table, by events of that loop. It may be gone then. */
void server_welcome(struct server *s, struct connection *c, struct event_base *base);

/* To whom it is for; to nobody when that client went away, or was answered when its time was over.
 */
void server_deliver(struct server *s, const struct control_answer *a);

/* Engine has room for requests again. */
void server_go_on(struct server *s);

/* The connection is STALLED or WAITING for too long. */
void server_give_up(struct server *s, struct connection *c);

/* Engine is gone. What it never got is refused, and nothing more is handed to it. */
void server_end(struct server *s);

/* on_tick comes within a tick. */
void server_tick_soon(struct server *s);

#endif
