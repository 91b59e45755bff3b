/* SPDX-License-Identifier: ISC */
/*
 * One question and its answer over a socket of this host: a probe through a tunnel, a heartbeat.
 * It has no time limit of its own; whoever asks decides how long silence may last, and cancels.
 */
#ifndef TUNLEASE_AGENT_HOST_EXCHANGE_H
#define TUNLEASE_AGENT_HOST_EXCHANGE_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct event;
struct event_base;

enum exchange_end {
    EXCHANGE_ANSWERED, /* bytes came back: the first, or all of them up to the peer's close */
    EXCHANGE_CLOSED,   /* the peer closed without a byte */
    EXCHANGE_NO_ONE,   /* nothing listens at that address on this host */
    EXCHANGE_TOO_LONG, /* more came back than was allowed for */
};

struct exchange {
    struct event *event; /* NULL: not under way */
    int fd;
    struct buf request;
    size_t sent;
    struct buf answer;
    size_t answer_max;
    bool first_byte_will_do, close_our_half;
    void (*done)(void *ctx, enum exchange_end end);
    void *ctx;
};

/* A zeroed struct exchange is valid and not under way. */
bool exchange_is_under_way(const struct exchange *x);

struct exchange_plan {
    const struct sockaddr *address;
    socklen_t address_len;
    const char *request; /* copied; may be "" */
    size_t answer_max;
    bool first_byte_will_do; /* else the answer ends where the peer closes */
    bool close_our_half;     /* after the request, so that a service waiting for one ends, too */
    void (*done)(void *ctx, enum exchange_end end); /* once; the exchange is over by then */
    void *ctx;
};

/*
 * Starts; a running one is cancelled first. done is never called from inside this function, but
 * from the loop; 0, or -1 when a socket could not be had or the connection could not even be begun
 * (nothing listens: EXCHANGE_NO_ONE is then in *ret_end, and done is not called).
 */
int exchange_start(struct exchange *x, struct event_base *base, const struct exchange_plan *plan,
                   enum exchange_end *ret_end);

void exchange_cancel(struct exchange *x);
void exchange_release(struct exchange *x); /* cancels, and gives back the buffers */

/* Fills *ret with a unix socket's address. -1: the path is too long for one. */
struct sockaddr_un;
int exchange_unix_address(const char *path, struct sockaddr_un *ret);

#endif
