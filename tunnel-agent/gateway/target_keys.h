/* SPDX-License-Identifier: ISC */
/* The host keys of the sshd that the gateway's port leads to: what it is registered with, so that
 * clients can pin them (leasectl ssh-config). */
#ifndef TUNLEASE_AGENT_GATEWAY_TARGET_KEYS_H
#define TUNLEASE_AGENT_GATEWAY_TARGET_KEYS_H

#include "lib/base/buf.h"

struct event_base;
struct job;

struct target_keys {
    const char *target; /* HOST:PORT; set by the owner */
    struct buf lines;   /* TYPE BASE64, one a line; none: not known, or it is no sshd */
    struct job *job;    /* NULL: none is under way */
    unsigned queries;   /* so far */
    void (*found)(void *ctx);
    void *ctx;
};

/* Asks the target in a job, unless its keys are known or it was asked several times: it is no sshd
 * then, and some services refuse who connects and says nothing many times. found(ctx) is called
 * when it has named keys; where it cannot be asked, nothing happens. */
void target_keys_query(struct target_keys *k, struct event_base *base);
void target_keys_release(struct target_keys *k);

#endif
