/* SPDX-License-Identifier: ISC */
/* Work that would block the loop, done in a child process. Its result is one text. */
#ifndef TUNLEASE_AGENT_HOST_JOB_H
#define TUNLEASE_AGENT_HOST_JOB_H

struct event_base;
struct job;

/*
 * Calls run(ctx) in a child and collects its standard output; then calls done(done_ctx, text) once,
 * and frees the job before. text is "" if the child printed nothing. NULL: it could not be started.
 * Whoever owns SIGCHLD reaps the child.
 */
struct job *job_start(struct event_base *base, int (*run)(void *ctx), void *ctx,
                      void (*done)(void *done_ctx, const char *text), void *done_ctx);

/* Kills the child; done is not called. job may be NULL. */
void job_cancel(struct job *job);

#endif
