/* SPDX-License-Identifier: ISC */
/* Connections of clients: a table of them, what each is at, and the bytes that it keeps. */
#ifndef TUNLEASE_LEASED_HTTP_CONNECTION_H
#define TUNLEASE_LEASED_HTTP_CONNECTION_H

#include "leased/http/client.h"
#include "leased/http/http_head.h"
#include "lib/wire/control.h"

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;

/* The largest request there is. */
enum { REQUEST_BYTES_MAX = HTTP_HEAD_BYTES + CONTROL_BODY_BYTES };

enum connection_state {
    CONNECTION_FREE,      /* no connection */
    CONNECTION_READING,   /* a request, or the wait for one */
    CONNECTION_STALLED,   /* a whole request, and engine cannot take it yet */
    CONNECTION_WAITING,   /* for engine's answer */
    CONNECTION_SENDING,   /* an answer that the client's socket did not take at once */
    CONNECTION_LINGERING, /* the last answer is out; what still comes is thrown away */
};

struct connection {
    struct connections *table;
    struct server *server;
    enum connection_state state;
    int fd;
    uint32_t generation; /* tells an answer for this connection from one for its predecessor */
    struct client client;
    bool keep_alive, sent_continue, head_only;
    bool is_reading;  /* on_in is in the loop */
    int64_t since_ms; /* of the state; READING: the request's first byte, 0 while nothing came */
    int64_t idle_since_ms; /* since when nothing is under way */
    char *in;              /* of a request that is not all there, or cannot be taken yet */
    size_t in_len, in_bytes;
    char *out;
    size_t out_len, out_at;
    struct connection *older, *newer; /* in the table's idle; or newer alone, in its free */
    struct event on_in, on_out;
};

struct connections {
    struct connection *slots, *free;
    size_t slot_count, in_use;
    struct connection *oldest, *newest; /* READING and LINGERING, by when they began to */
    size_t stalled;
    size_t buffered_bytes;
};

/* Room for as many as descriptors allow. 0 or -1. */
int connections_init(struct connections *t);
/* Drops all. Also of one that connections_init failed for. */
void connections_release(struct connections *t);

/* One for that client's socket, which it owns from now on; its events are the caller's to assign.
 * When all are taken, who has gone longest without a whole request makes room. NULL: all are busy,
 * and fd is closed. */
struct connection *connection_open(struct connections *t, int fd);
void connection_drop(struct connection *c);

/* What an answer finds its connection by; never that of another, later one. */
uint64_t connection_id(const struct connection *c);
/* NULL: it went away, or is not to have that answer any more. */
struct connection *connection_find(const struct connections *t, uint64_t id);

void connection_set_state(struct connection *c, enum connection_state state);
/* READING or LINGERING: no request of it is under way. */
bool connection_awaits_client(const struct connection *c);

void connection_start_reading(struct connection *c);
void connection_stop_reading(struct connection *c);

/* Room for want bytes of input, and REQUEST_BYTES_MAX at most. A client that finds no memory left
 * takes it from the one that has not sent its request for longest. False: there is none. */
bool connection_grow_input(struct connection *c, size_t want);

/* Keeps the rest of what was read, of c->in itself or of elsewhere; of 0 bytes nothing is kept.
 * False: there is no memory. */
bool connection_buffer_input(struct connection *c, const char *rest, size_t len);

#endif
