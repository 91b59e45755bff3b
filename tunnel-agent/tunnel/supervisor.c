/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/supervisor.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/notify.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/jump.h"
#include "tunnel-agent/tunnel/report.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum {
    TICK_MS = 1000,
    LATE_MS = 2000,  /* a tick that is so late means that we were stopped */
    SLEPT_MS = 2000, /* the boot clock gained so much: the machine slept */
};

/* ---- tunnels ---- */

void supervisor_changed(struct supervisor *s)
{
    char raw[sizeof(s->status_line)], line[sizeof(s->status_line)];
    size_t up = 0;
    const struct tunnel *bad = NULL;
    for (size_t i = 0; i < s->tunnel_count; i++) {
        if (s->tunnels[i]->standing.state == TUNNEL_UP)
            up++;
        else if (bad == NULL)
            bad = s->tunnels[i];
    }
    if (bad == NULL)
        (void)snprintf(raw, sizeof(raw), "STATUS=%zu of %zu tunnels up", up, s->tunnel_count);
    else
        (void)snprintf(raw, sizeof(raw), "STATUS=%zu of %zu tunnels up; %.64s %s: %.120s", up,
                       s->tunnel_count, bad->leg->name, tunnel_state_name(bad->standing.state),
                       bad->standing.reason);
    /* A line end in the text would begin another message to the service manager. */
    (void)text_escape(line, sizeof(line), raw);
    if (strcmp(line, s->status_line) == 0)
        return;
    (void)strlcpy(s->status_line, line, sizeof(s->status_line));
    notify_send(line);
}

static void on_change(void *ctx)
{
    supervisor_changed(ctx);
}

struct tunnel *supervisor_add(struct supervisor *s, const struct leg *leg, const char **ret_why)
{
    struct tunnel *t = calloc(1, sizeof(*t));
    struct tunnel **more = realloc(s->tunnels, (s->tunnel_count + 1) * sizeof(s->tunnels[0]));
    *ret_why = "out of memory";
    if (more != NULL)
        s->tunnels = more;
    if (t == NULL || more == NULL) {
        free(t);
        return NULL;
    }
    t->leg = leg;
    t->settings = &s->settings;
    t->base = s->base;
    t->run_dir = s->state.run;
    t->number = (unsigned)s->tunnel_count;
    t->hooks = (struct tunnel_hooks){.ctx = s, .changed = on_change};
    s->tunnels[s->tunnel_count++] = t; /* released with the others, even if tunnel_init fails */
    return tunnel_init(t, ret_why) == 0 ? t : NULL;
}

static void stop_when_all_have(struct supervisor *s)
{
    for (size_t i = 0; i < s->tunnel_count; i++)
        if (!s->tunnels[i]->stopped)
            return;
    (void)event_base_loopbreak(s->base);
}

void supervisor_stop(struct supervisor *s, int exit_code)
{
    if (!s->stopping) {
        s->exit_code = exit_code;
        notify_send("STOPPING=1");
    }
    s->stopping = true;
    for (size_t i = 0; i < s->tunnel_count; i++)
        tunnel_stop(s->tunnels[i]);
    stop_when_all_have(s);
}

/* ---- signals ---- */

static void on_child(evutil_socket_t fd, short what, void *ctx)
{
    struct supervisor *s = ctx;
    int status;
    pid_t pid;
    (void)fd;
    (void)what;
    while ((pid = process_reap(0, false, &status)) > 0) {
        size_t i = 0;
        while (i < s->tunnel_count && s->tunnels[i]->ssh.pid != pid)
            i++;
        if (i < s->tunnel_count)
            tunnel_reaped(s->tunnels[i], status);
        else if (s->reaped != NULL) /* or it is a job's child, whose pipe tells its end */
            s->reaped(s->reaped_ctx, pid);
    }
    if (s->stopping)
        stop_when_all_have(s);
}

static void on_stop_signal(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    supervisor_stop(ctx, EXIT_DONE);
}

/* ---- waking ---- */

static void wake_all(struct supervisor *s, int64_t pause_ms)
{
    log_info("awake after %lld s: probing every tunnel", (long long)(pause_ms / 1000));
    for (size_t i = 0; i < s->tunnel_count; i++)
        tunnel_wake(s->tunnels[i]);
}

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    const struct timeval interval = {.tv_sec = TICK_MS / 1000};
    struct supervisor *s = ctx;
    int64_t now_ms = clock_monotonic_ms(), offset_ms = platform_awake_ms() - now_ms;
    int64_t late_ms = now_ms - s->tick_due_ms, slept_ms = offset_ms - s->awake_offset_ms;
    (void)fd;
    (void)what;
    s->tick_due_ms = now_ms + TICK_MS;
    s->awake_offset_ms = offset_ms;
    (void)event_add(s->tick, &interval);
    (void)log_flush();
    if (s->watchdog_ms > 0 && now_ms - s->watchdog_last_ms >= s->watchdog_ms) {
        s->watchdog_last_ms = now_ms;
        notify_send("WATCHDOG=1");
    }
    if (!s->stopping && (late_ms > LATE_MS || slept_ms > SLEPT_MS))
        wake_all(s, late_ms > slept_ms ? late_ms : slept_ms);
}

/* ---- life ---- */

static void format_status(void *ctx, bool json, struct buf *out)
{
    const struct supervisor *s = ctx;
    const struct report report = {.tunnels = s->tunnels,
                                  .count = s->tunnel_count,
                                  .fill = s->fill_status,
                                  .fill_ctx = s->fill_ctx};
    report_format(&report, json, out);
}

int supervisor_init(struct supervisor *s, const char **ret_why)
{
    static const struct {
        int number;
        event_callback_fn fn;
    } signals[] = {{SIGCHLD, on_child},
                   {SIGTERM, on_stop_signal},
                   {SIGINT, on_stop_signal},
                   {SIGHUP, on_stop_signal}};
    *ret_why = NULL;
    (void)signal(SIGPIPE, SIG_IGN);
    s->base = event_base_new();
    if (s->base == NULL)
        return -1;
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        s->signals[i] = evsignal_new(s->base, signals[i].number, signals[i].fn, s);
        if (s->signals[i] == NULL || event_add(s->signals[i], NULL) != 0)
            return -1;
    }
    s->tick = evtimer_new(s->base, on_tick, s);
    if (s->tick == NULL)
        return -1;
    s->watchdog_ms = notify_watchdog_ms();
    statedir_sweep(&s->state);
    s->status.format = format_status;
    s->status.ctx = s;
    return status_socket_open(&s->status, s->base, s->state.run, ret_why);
}

/* Nothing to do: the next tick writes what is buffered. */
static void log_waits(void *arg)
{
    (void)arg;
}

int supervisor_loop(struct supervisor *s)
{
    log_never_wait(log_waits, NULL);
    s->tick_due_ms = clock_monotonic_ms();
    s->awake_offset_ms = platform_awake_ms() - s->tick_due_ms;
    on_tick(-1, 0, s);
    notify_send("READY=1");
    supervisor_changed(s);
    /* Signal events alone do not keep the loop running; the tick does. */
    if (!s->stopping && event_base_dispatch(s->base) < 0)
        return EXIT_FAILED;
    log_end();
    return s->exit_code;
}

void supervisor_release(struct supervisor *s)
{
    for (size_t i = 0; i < s->tunnel_count; i++) {
        tunnel_release(s->tunnels[i]);
        free(s->tunnels[i]);
    }
    free(s->tunnels);
    for (size_t i = 0; i < sizeof(s->signals) / sizeof(s->signals[0]); i++)
        if (s->signals[i] != NULL)
            event_free(s->signals[i]);
    if (s->tick != NULL)
        event_free(s->tick);
    status_socket_close(&s->status);
    if (s->base != NULL)
        event_base_free(s->base);
    sshjump_remove();
}
