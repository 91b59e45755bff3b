/* SPDX-License-Identifier: ISC */
/* What a tunnel must find out about host keys and its own keys, in jobs, while its ssh does not
 * run. */
#ifndef TUNLEASE_AGENT_TUNNEL_KEY_QUERY_H
#define TUNLEASE_AGENT_TUNNEL_KEY_QUERY_H

#include <stdbool.h>

struct event_base;
struct job;
struct leg;
struct settings;
struct ssh_run;

enum key_answer {
    KEY_PINNED,          /* the pin file has the host key now */
    KEY_NOT_LEARNED,     /* the host key could not be learned; text: why */
    KEY_HOST_IS_ANOTHER, /* the host has another key than the known one; text: a sentence for a
                            person */
    KEY_HOST_IS_UNKNOWN, /* text: the same, with the fingerprint of its key */
    KEY_IS_REFUSED,      /* the login was refused; text: the same, about our keys */
};

struct key_query {
    /* Set by the owner. */
    const struct leg *leg;
    const struct settings *settings;
    struct event_base *base;
    const struct ssh_run *run; /* the ssh that ended, with what it said */
    const char *pin_path;      /* where to write the pinned host key, as a known_hosts file */
    void (*answered)(void *ctx, enum key_answer answer, const char *text);
    void *ctx;

    struct job *job;         /* NULL: no query is under way */
    bool host_key_is_pinned; /* the pin file has the key of --host-key */
};

/* Each starts one query; answered is called once. False: no job could be started. */
bool key_query_pin(struct key_query *q);          /* writes the pin file */
bool key_query_unknown_host(struct key_query *q); /* which key the host shows */
bool key_query_changed_host(struct key_query *q); /* the same, and which one was known */
bool key_query_login(struct key_query *q);        /* which keys were tried, and what is wrong */

void key_query_cancel(struct key_query *q);

#endif
