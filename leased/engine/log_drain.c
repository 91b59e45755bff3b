/* SPDX-License-Identifier: ISC */
#include "leased/engine/log_drain.h"

#include "leased/watch/timer.h"
#include "lib/base/log.h"

enum {
    LOG_RETRY_MS = 10, /* pause before lines are tried again; doubles each time, */
    LOG_RETRY_MAX_MS = 500,
};

static void log_waits(void *arg)
{
    struct log_drain *d = arg;
    d->pause_ms = LOG_RETRY_MS;
    timer_arm(d->on_retry, d->pause_ms);
}

static void on_retry(evutil_socket_t fd, short what, void *arg)
{
    struct log_drain *d = arg;
    (void)fd;
    (void)what;
    if (log_flush())
        return;
    d->pause_ms = d->pause_ms * 2 < LOG_RETRY_MAX_MS ? d->pause_ms * 2 : LOG_RETRY_MAX_MS;
    timer_arm(d->on_retry, d->pause_ms);
}

int log_drain_start(struct log_drain *d, struct event_base *base)
{
    d->on_retry = evtimer_new(base, on_retry, d);
    if (d->on_retry == NULL)
        return -1;
    log_never_wait(log_waits, d);
    return 0;
}
