/* SPDX-License-Identifier: ISC */
/* The table of client connections: the state of each, and its buffers. */
#ifndef TUNLEASE_LEASED_HTTP_CONNECTION_H
#define TUNLEASE_LEASED_HTTP_CONNECTION_H

#include "leased/http/client.h"
#include "leased/http/http_head.h"
#include "lib/base/buf.h"
#include "lib/wire/control.h"

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_part;
struct server;

/* The largest request that is accepted. */
enum { REQUEST_BYTES_MAX = HTTP_HEAD_BYTES + CONTROL_BODY_BYTES };

enum connection_state {
    CONNECTION_FREE,      /* no connection */
    CONNECTION_READING,   /* waits for a request, or for the rest of one */
    CONNECTION_STALLED,   /* has a whole request, and engine's socket is full */
    CONNECTION_WAITING,   /* waits for engine's answer */
    CONNECTION_SENDING,   /* has an answer that the client's socket did not take at once */
    CONNECTION_LINGERING, /* the last answer was sent; input is thrown away */
};

struct connection {
    struct connections *table;
    struct server *server;
    enum connection_state state;
    int fd;
    uint32_t generation; /* changes when a late answer must not find this connection any more */
    struct client client;
    bool keep_alive, sent_continue, head_only;
    bool is_page;     /* the request is for the page or its data: its answer has their headers */
    bool is_reading;  /* on_in was added to the loop */
    int64_t since_ms; /* start of the state; in READING the request's first byte, 0 before it */
    int64_t idle_since_ms; /* when READING started */
    char *in;              /* buffered: a request that is incomplete or cannot be handled yet */
    size_t in_len, in_bytes;
    const struct page_part *part; /* of the page, which it waits for engine's leave to send; NULL */
    struct buf whole;             /* a report of several packets, as far as it has come */
    char *out;
    size_t out_len, out_at;
    struct connection *older, *newer; /* links of oldest..newest; newer also links the free slots */
    struct event on_in, on_out;
};

struct connections {
    struct connection *slots, *free;
    size_t slot_count, in_use;
    size_t joining;                     /* how many of them came through the join socket */
    struct connection *oldest, *newest; /* READING or LINGERING, by the start of that state */
    size_t stalled;                     /* how many are STALLED */
    size_t buffered_bytes;              /* in_bytes of all together */
};

/* Makes room for as many connections as the limit of descriptors allows. 0 or -1. */
int connections_init(struct connections *t);
/* Drops all connections. May be called after connections_init failed. */
void connections_release(struct connections *t);

/* Of the join socket at most so many at once; no other connection takes their slots. So neither can
 * who joins crowd out agents, nor agents who joins. */
enum { CONNECTIONS_JOINING_MAX = 32 };

/* Opens a connection that owns the client's socket fd; the caller assigns its events. is_joining:
 * it came through the join socket. If there is no room for its kind, drops the connection of that
 * kind that has gone longest without a whole request. NULL: each of them has a request under way,
 * and fd was closed. */
struct connection *connection_open(struct connections *t, int fd, bool is_joining);
void connection_drop(struct connection *c);

/* Names a connection in packets to engine. A later connection in the same slot has another id. */
uint64_t connection_id(const struct connection *c);
/* NULL: the connection was dropped, or was told 503 meanwhile. */
struct connection *connection_find(const struct connections *t, uint64_t id);

void connection_set_state(struct connection *c, enum connection_state state);
/* READING or LINGERING: only such a connection may be dropped to make room. */
bool connection_awaits_client(const struct connection *c);

void connection_start_reading(struct connection *c);
void connection_stop_reading(struct connection *c);

/* Makes room in c->in for want bytes, and at most REQUEST_BYTES_MAX. When all connections together
 * buffer too much, drops those that have gone longest without a whole request. False: no memory. */
bool connection_grow_input(struct connection *c, size_t want);

/* Replaces the buffered input by rest, which may lie in c->in itself. len 0 frees the buffer.
 * False: no memory. */
bool connection_buffer_input(struct connection *c, const char *rest, size_t len);

#endif
