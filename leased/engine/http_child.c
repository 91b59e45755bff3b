/* SPDX-License-Identifier: ISC */
#include "leased/engine/http_child.h"

#include "leased/engine/notify.h"
#include "leased/engine/pace.h"
#include "leased/engine/callbacks.h"
#include "leased/watch/metrics.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    RESTART_MS = 200,
    RESTART_MAX_MS = 10000,
    LIVED_MS = 1000,
    END_WAIT_MS = 1000,
    END_POLL_MS = 5,
};

static void close_packets(struct http_child *h)
{
    if (h->on_packets != NULL)
        event_free(h->on_packets);
    h->on_packets = NULL;
    if (h->fd >= 0)
        (void)close(h->fd);
    h->fd = -1;
}

void http_child_kill(struct http_child *h, const char *problem)
{
    if (problem != NULL)
        log_event(&event_http_ended, NULL,
                  "the http process sent %s: it is killed and started again", problem);
    close_packets(h);
    if (h->pid > 0)
        (void)kill(h->pid, SIGKILL); /* not reaped yet, so no other process has its pid */
}

int http_child_start(struct http_child *h)
{
    h->started_ms = clock_monotonic_ms();
    h->pid = h->callbacks->start_http(h->callbacks->arg, h->conf, &h->fd);
    if (h->pid < 0)
        return -1;
    h->on_packets = event_new(h->base, h->fd, EV_READ | EV_PERSIST, h->read, h->arg);
    return h->on_packets != NULL && event_add(h->on_packets, NULL) == 0 ? 0 : -1;
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
    struct http_child *h = arg;
    (void)fd;
    (void)what;
    if (http_child_start(h) != 0) {
        log_error("cannot start the http process: %s", strerror(errno));
        h->exit_status = EXIT_FAILURE;
        (void)event_base_loopbreak(h->base);
    }
}

/* An http process that could not even start has logged why. The first time, leased exits, and
 * whoever started it sees the status. Later, sessions still have to be ended: http is tried again,
 * after growing pauses. */
void http_child_ended(struct http_child *h, int status)
{
    bool failed = WIFEXITED(status) && WEXITSTATUS(status) != 0;
    bool failed_at_once = failed && clock_monotonic_ms() - h->started_ms < LIVED_MS;
    h->pid = -1;
    close_packets(h);
    if (failed && !h->is_ready) {
        /* For EX_CONFIG http's own line is enough: it says what a person has to decide. */
        if (WEXITSTATUS(status) != EX_CONFIG)
            log_error("the http process cannot start: leased ends");
        h->exit_status = WEXITSTATUS(status) == EX_CONFIG ? EX_CONFIG : EXIT_FAILURE;
        (void)event_base_loopbreak(h->base);
        return;
    }
    h->pause_ms = !failed_at_once ? RESTART_MS : h->pause_ms * 2;
    if (h->pause_ms > RESTART_MAX_MS)
        h->pause_ms = RESTART_MAX_MS;
    log_event(&event_http_ended, NULL, "the http process ended (%s %d): it is started again",
              WIFSIGNALED(status) ? "signal" : "status",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    metrics_add_http_restart(h->metrics);
    timer_arm(h->on_restart, h->pause_ms);
}

static void on_lasted(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    pace_reset();
}

/*
 * http delivers the answers that it was sent, and exits by itself when it reads the end of our
 * stream. The socket must not be closed before: with unread requests in it, closing would discard
 * the answers that http has not read yet.
 */
void http_child_end(struct http_child *h)
{
    const int64_t until_ms = clock_monotonic_ms() + END_WAIT_MS;
    bool ended = h->pid <= 0;
    if (!ended)
        (void)shutdown(h->fd, SHUT_WR);
    while (!ended && clock_monotonic_ms() < until_ms) {
        (void)poll(NULL, 0, END_POLL_MS);
        ended = waitpid(h->pid, NULL, WNOHANG) != 0;
    }
    if (!ended)
        (void)kill(h->pid, SIGTERM);
    close_packets(h);
}

/* Only the first time: a later http process has the same sockets. */
void http_child_ready(struct http_child *h)
{
    if (h->is_ready)
        return;
    h->is_ready = true;
    notify_send("READY=1");
    timer_arm(h->on_lasted, PACE_LASTED_MS);
}

int http_child_prepare(struct http_child *h)
{
    h->fd = h->pid = -1;
    h->exit_status = EXIT_SUCCESS;
    h->on_restart = evtimer_new(h->base, on_restart, h);
    h->on_lasted = evtimer_new(h->base, on_lasted, h);
    return h->on_restart != NULL && h->on_lasted != NULL ? 0 : -1;
}
