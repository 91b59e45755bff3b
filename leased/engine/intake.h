/* SPDX-License-Identifier: ISC */
/* What the http process sends: each packet is checked, and goes where it is answered. */
#ifndef TUNLEASE_LEASED_ENGINE_INTAKE_H
#define TUNLEASE_LEASED_ENGINE_INTAKE_H

#include <stdbool.h>
#include <sys/types.h>

struct answers;
struct api_keys;
struct batch;
struct conf;
struct event_base;
struct http_child;
struct limiter;
struct report;
struct requests;

/* Lent. */
struct intake {
    struct event_base *base;
    const struct conf *conf;
    const struct api_keys *keys;
    struct limiter *limiter;
    struct http_child *http;
    struct requests *requests;
    struct batch *batch;
    struct answers *answers;
    struct report *report;
};

/* A callback of libevent with a struct intake: there are packets in fd, or, at the end, may be. */
void intake_read(int fd, short what, void *arg);

/* A child was reaped that is not http: if it has made a key, the request that waits for that goes
 * on. good: it exited with 0. */
void intake_child_ended(struct intake *intake, pid_t pid, bool good);

#endif
