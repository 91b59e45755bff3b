/* SPDX-License-Identifier: ISC */
/* Receives the packets of the http process, checks each, and passes it to the module that answers
 * it. */
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
struct control_request;
struct limiter;
struct page_desk;
struct report;
struct requests;

/* All lent. */
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
    struct page_desk *desk;
};

/* A callback of libevent; arg is a struct intake. Reads the packets that are in fd; there may be
 * none. */
void intake_read(int fd, short what, void *arg);

/* Answers a report, for the page desk; arg is a struct intake. */
void intake_answer_report(void *arg, const struct control_request *r);

/* A child other than http was reaped. If it made a key, the request that waits for that key goes
 * on. good: it exited with 0. */
void intake_child_ended(struct intake *intake, pid_t pid, bool good);

#endif
