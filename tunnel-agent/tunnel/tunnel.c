/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/tunnel.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/timer.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/args.h"
#include "tunnel-agent/ssh/fixed_options.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/tunnel/listening.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    STOP_GRACE_MS = 1500, /* from SIGTERM to SIGKILL */
    SLOW_LOGINS_MAX = 2,  /* doublings of ConnectTimeout: to 16 s, below LoginTimeout */
};

/* ---- waiting ---- */

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct tunnel *t = ctx;
    (void)fd;
    (void)what;
    if (t->stopping)
        sshrun_signal(&t->ssh, SIGKILL);
    else
        tunnel_start(t);
}

static void wait_then_start(struct tunnel *t, enum backoff_kind kind)
{
    t->wait_kind = kind;
    timer_set(t->timer, backoff_next(&t->backoff, kind, t->settings, arc4random()));
}

/* reason: a sentence for the person who must do something. */
static void pause_for_person(struct tunnel *t, const char *reason)
{
    standing_set(&t->standing, TUNNEL_PAUSED, reason);
    standing_log_trouble(&t->standing, t->standing.reason);
    wait_then_start(t, BACKOFF_AUTH);
}

/* ---- what its parts report ---- */

static void on_changed(void *ctx)
{
    struct tunnel *t = ctx;
    if (t->hooks.changed != NULL)
        t->hooks.changed(t->hooks.ctx);
}

static void log_up(const struct tunnel *t, int64_t took_ms)
{
    struct buf ports = {0};
    listening_add(&ports, t->leg, t->ports.left_out);
    log_info("%s: up after %lld ms%s%s", t->leg->name, (long long)took_ms,
             ports.len > 0 ? ": " : "", buf_text_or(&ports, ""));
    buf_release(&ports);
}

/* Something came back from the far side's sshd. */
static void on_answer(void *ctx)
{
    struct tunnel *t = ctx;
    int64_t now_ms = clock_monotonic_ms();
    if (!t->has_answered) {
        t->has_answered = true;
        t->first_answer_ms = now_ms;
        standing_set(&t->standing, TUNNEL_UP,
                     t->standing.reason); /* `status` goes on to show why it was down */
        log_up(t, now_ms - t->watch.started_ms);
        t->standing.last_logged[0] = '\0';
        if (t->hooks.up != NULL)
            t->hooks.up(t->hooks.ctx);
        return;
    }
    if (t->standing.state == TUNNEL_SUSPECT) {
        log_info("%s: the path answers after all", t->leg->name);
        standing_set(&t->standing, TUNNEL_UP, t->standing.reason);
    }
    if (now_ms - t->first_answer_ms >= t->settings->stable_ms)
        backoff_reset(&t->backoff);
}

static void kill_ssh(struct tunnel *t, const char *why)
{
    watch_stop(&t->watch);
    t->is_killed = true;
    t->ssh.cause = SSH_MESSAGE_UNKNOWN; /* the text is ours, and not ssh's */
    (void)strlcpy(t->ssh.cause_text, why, sizeof(t->ssh.cause_text));
    /* Not SIGTERM: a stopped process does not handle it, and on a dead path ssh cannot say goodbye.
     */
    sshrun_signal(&t->ssh, SIGKILL);
    (void)event_del(t->timer);
}

static void on_dead(void *ctx, const char *why)
{
    kill_ssh(ctx, why);
}

static void on_port_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct tunnel *t = ctx;
    (void)fd;
    (void)what;
    if (t->ssh.pid == 0) {
        if (t->standing.state == TUNNEL_PAUSED)
            tunnel_start(t);
        return;
    }
    local_ports_set_timer(&t->ports);
    if (t->has_answered)
        local_ports_add_freed(&t->ports);
}

static void on_host_key_not_learned(struct tunnel *t, const char *why)
{
    struct buf reason = {0};
    enum ssh_message failure = hostkey_failure(why);
    buf_addf(&reason, "%s.", why);
    sshadvice_add_meaning(&reason, failure, why, t->leg->to);
    standing_set(&t->standing, TUNNEL_CONNECTING, reason.failed ? why : reason.data);
    buf_release(&reason);
    standing_log_trouble(&t->standing, t->standing.reason);
    wait_then_start(t, failure == SSH_MESSAGE_REFUSED ? BACKOFF_REFUSED : BACKOFF_SILENCE);
}

static void on_key_answer(void *ctx, enum key_answer answer, const char *text)
{
    struct tunnel *t = ctx;
    switch (answer) {
    case KEY_PINNED:
        tunnel_start(t);
        break;
    case KEY_NOT_LEARNED:
        on_host_key_not_learned(t, text);
        break;
    case KEY_HOST_IS_ANOTHER:
    case KEY_HOST_IS_UNKNOWN:
    case KEY_IS_REFUSED:
        pause_for_person(t, text);
        break;
    }
}

/* ---- start and end ---- */

static int make_path(const struct tunnel *t, const char *suffix, char out[TUNNEL_PATH_BYTES])
{
    int n = snprintf(out, TUNNEL_PATH_BYTES, "%s/%d-%u.%s", t->run_dir, (int)getpid(), t->number,
                     suffix);
    return n > 0 && n < TUNNEL_PATH_BYTES - 18
               ? 0
               : -1; /* ssh adds 17 characters to the path of a master */
}

/* Gives each part what it may know. */
static void connect_parts(struct tunnel *t)
{
    t->ssh.err_fd = -1;
    t->standing = (struct standing){.name = t->leg->name,
                                    .changed = on_changed,
                                    .ctx = t,
                                    .probe_ms = -1,
                                    .since_s = clock_now_s()};
    t->ports = (struct local_ports){.leg = t->leg,
                                    .settings = t->settings,
                                    .base = t->base,
                                    .mux_path = t->mux_path,
                                    .standing = &t->standing};
    t->key_query = (struct key_query){.leg = t->leg,
                                      .settings = t->settings,
                                      .base = t->base,
                                      .run = &t->ssh,
                                      .pin_path = t->pin_path,
                                      .answered = on_key_answer,
                                      .ctx = t};
    t->watch = (struct watch){.settings = t->settings,
                              .base = t->base,
                              .canary_path = t->canary_path,
                              .ssh = &t->ssh,
                              .standing = &t->standing,
                              .answered = on_answer,
                              .dead = on_dead,
                              .ctx = t,
                              .probe = {.leg = t->leg}};
}

int tunnel_init(struct tunnel *t, const char **ret_why)
{
    connect_parts(t);
    *ret_why = "the directory's path is too long for a socket in it";
    if (make_path(t, "canary", t->canary_path) != 0 || make_path(t, "mux", t->mux_path) != 0 ||
        make_path(t, "hosts", t->pin_path) != 0)
        return -1;
    *ret_why = "out of memory";
    if (local_ports_init(&t->ports) != 0 || watch_init(&t->watch) != 0)
        return -1;
    t->watch.probe.left_out = t->ports.left_out;
    t->timer = evtimer_new(t->base, on_timer, t);
    t->ports.port_timer = t->port_timer = evtimer_new(t->base, on_port_timer, t);
    return t->timer != NULL && t->port_timer != NULL ? 0 : -1;
}

static int start_ssh(struct tunnel *t)
{
    struct sshargs args;
    const char *known_hosts = t->leg->known_hosts;
    if (known_hosts == NULL && t->leg->host_key[0] != '\0')
        known_hosts = t->pin_path;
    const struct sshargs_plan plan = {.use = SSHARGS_TUNNEL,
                                      .settings = t->settings,
                                      .timeout_doublings = t->slow_logins,
                                      .left_out = t->ports.left_out,
                                      .canary_sock = t->canary_path,
                                      .mux_sock = t->ports.left_out_count > 0 ? t->mux_path : NULL,
                                      .known_hosts = known_hosts};
    (void)unlink(t->canary_path);
    (void)unlink(t->mux_path);
    sshargs_build(&args, t->leg, &plan);
    int rc = sshrun_start(&t->ssh, t->base, &args);
    sshargs_release(&args);
    return rc;
}

void tunnel_start(struct tunnel *t)
{
    if (t->ssh.pid > 0 || t->stopping || t->key_query.job != NULL)
        return;
    (void)event_del(t->timer);
    const int64_t started_ms = clock_monotonic_ms();
    if (t->leg->known_hosts == NULL && t->leg->host_key[0] != '\0' &&
        !t->key_query.host_key_is_pinned) {
        if (!key_query_pin(&t->key_query))
            wait_then_start(t, BACKOFF_REFUSED);
        return;
    }
    local_ports_scan(&t->ports);
    local_ports_set_timer(&t->ports);
    if (t->ports.left_out_count > 0 && t->ports.left_out_count == t->leg->forward_count &&
        t->leg->reverse == NULL) {
        standing_set(&t->standing, TUNNEL_PAUSED,
                     t->standing.reason); /* until a local port is free: see local_ports */
        return;
    }
    t->has_answered = t->is_killed = false;
    t->standing.service = SERVICE_UNKNOWN;
    t->standing.service_text[0] = '\0';
    if (start_ssh(t) != 0) {
        sshrun_signal(&t->ssh, SIGKILL);
        standing_set(&t->standing, TUNNEL_CONNECTING,
                     "cannot start ssh: out of processes or memory");
        standing_log_trouble(&t->standing, t->standing.reason);
        if (t->ssh.pid == 0)
            wait_then_start(t, BACKOFF_REFUSED);
        return;
    }
    if (t->standing.state != TUNNEL_CONNECTING)
        standing_set(&t->standing, TUNNEL_CONNECTING, t->standing.reason);
    watch_begin(&t->watch, started_ms);
}

static enum backoff_kind backoff_after(const struct tunnel *t, int status)
{
    if (t->is_killed)
        return BACKOFF_SILENCE;
    switch (t->ssh.cause) {
    case SSH_MESSAGE_TIMEOUT:
    case SSH_MESSAGE_UNREACHABLE:
    case SSH_MESSAGE_NO_ADDRESS:
        return BACKOFF_SILENCE;
    case SSH_MESSAGE_AUTH:
    case SSH_MESSAGE_HOST_KEY_UNKNOWN:
    case SSH_MESSAGE_HOST_KEY_CHANGED:
    case SSH_MESSAGE_USAGE:
        return BACKOFF_AUTH;
    case SSH_MESSAGE_UNKNOWN:
        return WIFSIGNALED(status) ? BACKOFF_SILENCE : BACKOFF_REFUSED;
    default:
        return BACKOFF_REFUSED;
    }
}

/* The query that tells a person more than ssh's words do; NULL: none. */
static bool (*query_after(const struct tunnel *t))(struct key_query *)
{
    switch (t->ssh.cause) {
    case SSH_MESSAGE_HOST_KEY_CHANGED:
        return key_query_changed_host;
    case SSH_MESSAGE_HOST_KEY_UNKNOWN:
        return t->leg->known_hosts == NULL && t->leg->host_key[0] == '\0' ? key_query_unknown_host
                                                                          : NULL;
    case SSH_MESSAGE_AUTH:
        return t->leg->identity == NULL ? key_query_login : NULL;
    default:
        return NULL;
    }
}

static void next_attempt(struct tunnel *t, int status)
{
    enum backoff_kind kind = backoff_after(t, status);
    bool (*query)(struct key_query *) = query_after(t);
    if (kind != BACKOFF_AUTH) {
        wait_then_start(t, kind);
        return;
    }
    standing_set(&t->standing, TUNNEL_PAUSED, t->standing.reason);
    if (query == NULL || !query(&t->key_query))
        pause_for_person(t, t->standing.reason);
}

/* ConnectTimeout includes the key exchange. Where packets are lost, that takes longer than we want
 * to wait for a host that is not there. And what a ProxyCommand needed to start, it will need
 * again. */
static void count_slow_logins(struct tunnel *t, bool was_up)
{
    if (!was_up && t->ssh.cause == SSH_MESSAGE_TIMEOUT &&
        strncmp(t->ssh.cause_text, "ssh: connect", 12) != 0)
        t->slow_logins += t->slow_logins < SLOW_LOGINS_MAX;
    else if (!was_up || t->ssh.carrier != CARRIER_PLUGIN)
        t->slow_logins = 0;
}

void tunnel_reaped(struct tunnel *t, int status)
{
    struct buf end = {0};
    bool was_up = t->has_answered;

    watch_stop(&t->watch);
    local_ports_cancel(&t->ports);
    (void)event_del(t->timer);
    sshrun_reaped(&t->ssh);
    (void)unlink(t->canary_path);
    (void)unlink(t->mux_path);
    if (t->stopping) {
        t->stopped = true;
        return;
    }
    if (t->ssh.cause == SSH_MESSAGE_USAGE)
        sshfixed_forget();
    count_slow_logins(t, was_up);
    t->has_answered = false;
    if (t->is_reconnecting) {
        t->is_reconnecting = false;
        standing_set(&t->standing, TUNNEL_CONNECTING, "");
        tunnel_start(t);
        return;
    }
    if (was_up) {
        t->standing.restarts++;
        if (clock_monotonic_ms() - t->first_answer_ms >= t->settings->stable_ms)
            backoff_reset(&t->backoff);
    }
    sshadvice_add_end(&end, &t->ssh, t->leg, status, was_up);
    standing_set(&t->standing, TUNNEL_CONNECTING, end.failed ? t->ssh.cause_text : end.data);
    buf_release(&end);
    if (was_up)
        log_warn("%s: down: %s", t->leg->name, t->standing.reason);
    else if (query_after(t) == NULL) /* else its answer is logged */
        standing_log_trouble(&t->standing, t->standing.reason);
    if (t->hooks.down == NULL || !t->hooks.down(t->hooks.ctx, t->ssh.cause, was_up))
        next_attempt(t, status);
}

/* ---- what its owner decides ---- */

void tunnel_wake(struct tunnel *t)
{
    if (t->stopping || t->is_killed)
        return;
    if (t->ssh.pid > 0)
        watch_wake(&t->watch);
    else if (evtimer_pending(t->timer, NULL) && t->wait_kind != BACKOFF_AUTH)
        timer_set(t->timer, 0);
}

void tunnel_pause_until_owner(struct tunnel *t, const char *reason)
{
    standing_set(&t->standing, TUNNEL_PAUSED, reason);
    standing_log_trouble(&t->standing, t->standing.reason);
    (void)event_del(t->timer);
}

void tunnel_pause(struct tunnel *t, int64_t ms, const char *reason)
{
    tunnel_pause_until_owner(t, reason);
    t->wait_kind = BACKOFF_AUTH;
    timer_set(t->timer, ms);
}

void tunnel_start_in(struct tunnel *t, int64_t ms)
{
    t->wait_kind = BACKOFF_SILENCE;
    timer_set(t->timer, ms);
}

void tunnel_await_owner(struct tunnel *t, const char *reason)
{
    (void)event_del(t->timer);
    standing_set(&t->standing, TUNNEL_CONNECTING, reason);
}

void tunnel_restart(struct tunnel *t, const char *reason)
{
    if (t->ssh.pid > 0)
        kill_ssh(t, reason);
    else
        tunnel_start(t);
}

void tunnel_reconnect(struct tunnel *t, const char *why)
{
    if (t->ssh.pid > 0 && !t->is_killed) {
        log_info("%s: %s", t->leg->name, why);
        t->is_reconnecting = true;
    }
    tunnel_restart(t, why);
}

void tunnel_stop(struct tunnel *t)
{
    key_query_cancel(&t->key_query);
    local_ports_cancel(&t->ports);
    (void)event_del(t->port_timer);
    (void)event_del(t->timer);
    watch_stop(&t->watch);
    if (t->ssh.pid == 0) {
        t->stopped = true;
    } else if (!t->stopping) {
        sshrun_signal(&t->ssh, SIGTERM);
        sshrun_signal(&t->ssh, SIGCONT);
        timer_set(t->timer, STOP_GRACE_MS);
    } else {
        sshrun_signal(&t->ssh, SIGKILL);
    }
    t->stopping = true;
}

void tunnel_release(struct tunnel *t)
{
    if (t->timer != NULL)
        event_free(t->timer);
    if (t->port_timer != NULL)
        event_free(t->port_timer);
    sshrun_release(&t->ssh);
    key_query_cancel(&t->key_query);
    watch_release(&t->watch);
    (void)unlink(t->canary_path);
    (void)unlink(t->pin_path);
    local_ports_release(&t->ports);
}
