/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/host/job.h"

#include "lib/base/buf.h"
#include "tunnel-agent/host/process.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct job {
    pid_t pid;
    int fd;
    struct event *event;
    struct buf text;
    void (*done)(void *ctx, const char *text);
    void *ctx;
};

static void job_free(struct job *job)
{
    if (job->event != NULL)
        event_free(job->event);
    if (job->fd >= 0)
        (void)close(job->fd);
    buf_release(&job->text);
    free(job);
}

static void on_output(evutil_socket_t fd, short what, void *ctx)
{
    struct job *job = ctx;
    char chunk[4096];
    (void)what;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            break;
        if (job->text.len < PROCESS_OUTPUT_MAX)
            buf_add_mem(&job->text, chunk, (size_t)n);
    }
    void (*done)(void *, const char *) = job->done;
    void *done_ctx = job->ctx;
    struct buf text = job->text;
    job->text = (struct buf){0};
    job_free(job);
    done(done_ctx, buf_text_or(&text, ""));
    buf_release(&text);
}

struct job *job_start(struct event_base *base, int (*run)(void *ctx), void *ctx,
                      void (*done)(void *done_ctx, const char *text), void *done_ctx)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    job->done = done;
    job->ctx = done_ctx;
    job->fd = -1;
    job->pid = process_call(run, ctx, &job->fd);
    if (job->pid > 0)
        job->event = event_new(base, job->fd, EV_READ | EV_PERSIST, on_output, job);
    if (job->event == NULL || event_add(job->event, NULL) != 0) {
        job_cancel(job);
        return NULL;
    }
    return job;
}

void job_cancel(struct job *job)
{
    if (job == NULL)
        return;
    if (job->pid > 0)
        (void)kill(-job->pid, SIGKILL);
    job_free(job);
}
