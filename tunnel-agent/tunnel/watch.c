/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/watch.h"

#include "lib/base/clock.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/timer.h"
#include "tunnel-agent/ssh/run.h"
#include "tunnel-agent/tunnel/standing.h"

#include <bsd/stdlib.h>
#include <event2/event.h>
#include <stdio.h>
#include <sys/un.h>

enum {
    SOCKET_POLL_MS = 40,
    STALL_MS = 2000, /* a timer that is so late means that we were stopped */
    CANARY_ANSWER_MAX = 4096,
};

static void schedule(struct watch *w, enum watch_step next, int64_t ms)
{
    w->next = next;
    w->due_ms = clock_monotonic_ms() + ms;
    timer_set(w->timer, ms);
}

static void cancel_exchanges(struct watch *w)
{
    exchange_cancel(&w->canary);
    exchange_cancel(&w->probe.exchange);
    forward_check_cancel(&w->check);
}

static void schedule_next_probe(struct watch *w)
{
    cancel_exchanges(w);
    int64_t wait_ms = w->settings->probe_interval_ms;
    schedule(w, WATCH_PROBE,
             wait_ms - wait_ms / 20 + (int64_t)arc4random_uniform((uint32_t)(wait_ms / 10 + 1)));
}

static void on_probe(void *ctx, enum exchange_end end)
{
    struct watch *w = ctx;
    if (end == EXCHANGE_NO_ONE)
        return; /* ssh does not listen: it is about to end, and its exit tells why */
    if (end == EXCHANGE_CLOSED && sshrun_is_ending(w->ssh))
        return;
    w->standing->probe_ms = clock_monotonic_ms() - w->sent_ms;
    w->answered(w->ctx);
    probe_judge(&w->probe, end, w->ssh, w->standing);
    schedule_next_probe(w);
}

static void send_probe(struct watch *w)
{
    w->ssh->channel_failure = SSH_MESSAGE_UNKNOWN;
    w->sent_ms = clock_monotonic_ms();
    probe_send(&w->probe, w->base, on_probe, w);
}

/* The path is alive, so from here on only the service can be silent. A probe that is under way is
 * left alone: on a slow path its answer may follow at once. */
static void path_has_answered(struct watch *w)
{
    w->answered(w->ctx);
    if (!probe_is_possible(&w->probe)) {
        schedule_next_probe(w);
        return;
    }
    w->path_answered = true;
    if (!exchange_is_under_way(&w->probe.exchange))
        send_probe(w);
    schedule(w, WATCH_SUSPECT, w->settings->probe_timeout_ms);
}

static void on_checked(void *ctx)
{
    struct watch *w = ctx;
    if (w->check.why[0] != '\0')
        w->answered(w->ctx);
    else
        path_has_answered(w);
}

static void check_forwards(struct watch *w)
{
    w->check.base = w->base;
    w->check.leg = w->probe.leg;
    w->check.left_out = w->probe.left_out;
    w->check.canary_path = w->canary_path;
    w->check.ssh = w->ssh;
    w->check.done = on_checked;
    w->check.ctx = w;
    forward_check_begin(&w->check);
}

static void on_canary(void *ctx, enum exchange_end end)
{
    struct watch *w = ctx;
    if (end == EXCHANGE_NO_ONE || sshrun_is_ending(w->ssh))
        return;
    if (!probe_is_possible(&w->probe))
        w->standing->probe_ms = clock_monotonic_ms() - w->sent_ms;
    if (w->next == WATCH_LOGIN && w->check.wanted)
        check_forwards(w);
    else
        path_has_answered(w);
}

/* False: nothing listens at the canary's socket. */
static bool send_canary(struct watch *w)
{
    struct sockaddr_un un;
    enum exchange_end end;
    const struct exchange_plan plan = {.address = (struct sockaddr *)&un,
                                       .address_len = sizeof(un),
                                       .request = "",
                                       .answer_max = CANARY_ANSWER_MAX,
                                       .first_byte_will_do = true,
                                       .close_our_half = true,
                                       .done = on_canary,
                                       .ctx = w};
    (void)exchange_unix_address(w->canary_path, &un);
    if (!probe_is_possible(&w->probe))
        w->sent_ms = clock_monotonic_ms();
    return exchange_start(&w->canary, w->base, &plan, &end) == 0 || end != EXCHANGE_NO_ONE;
}

/* Begins a probe. While the service answers, the probe alone will do. If it was silent, the canary
 * is sent first, so that the path is not suspect each time. */
static void probe_tunnel(struct watch *w)
{
    cancel_exchanges(w);
    w->path_answered = false;
    w->probe_started_ms = w->traffic.moved_ms = clock_monotonic_ms();
    if (probe_is_possible(&w->probe) && w->standing->service != SERVICE_SILENT)
        send_probe(w);
    else if (!send_canary(w))
        send_probe(w);
    schedule(w, WATCH_SUSPECT, w->settings->probe_timeout_ms);
}

static void become_suspect(struct watch *w)
{
    char text[TUNNEL_TEXT_BYTES];
    if (w->path_answered) {
        standing_set_service(w->standing, SERVICE_SILENT,
                             "the service accepts and does not answer");
        schedule_next_probe(w);
        return;
    }
    (void)snprintf(text, sizeof(text), "nothing came back for %lld s",
                   (long long)(w->settings->probe_timeout_ms / 1000));
    if (w->standing->state != TUNNEL_SUSPECT)
        standing_log_trouble(w->standing,
                             "suspect: nothing comes back; asking the far side's sshd itself");
    standing_set(w->standing, TUNNEL_SUSPECT, text);
    (void)traffic_has_moved(&w->traffic, w->ssh->connection);
    if (!exchange_is_under_way(&w->canary) && !send_canary(w)) {
        /* Somebody removed our socket. ssh's ServerAliveInterval still watches the path. */
        standing_log_trouble(
            w->standing,
            "its canary socket was removed: only ssh's ServerAliveInterval watches the "
            "path now");
        schedule(w, WATCH_PROBE, w->settings->probe_interval_ms);
        return;
    }
    if (!exchange_is_under_way(&w->probe.exchange) && probe_is_possible(&w->probe))
        send_probe(w);
    schedule(w, WATCH_JUDGE, w->settings->canary_timeout_ms);
}

/* Neither the probe nor the canary was answered in time. */
static void judge_path(struct watch *w)
{
    char text[TUNNEL_TEXT_BYTES];
    const struct settings *s = w->settings;
    const int64_t now_ms = clock_monotonic_ms();
    const int64_t end_ms = 3 * (s->probe_timeout_ms + s->canary_timeout_ms);
    /* They may wait behind megabytes of other data on a slow line. This ends: a dead path moves
     * nothing. */
    if (traffic_has_moved(&w->traffic, w->ssh->connection)) {
        schedule(w, WATCH_JUDGE, s->canary_timeout_ms);
        return;
    }
    /* Or a packet was lost and TCP will send it again. This must end as well, because the far
     * side's kernel acknowledges segments even if its sshd is frozen. The far side of a
     * ProxyCommand's connection is not our sshd, so its acknowledgements tell nothing. */
    if (w->ssh->carrier == CARRIER_SSH && now_ms - w->traffic.moved_ms < end_ms) {
        int64_t left_ms = traffic_silence_left_ms(w->ssh->connection, s);
        if (left_ms > 0) {
            schedule(w, WATCH_JUDGE, left_ms);
            return;
        }
    }
    (void)snprintf(text, sizeof(text), "the path is dead: no answer for %lld s",
                   (long long)((now_ms - w->probe_started_ms) / 1000));
    w->dead(w->ctx, text);
}

/* From ssh's start to the first answer. It polls, because nothing tells us when ssh has made its
 * socket. */
static void poll_login(struct watch *w)
{
    if (clock_monotonic_ms() - w->started_ms > w->settings->login_timeout_ms) {
        w->dead(w->ctx, w->ssh->authenticated ? "logged in, but nothing comes back"
                                              : "the login took too long");
        return;
    }
    if (w->ssh->authenticated && !exchange_is_under_way(&w->canary) && !w->check.under_way)
        (void)send_canary(w);
    schedule(w, WATCH_LOGIN, SOCKET_POLL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct watch *w = ctx;
    (void)fd;
    (void)what;
    if (clock_monotonic_ms() - w->due_ms > STALL_MS) {
        watch_wake(w);
        return;
    }
    switch (w->next) {
    case WATCH_LOGIN:
        poll_login(w);
        break;
    case WATCH_PROBE:
        probe_tunnel(w);
        break;
    case WATCH_SUSPECT:
        become_suspect(w);
        break;
    case WATCH_JUDGE:
        judge_path(w);
        break;
    }
}

int watch_init(struct watch *w)
{
    w->timer = evtimer_new(w->base, on_timer, w);
    return w->timer != NULL ? 0 : -1;
}

void watch_begin(struct watch *w, int64_t started_ms)
{
    w->path_answered = false;
    w->started_ms = started_ms;
    schedule(w, WATCH_LOGIN, SOCKET_POLL_MS);
}

void watch_wake(struct watch *w)
{
    if (w->next != WATCH_LOGIN) {
        probe_tunnel(w);
        return;
    }
    w->started_ms = clock_monotonic_ms();
    schedule(w, WATCH_LOGIN, 0);
}

void watch_stop(struct watch *w)
{
    cancel_exchanges(w);
    (void)event_del(w->timer);
    w->next = WATCH_LOGIN;
}

void watch_release(struct watch *w)
{
    if (w->timer != NULL)
        event_free(w->timer);
    exchange_release(&w->canary);
    exchange_release(&w->probe.exchange);
    forward_check_release(&w->check);
}
