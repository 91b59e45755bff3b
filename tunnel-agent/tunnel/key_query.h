/* SPDX-License-Identifier: ISC */
/* What a tunnel has to find out about keys, host keys and its own, while no ssh of it runs. */
#ifndef TUNLEASE_AGENT_TUNNEL_KEY_QUERY_H
#define TUNLEASE_AGENT_TUNNEL_KEY_QUERY_H

#include <stdbool.h>

struct event_base;
struct job;
struct leg;
struct settings;

enum key_answer {
    KEY_PINNED,          /* the pin file holds the host key now */
    KEY_NOT_LEARNED,     /* the host could not be asked; text: why */
    KEY_HOST_IS_ANOTHER, /* it has not the key that was pinned; text: what a person should read */
    KEY_HOST_IS_UNKNOWN, /* text: likewise, with its fingerprint */
    KEY_IS_LOCKED,       /* text: likewise, or "": no key of ours is locked */
};

struct key_query {
    /* Set by the owner. */
    const struct leg *leg;
    const struct settings *settings;
    struct event_base *base;
    const char *pin_path; /* the file for the host key that is pinned */
    void (*answered)(void *ctx, enum key_answer answer, const char *text);
    void *ctx;

    struct job *job;         /* NULL: none is asked */
    bool host_key_is_pinned; /* the pin file holds the key that --host-key named */
};

/* Each asks one question, in a job; false: it could not be started. */
bool key_query_pin(struct key_query *q);          /* writes the pin file */
bool key_query_unknown_host(struct key_query *q); /* which key does the host show? */
bool key_query_locked(struct key_query *q);       /* is a key of ours locked? */

void key_query_cancel(struct key_query *q);

#endif
