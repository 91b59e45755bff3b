/* SPDX-License-Identifier: ISC */
/* Reads the requests of all connections, sends them to engine, and delivers its answers. */
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
    int64_t engine_gone_ms; /* when engine closed its end; 0: it has not */
    struct event *on_engine_room, *on_tick;
    struct connections connections;
    size_t next_stalled_slot;
    struct answers answers;
    struct refusal_report refusals;
    struct control_request request; /* the one being parsed */
    char input[REQUEST_BYTES_MAX];
};

/* Starts to read from a new connection of the table. When it returns, c may be dropped already. */
void server_add_connection(struct server *s, struct connection *c, struct event_base *base);

/* Sends engine's answer to its client, unless that has gone, or was told 503 meanwhile. */
void server_deliver(struct server *s, const struct control_answer *a);

/* Engine's socket has room again: sends it the requests that were STALLED. */
void server_retry_stalled(struct server *s);

/* Answers 503 to a connection that has been STALLED or WAITING for too long. */
void server_give_up(struct server *s, struct connection *c);

/* Engine is gone: answers 503 to all requests under way, and to all that still come. */
void server_lose_engine(struct server *s);

/* Makes sure that on_tick runs within a tick. */
void server_tick_soon(struct server *s);

#endif
