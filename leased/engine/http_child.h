/* SPDX-License-Identifier: ISC */
/* Starts the http process, notices its end, and starts it again. */
#ifndef TUNLEASE_LEASED_ENGINE_HTTP_CHILD_H
#define TUNLEASE_LEASED_ENGINE_HTTP_CHILD_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct conf;
struct metrics;
struct engine_callbacks;

struct http_child {
    /* All lent. */
    struct event_base *base;
    const struct engine_callbacks *callbacks;
    const struct conf *conf;
    struct metrics *metrics;
    event_callback_fn read; /* called with arg when there are packets from it */
    void *arg;

    pid_t pid;                    /* -1: there is none */
    int fd;                       /* our end of the socket pair; -1: there is none */
    int64_t started_ms, pause_ms; /* pause_ms: before the next start */
    bool is_ready;                /* it was ready at least once, and systemd was notified */
    int exit_status;              /* of leased, if the loop ends because of http */
    struct event *on_packets, *on_restart, *on_lasted;
};

/* The lent members must be set. Returns 0, or -1: out of memory. */
int http_child_prepare(struct http_child *h);
int http_child_start(struct http_child *h); /* 0, or -1 with errno */

/* http said that it answers requests: notifies systemd. */
void http_child_ready(struct http_child *h);

/* Kills an http process that sent what http never sends (problem), or that closed its socket and
 * lives on (problem NULL). Nothing more is read from it. */
void http_child_kill(struct http_child *h, const char *problem);

/* http was reaped. It is started again after a pause; but if it never was ready, leased exits. */
void http_child_ended(struct http_child *h, int status);

/* Tells http to end, and waits for that a moment. */
void http_child_end(struct http_child *h);

#endif
