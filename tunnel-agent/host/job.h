/* SPDX-License-Identifier: ISC */
/* Work that would make the loop wait, done in a child: it ends in one text. */
#ifndef TUNLEASE_AGENT_HOST_JOB_H
#define TUNLEASE_AGENT_HOST_JOB_H

struct event_base;
struct job;

/*
 * run(ctx) in a child, its standard output collected; then done(done_ctx, text), once, after which
 * the job is gone. text is "" when the child could say nothing. NULL: it could not be started. The
 * child is reaped by the owner of SIGCHLD.
 */
struct job *job_start(struct event_base *base, int (*run)(void *ctx), void *ctx,
                      void (*done)(void *done_ctx, const char *text), void *done_ctx);

/* Kills it; done is not called. NULL is accepted. */
void job_cancel(struct job *job);

#endif
