/* SPDX-License-Identifier: ISC */
/*
 * One request and its answer over a local socket, without blocking: a probe through a tunnel, a
 * heartbeat. It has no timeout. The owner decides how long to wait, and cancels.
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
    EXCHANGE_ANSWERED, /* the answer is there: its first byte, or all of it up to the close */
    EXCHANGE_CLOSED,   /* the peer closed without a byte */
    EXCHANGE_NO_ONE,   /* nothing listens at that address on this host */
    EXCHANGE_TOO_LONG, /* the answer is longer than answer_max */
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

/* A zeroed struct exchange is valid, and not under way. */
bool exchange_is_under_way(const struct exchange *x);

struct exchange_plan {
    const struct sockaddr *address;
    socklen_t address_len;
    const char *request; /* copied; may be "" */
    size_t answer_max;
    bool first_byte_will_do; /* else the answer is complete when the peer closes */
    bool close_our_half; /* after the request, so that a service that waits for more ends, too */
    void (*done)(void *ctx, enum exchange_end end); /* called once, after the socket is closed */
    void *ctx;
};

/*
 * Starts an exchange, and cancels one that is under way. 0: done will be called from the loop,
 * never from inside this function. -1: there is no socket or no connection, and done is not called;
 * *ret_end is EXCHANGE_NO_ONE if nothing listens there.
 */
int exchange_start(struct exchange *x, struct event_base *base, const struct exchange_plan *plan,
                   enum exchange_end *ret_end);

void exchange_cancel(struct exchange *x);
void exchange_release(struct exchange *x); /* cancels, and frees the buffers */

/* Fills *ret with the address of a unix socket. -1: the path is too long. */
struct sockaddr_un;
int exchange_unix_address(const char *path, struct sockaddr_un *ret);

#endif
