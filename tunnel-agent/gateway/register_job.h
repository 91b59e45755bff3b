/* SPDX-License-Identifier: ISC */
/* A register at the endpoint, in a job. */
#ifndef TUNLEASE_AGENT_GATEWAY_REGISTER_JOB_H
#define TUNLEASE_AGENT_GATEWAY_REGISTER_JOB_H

#include <stddef.h>

struct agent_counter;
struct arguments;
struct buf;
struct credential;
struct event_base;
struct identity;
struct job;
struct registration;
struct target_keys;

/* What a register says of the agent. Borrowed. */
struct register_facts {
    const struct identity *identity;
    const struct arguments *arguments;
    const struct registration *registration;
    const struct target_keys *target_keys;
    const struct agent_counter *counter; /* NULL: none is sent */
};

/* Adds the body of a register to out. 0, or -1: no memory. */
int register_facts_format(const struct register_facts *f, struct buf *out);

struct register_job {
    /* Set by the owner. */
    struct register_facts facts;
    const struct credential *credential;
    /* status 0: there is no answer, and body tells why. */
    void (*answered)(void *ctx, unsigned status, const char *body, size_t len);
    void *ctx;

    struct job *job; /* NULL: none is under way */
};

/* Starts the job. 0: answered will be called once; -1: no process or memory. */
int register_job_start(struct register_job *j, struct event_base *base);
void register_job_cancel(struct register_job *j);

#endif
