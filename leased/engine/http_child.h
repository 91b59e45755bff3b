/* SPDX-License-Identifier: ISC */
/* The http process, as the engine sees it: its start, its death, and its being started anew. */
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
    /* Lent. */
    struct event_base *base;
    const struct engine_callbacks *callbacks;
    const struct conf *conf;
    struct metrics *metrics;
    event_callback_fn read; /* called with arg when there are packets from it */
    void *arg;

    pid_t pid;                    /* -1: there is none */
    int fd;                       /* our end of the packets; -1: there is none */
    int64_t started_ms, pause_ms; /* before it is started anew */
    bool is_ready;                /* it has been, at least once, and systemd was told */
    int exit_status;              /* what leased exits with, once the loop was left because of it */
    struct event *on_packets, *on_restart, *on_lasted;
};

/* The members above are filled in. 0, or -1: no memory. */
int http_child_prepare(struct http_child *h);
int http_child_start(struct http_child *h); /* 0, or -1 with errno */

/* It said that it answers from now on. Whoever waits for us may come. */
void http_child_ready(struct http_child *h);

/* One that says what http never says is not ours any more: no further word of it is read. Nor is
 * one that has closed its end and lives on. problem NULL: what it said was that. */
void http_child_kill(struct http_child *h, const char *problem);

/* It was reaped. It is started anew after a pause; or, where it never was ready, leased ends. */
void http_child_ended(struct http_child *h, int status);

/* Waits for its end a moment. */
void http_child_end(struct http_child *h);

#endif
