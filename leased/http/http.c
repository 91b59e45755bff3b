/* SPDX-License-Identifier: ISC */
/* The loop: its events, its start and its end. */
#include "leased/http/http.h"

#include "leased/http/accept.h"
#include "leased/http/confine.h"
#include "leased/http/server.h"
#include "leased/http/timeouts.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    SHUTDOWN_MS = 50,      /* between engine's end and ours, for clients to read their answers */
    SHUTDOWN_MAX_MS = 500, /* the same, if a client's socket did not take its answer at once */
    ANSWERS_AT_ONCE = 512,
};

struct http {
    const struct http_options *o;
    struct event_base *base;
    struct event *on_engine, *on_stop;
    struct server server;
    struct acceptors acceptors;
    struct control_answer answer; /* engine's, as it comes in */
};

/* ---- engine ---- */

/*
 * Engine is gone, and everything that it answered was sent. Requests that it did not answer get
 * 503. We do not exit at once: clients could lose answers that they have not read yet. The
 * listeners are closed at once, because the next leased needs their addresses.
 */
static void begin_shutdown(struct http *h)
{
    (void)event_del(h->on_engine);
    (void)event_del(h->server.on_engine_room);
    acceptors_close(&h->acceptors);
    server_lose_engine(&h->server);
    const struct timeval after = {.tv_usec = SHUTDOWN_MS * 1000};
    (void)event_add(h->server.on_tick, &after);
}

/* Whether a client has not taken its answer, and there is still time to wait for it. */
static bool is_sending(const struct server *s)
{
    for (size_t i = 0; i < s->connections.slot_count; i++)
        if (s->connections.slots[i].state == CONNECTION_SENDING)
            return clock_monotonic_ms() - s->engine_gone_ms < SHUTDOWN_MAX_MS;
    return false;
}

static void on_engine(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    (void)what;
    for (int i = 0; i < ANSWERS_AT_ONCE; i++) {
        ssize_t n = recv(fd, &h->answer, sizeof(h->answer), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            begin_shutdown(h);
            return;
        }
        if (control_answer_problem(&h->answer, (size_t)n) == NULL)
            server_deliver(&h->server, &h->answer);
    }
}

static void on_engine_room(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    (void)fd;
    (void)what;
    server_retry_stalled(&h->server);
}

/* ---- time ---- */

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    struct server *s = &h->server;
    (void)fd;
    (void)what;
    timeouts_check(s);
    if (s->engine_gone_ms != 0 && !is_sending(s))
        (void)event_base_loopbreak(h->base);
    acceptors_resume(&h->acceptors);
    bool more_to_report = refusal_report_send(&s->refusals);
    if (s->connections.in_use > 0 || s->engine_gone_ms != 0 || more_to_report)
        server_tick_soon(s);
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct http *h = arg;
    (void)sig;
    (void)what;
    (void)event_base_loopbreak(h->base);
}

/* ---- start and end ---- */

static int set_up(struct http *h)
{
    const struct http_options *o = h->o;
    struct server *s = &h->server;
    s->engine_fd = s->refusals.engine_fd = o->engine_fd;
    answers_init(&s->answers, o->site);
    h->base = event_base_new();
    if (connections_init(&s->connections) != 0 || h->base == NULL)
        return -1;
    h->on_engine = event_new(h->base, o->engine_fd, EV_READ | EV_PERSIST, on_engine, h);
    s->on_engine_room = event_new(h->base, o->engine_fd, EV_WRITE, on_engine_room, h);
    s->on_tick = evtimer_new(h->base, on_tick, h);
    h->on_stop = evsignal_new(h->base, SIGTERM, on_stop, h);
    if (h->on_engine == NULL || s->on_engine_room == NULL || s->on_tick == NULL ||
        h->on_stop == NULL || event_add(h->on_engine, NULL) != 0 ||
        event_add(h->on_stop, NULL) != 0)
        return -1;
    return acceptors_start(&h->acceptors, h->base, s, o->listeners, o->listener_count);
}

static void tear_down(struct http *h)
{
    struct server *s = &h->server;
    connections_release(&s->connections);
    struct event *events[] = {h->on_engine, s->on_engine_room, s->on_tick, h->on_stop};
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        if (events[i] != NULL)
            event_free(events[i]);
    acceptors_release(&h->acceptors);
    if (h->base != NULL)
        event_base_free(h->base);
    answers_release(&s->answers);
}

/* Returns an exit status. EXIT_SUCCESS: confined, or with -u as far as this kernel can. */
static int confine(const struct http_options *o)
{
    char why[128], us[256];
    ssize_t n = readlink("/proc/self/exe", us, sizeof(us) - 1);
    us[n > 0 ? n : 0] = '\0';
    int rc = confine_http(o->unconfined, why, sizeof(why));
    if (rc == CONFINE_REFUSED)
        log_error("http cannot be confined (%s): kernel or container refuse it. To go on without, "
                  "'systemctl edit leased.service' with the lines '[Service]', 'ExecStart=' and "
                  "'ExecStart=%s -D -u'; see leased(8)",
                  why, us);
    else if (rc != 0)
        log_error("http cannot be confined (%s)", why);
    else if (why[0] != '\0')
        log_warn("http is not confined as it should be (%s); it goes on because of -u", why);
    return rc == 0 ? EXIT_SUCCESS : rc == CONFINE_REFUSED ? EX_CONFIG : EXIT_FAILURE;
}

/* Called by the loop and not before it: then it is true that http answers. */
static void on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct http *h = arg;
    struct control_request r;
    (void)fd;
    (void)what;
    control_request_init(&r, CONTROL_READY);
    if (send(h->o->engine_fd, &r, control_request_bytes(&r), MSG_NOSIGNAL) < 0) {
        log_error("http cannot tell the engine that it is ready: %s", strerror(errno));
        (void)event_base_loopbreak(h->base);
    }
}

int http_loop(const struct http_options *o)
{
    static struct http h; /* large: not on the stack */
    int rc = EXIT_FAILURE;
    h.o = o;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN); /* a terminal sends it to engine too, which then ends us */
    if (set_up(&h) != 0) {
        log_error("http cannot start: %s", strerror(errno));
        goto out;
    }
    rc = confine(o);
    if (rc == EXIT_SUCCESS && (event_base_once(h.base, -1, EV_TIMEOUT, on_ready, &h, NULL) != 0 ||
                               event_base_dispatch(h.base) < 0))
        rc = EXIT_FAILURE;
out:
    tear_down(&h);
    return rc;
}
