/* SPDX-License-Identifier: ISC */
/* Requests of all connections: read, handed to engine, and answered. */
#ifndef TUNLEASE_LEASED_HTTP_SERVER_H
#define TUNLEASE_LEASED_HTTP_SERVER_H

#include "leased/http/answer.h"
#include "leased/http/connection.h"
#include "leased/http/refusal_report.h"
#include "lib/wire/control.h"

#include <stdint.h>

struct event;
struct event_base;

struct server {
    int engine_fd;
    int64_t engine_gone_ms; /* since when the engine is gone; 0: it is there */
    struct event *on_engine_room, *on_tick;
    struct connections connections;
    size_t next_stalled_slot;
    struct answers answers;
    struct refusal_report refusals;
    struct control_request request; /* that is being read */
    char input[REQUEST_BYTES_MAX];
};

/* A new connection of the table, by events of that loop. It may be gone then. */
void server_add_connection(struct server *s, struct connection *c, struct event_base *base);

/* To whom it is for; to nobody when that client went away, or was answered when its time was over.
 */
void server_deliver(struct server *s, const struct control_answer *a);

/* Engine has room for requests again. */
void server_retry_stalled(struct server *s);

/* The connection is STALLED or WAITING for too long. */
void server_give_up(struct server *s, struct connection *c);

/* Engine is gone. What it never got is refused, and nothing more is handed to it. */
void server_lose_engine(struct server *s);

/* on_tick comes within a tick. */
void server_tick_soon(struct server *s);

#endif
