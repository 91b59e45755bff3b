/* SPDX-License-Identifier: ISC */
/* The engine's loop: its signals, its regular sweep, and what is done before and after it. */
#include "leased/engine/engine.h"
#include "leased/engine/notify.h"
#include "leased/engine/pace.h"
#include "leased/requests/issue.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/store/connection.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
    STATUS_BYTES = 160,
    START_SWEEP_MS = 1000, /* from one sweep to the next, until http is ready */
};

/* ---- another store than before ---- */

/* Another store is open: drops what was known of the old one. */
static enum store_rc reload_store(void *arg)
{
    struct engine *e = arg;
    roster_invalidate(&e->roster);
    lease_count_stop(&e->report.leases);
    overview_forget(&e->overview);
    walk_stop(&e->walk);
    enum store_rc rc = heartbeat_flush_reload(&e->heartbeat_flush);
    if (rc == STORE_OK)
        rc = requests_load(&e->requests);
    if (rc == STORE_OK)
        heartbeat_flush_all(&e->heartbeat_flush);
    if (rc == STORE_OK && e->records.count > 0) /* recorded while there was no store to write to */
        records_flush_in(&e->records, 0);
    return rc;
}

static void on_reopened(void *arg)
{
    struct engine *e = arg;
    store_watch_reopened(&e->store_watch);
    audit_head_log_again(&e->audit_head_log);
    audit_head_log_daily(&e->audit_head_log, clock_now_s());
}

/* ---- the clock's work ---- */

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    char status[STATUS_BYTES];
    int64_t before_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;
    clock_jumps_check(&e->clock_jumps);
    (void)sessions_sweep(&e->sessions);
    overview_sample(&e->overview);
    refusals_log_sums(&e->answers.refusals, false, clock_monotonic_ms());
    join_guesses_flush(&e->requests.guesses, &e->records, clock_monotonic_ms(), clock_now_s(),
                       false);
    if (e->http.is_ready) /* one that cannot start says that alone */
        audit_head_log_daily(&e->audit_head_log, clock_now_s());
    /* The watchdog is only notified after a sweep that was completed: a sweep that hangs, or fails
     * for too long, has the service restarted. */
    (void)snprintf(status, sizeof(status), "%sSTATUS=%zu live sessions, %zu being ended%s\n",
                   e->sessions.swept_ms >= before_ms || e->open_store.is_lost ? "WATCHDOG=1\n" : "",
                   e->sessions.judged.count, e->sessions.endings.count,
                   e->open_store.is_lost ? "; the store cannot be used" : "");
    notify_send(status);
    timer_arm(e->on_sweep,
              e->http.is_ready || e->sweep_ms < START_SWEEP_MS ? e->sweep_ms : START_SWEEP_MS);
}

/* ---- signals ---- */

static void on_child(evutil_socket_t sig, short what, void *arg)
{
    struct engine *e = arg;
    int status;
    pid_t pid;
    (void)sig;
    (void)what;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == e->http.pid)
            http_child_ended(&e->http, status);
        else
            intake_child_ended(&e->intake, pid, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct engine *e = arg;
    (void)what;
    log_event(&event_stopping, NULL, "stopping: signal %d; tunnels stay up", (int)sig);
    (void)event_base_loopbreak(e->base);
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct engine *e = arg;
    (void)sig;
    (void)what;
    notify_reloading();
    if (e->callbacks.reload(e->callbacks.arg, &e->conf, &e->keys))
        clock_jumps_conf_was_read(&e->clock_jumps);
    unregistered_find_logins(&e->report.unregistered, &e->conf);
    sessions_schedule_sweep(&e->sessions);
    if (e->http.is_ready)
        notify_send("READY=1");
}

static int add_signal(struct engine *e, int sig, event_callback_fn fn)
{
    struct event *ev = evsignal_new(e->base, sig, fn, e);
    return ev != NULL && event_add(ev, NULL) == 0 ? 0 : -1;
}

/* ---- the modules ---- */

/* Gives each module pointers to those that it calls or reads. */
static void lend_modules(struct engine *e)
{
    e->http = (struct http_child){.base = e->base,
                                  .callbacks = &e->callbacks,
                                  .conf = &e->conf,
                                  .metrics = &e->metrics,
                                  .read = intake_read,
                                  .arg = &e->intake};
    e->intake = (struct intake){.base = e->base,
                                .conf = &e->conf,
                                .keys = &e->keys,
                                .limiter = &e->limiter,
                                .http = &e->http,
                                .requests = &e->requests,
                                .batch = &e->batch,
                                .answers = &e->answers,
                                .report = &e->report,
                                .desk = &e->desk};
    e->desk = (struct page_desk){.overview = &e->overview,
                                 .answers = &e->answers,
                                 .peers = &e->peers,
                                 .http = &e->http,
                                 .answer = intake_answer_report,
                                 .arg = &e->intake};
    e->peers = (struct local_peers){.conf = &e->conf,
                                    .unregistered = &e->report.unregistered,
                                    .foreign_network = e->foreign_network};
    e->overview = (struct overview){.conf = &e->conf,
                                    .open_store = &e->open_store,
                                    .sessions = &e->sessions,
                                    .listeners = &e->listeners,
                                    .unregistered = &e->report.unregistered,
                                    .clock_jumps = &e->clock_jumps,
                                    .copies_seen = &e->copies_seen,
                                    .metrics = &e->metrics};
    e->batch = (struct batch){.open_store = &e->open_store,
                              .roster = &e->roster,
                              .records = &e->records,
                              .requests = &e->requests,
                              .heartbeat_flush = &e->heartbeat_flush,
                              .answers = &e->answers,
                              .metrics = &e->metrics};
    e->answers = (struct answers){
        .http = &e->http, .sessions = &e->sessions, .metrics = &e->metrics, .verbose = e->verbose};
    e->requests = (struct requests){.conf = &e->conf,
                                    .keys = &e->keys,
                                    .open_store = &e->open_store,
                                    .sessions = &e->sessions,
                                    .site = e->site,
                                    .control_port = &e->control_port,
                                    .limiter = &e->limiter,
                                    .roster = &e->roster,
                                    .listeners = &e->listeners,
                                    .clock_jumps = &e->clock_jumps,
                                    .beats = &e->heartbeat_flush.beats,
                                    .copies_seen = &e->copies_seen,
                                    .peers = &e->peers,
                                    .metrics = &e->metrics};
    e->control_port = (struct control_port){.conf = &e->conf,
                                            .open_store = &e->open_store,
                                            .sessions = &e->sessions,
                                            .roster = &e->roster};
    e->walk = (struct walk){.conf = &e->conf,
                            .open_store = &e->open_store,
                            .sessions = &e->sessions,
                            .records = &e->records,
                            .metrics = &e->metrics,
                            .roster = &e->roster,
                            .requests = &e->requests,
                            .clock_jumps = &e->clock_jumps,
                            .beats = &e->heartbeat_flush.beats,
                            .control_port = &e->control_port};
    e->audit_head_log = (struct audit_head_log){.open_store = &e->open_store};
    e->report = (struct report){.open_store = &e->open_store,
                                .sessions = &e->sessions,
                                .listeners = &e->listeners,
                                .beats = &e->heartbeat_flush.beats,
                                .metrics = &e->metrics};
}

static int start_modules(struct engine *e)
{
    const struct reopen_callbacks reopen = {
        .arg = e, .reload = reload_store, .reopened = on_reopened};
    if (http_child_prepare(&e->http) != 0 || answers_start(&e->answers) != 0 ||
        batch_start(&e->batch, e->base) != 0 ||
        heartbeat_flush_start(&e->heartbeat_flush, e->base) != 0 ||
        walk_start(&e->walk, e->base) != 0 || report_start(&e->report, e->base) != 0 ||
        records_start(&e->records, e->base, batch_on_flush, &e->batch) != 0 ||
        listeners_cache_start(&e->listeners, e->base, e->foreign_network) != 0 ||
        open_store_start(&e->open_store, e->base, &e->clock_jumps, &reopen) != 0 ||
        overview_start(&e->overview, e->base) != 0 || page_desk_start(&e->desk, e->base) != 0 ||
        roster_init(&e->roster) != 0)
        return -1;
    limiter_init(&e->limiter);
    unregistered_find_logins(&e->report.unregistered, &e->conf);
    return 0;
}

static int set_up(struct engine *e)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    e->sweep_ms = watchdog_ms != 0 && watchdog_ms / 3 < SWEEP_MS ? watchdog_ms / 3 : SWEEP_MS;
    e->base = event_base_new();
    if (e->base == NULL)
        return -1;
    lend_modules(e);
    e->on_sweep = evtimer_new(e->base, on_sweep, e);
    if (e->on_sweep == NULL || start_modules(e) != 0 ||
        log_drain_start(&e->log_drain, e->base) != 0)
        return -1;
    if (add_signal(e, SIGTERM, on_stop) != 0 || add_signal(e, SIGINT, on_stop) != 0 ||
        add_signal(e, SIGHUP, on_reload) != 0 || add_signal(e, SIGCHLD, on_child) != 0)
        return -1;
    if (sessions_start(&e->sessions, e->base, &e->conf, &e->open_store, &e->records, &e->metrics) !=
            0 ||
        join_connections_start(&e->join_connections, e->base, &e->conf) != 0)
        return -1;
    return store_watch_start(&e->store_watch, e->base, &e->open_store, &e->sessions, &e->metrics);
}

/* ---- the loop ---- */

/* Done once, before the first request is answered. */
static void begin(struct engine *e)
{
    clock_jumps_start(&e->clock_jumps, &e->records, e->open_store.lock_fd);
    heartbeat_flush_all(&e->heartbeat_flush);
    on_sweep(-1, 0, e);
    control_port_update_all(&e->control_port);
    walk_begin(&e->walk);
    heartbeat_flush_begin(&e->heartbeat_flush);
    (void)requests_load(&e->requests);
    /* The first scan is done at once, however long it takes. */
    (void)listeners_cache_has(&e->listeners, 0, 0);
}

static void finish(struct engine *e)
{
    notify_send("STOPPING=1");
    batch_cancel_retry(&e->batch);
    if (e->http.on_packets != NULL)
        intake_read(e->http.fd, 0, &e->intake);
    join_guesses_flush(&e->requests.guesses, &e->records, clock_monotonic_ms(), clock_now_s(),
                       true);
    batch_finish(&e->batch);
    http_child_end(&e->http);
    issue_stop(free);
    heartbeat_flush_all(&e->heartbeat_flush);
    heartbeat_flush_release(&e->heartbeat_flush);
    roster_release(&e->roster);
    store_close(e->open_store.store);
    refusals_log_sums(&e->answers.refusals, true, clock_monotonic_ms());
    log_end();
}

int engine_loop(struct engine *e)
{
    if (heartbeat_flush_load(&e->heartbeat_flush, &e->open_store, &e->metrics) != STORE_OK) {
        log_event(&event_store_unusable, NULL, "cannot read the store: %s",
                  store_error(e->open_store.store));
        return EXIT_FAILURE;
    }
    if (set_up(e) != 0 || http_child_start(&e->http) != 0) {
        log_error("cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    begin(e);
    int rc = event_base_dispatch(e->base);
    finish(e);
    int status = rc < 0 ? EXIT_FAILURE : e->http.exit_status;
    if (status == EXIT_SUCCESS)
        pace_reset();
    return status;
}
