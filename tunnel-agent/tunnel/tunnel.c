/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/tunnel.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/job.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/host/process.h"
#include "tunnel-agent/ssh/args.h"
#include "tunnel-agent/ssh/forced.h"
#include "tunnel-agent/ssh/hostkey.h"
#include "tunnel-agent/ssh/identity.h"
#include "tunnel-agent/ssh/mux.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SOCKET_POLL_MS = 40,
    STALL_MS = 2000,        /* a timer so late means that we were stopped */
    STOP_GRACE_MS = 1500,   /* from SIGTERM to SIGKILL */
    REPEAT_LOG_MS = 600000, /* the same words again at the earliest */
    PROBE_ANSWER_MAX = 4096,
    TRAFFIC_BYTES = 4096, /* more within the canary's time than any questions of ours */
    SENT_AGAIN_DEAD = 10, /* what TCP sends into a path that is dead, until we find it dead */
    SLOW_LOGINS_MAX = 2,  /* doublings of ConnectTimeout: 16 s, below LoginTimeout */
};

enum timer_purpose {
    TIMER_START,
    TIMER_LOGIN,
    TIMER_LOOK,
    TIMER_SUSPECT,
    TIMER_CONDEMN,
    TIMER_KILL
};

static void look(struct tunnel *t);

const char *tunnel_state_name(enum tunnel_state state)
{
    static const char *const names[TUNNEL_STATE__MAX] = {"connecting", "up", "suspect", "held"};
    return names[state];
}

const char *service_state_name(enum service_state service)
{
    static const char *const names[SERVICE__MAX] = {"unknown", "ok", "silent", "down", "forbidden"};
    return names[service];
}

/* ---- what is shown and logged ---- */

static void set_state(struct tunnel *t, enum tunnel_state state, const char *reason)
{
    if (t->state != state) {
        t->state = state;
        t->since_s = clock_now_s();
    }
    if (reason != t->reason)
        (void)strlcpy(t->reason, reason, sizeof(t->reason));
    if (t->hooks.changed != NULL)
        t->hooks.changed(t->hooks.ctx);
}

/* The same trouble every few seconds for a night is one line in ten minutes. */
static void log_trouble(struct tunnel *t, const char *text)
{
    int64_t now_ms = clock_monotonic_ms();
    if (strcmp(t->last_logged, text) == 0 && now_ms - t->last_logged_ms < REPEAT_LOG_MS)
        return;
    (void)strlcpy(t->last_logged, text, sizeof(t->last_logged));
    t->last_logged_ms = now_ms;
    log_warn("%s: %s", t->leg->name, text);
}

static void set_service(struct tunnel *t, enum service_state service, const char *text)
{
    bool news = t->service != service || strcmp(t->service_text, text) != 0;
    bool first = t->service == SERVICE_UNKNOWN;
    t->service = service;
    (void)strlcpy(t->service_text, text, sizeof(t->service_text));
    if (!news || (first && service == SERVICE_OK))
        return;
    if (service == SERVICE_OK)
        log_info("%s: the service answers again", t->leg->name);
    else
        log_warn("%s: the tunnel is up, but %s", t->leg->name, text);
}

/* ---- the timer ---- */

static void set_timer(struct tunnel *t, enum timer_purpose purpose, int64_t ms)
{
    const struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    t->purpose = (int)purpose;
    t->due_ms = clock_monotonic_ms() + ms;
    (void)event_add(t->timer, &tv);
}

static void stop_asking(struct tunnel *t)
{
    exchange_cancel(&t->canary);
    exchange_cancel(&t->probe);
}

static void kill_ssh(struct tunnel *t, int signal_no)
{
    if (t->pid > 0)
        process_signal(t->pid, signal_no);
}

static void wait_then_start(struct tunnel *t, enum backoff_kind kind)
{
    t->waiting_for = kind;
    set_timer(t, TIMER_START, backoff_next(&t->backoff, kind, t->settings, arc4random()));
}

/* ---- ssh's words ---- */

static void take_line(struct tunnel *t, const char *line)
{
    enum ssh_said said = sshwords_of(line);
    switch (said) {
    case SSH_SAID_NOTHING:
        return;
    case SSH_SAID_AUTHENTICATED:
        t->authenticated = true;
        t->connection = platform_connection(t->pid, &t->carrier);
        return;
    case SSH_SAID_SERVICE_DOWN:
    case SSH_SAID_FORBIDDEN:
        t->channel_said = said;
        return;
    default:
        break;
    }
    if (said < t->said)
        return;
    if (said > t->said || said != SSH_SAID_HOST_KEY_CHANGED)
        (void)strlcpy(t->said_text, line, sizeof(t->said_text));
    t->said = said;
}

static void drain_words(struct tunnel *t)
{
    char chunk[2048];
    while (t->err_fd >= 0) {
        ssize_t n = read(t->err_fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            event_free(t->err_event);
            t->err_event = NULL;
            (void)close(t->err_fd);
            t->err_fd = -1;
            return;
        }
        for (ssize_t i = 0; i < n; i++) {
            if (chunk[i] != '\n' && chunk[i] != '\r') {
                if (t->line_len + 1 < sizeof(t->line)) /* the start of a line tells enough */
                    t->line[t->line_len++] = chunk[i];
                continue;
            }
            t->line[t->line_len] = '\0';
            if (t->line_len > 0)
                take_line(t, t->line);
            t->line_len = 0;
        }
    }
}

static void on_words(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    drain_words(ctx);
}

/* ---- proof and silence ---- */

static bool ssh_is_ending(struct tunnel *t)
{
    siginfo_t info = {0};
    drain_words(t);
    if (t->said > SSH_SAID_FORBIDDEN)
        return true;
    return waitid(P_PID, (id_t)t->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == t->pid;
}

/* Something came back from the far side. */
static void path_is_alive(struct tunnel *t)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!t->proven) {
        t->proven = true;
        t->proven_ms = now_ms;
        set_state(t, TUNNEL_UP, t->reason); /* which stays: why it was down last */
        log_info("%s: up after %lld ms", t->leg->name, (long long)(now_ms - t->started_ms));
        t->last_logged[0] = '\0';
        if (t->hooks.up != NULL)
            t->hooks.up(t->hooks.ctx);
        return;
    }
    if (t->state == TUNNEL_SUSPECT) {
        log_info("%s: the path answers after all", t->leg->name);
        set_state(t, TUNNEL_UP, t->reason);
    }
    if (now_ms - t->proven_ms >= t->settings->stable_ms)
        backoff_reset(&t->backoff);
}

static void condemn(struct tunnel *t, const char *why)
{
    stop_asking(t);
    t->condemned = true;
    (void)strlcpy(t->said_text, why, sizeof(t->said_text));
    /* Nothing it could still say would arrive, and a stopped process takes no SIGTERM. */
    kill_ssh(t, SIGKILL);
    (void)event_del(t->timer);
}

static void end_of_look(struct tunnel *t)
{
    stop_asking(t);
    int64_t wait_ms = t->settings->probe_interval_ms;
    set_timer(t, TIMER_LOOK,
              wait_ms - wait_ms / 20 + (int64_t)arc4random_uniform((uint32_t)(wait_ms / 10 + 1)));
}

static const struct forward *probed_forward(const struct tunnel *t)
{
    for (size_t i = 0; i < t->leg->forward_count; i++)
        if (!t->left_out[i])
            return &t->leg->forwards[i];
    return NULL;
}

/* Is there a service to ask, and may it be asked? */
static bool has_probe(const struct tunnel *t)
{
    return t->leg->probe != PROBE_NONE &&
           (t->leg->control_sock != NULL || probed_forward(t) != NULL);
}

static void judge_answer(struct tunnel *t)
{
    char text[TUNNEL_TEXT_BYTES];
    unsigned code = 0;
    const char *head = t->probe.answer.data;
    if (t->leg->probe == PROBE_HTTP &&
        (strncmp(head, "HTTP/", 5) != 0 || sscanf(head, "HTTP/%*3s %3u", &code) != 1)) {
        set_service(t, SERVICE_OK, "the service answers, but not in HTTP");
        return;
    }
    (void)snprintf(text, sizeof(text), "the service answers with HTTP status %u", code);
    set_service(t, SERVICE_OK, code >= 500 ? text : "");
}

static void judge_close(struct tunnel *t)
{
    char text[TUNNEL_TEXT_BYTES], probed[TUNNEL_TEXT_BYTES / 2];
    const struct forward *f = probed_forward(t);
    if (t->leg->control_sock != NULL)
        (void)snprintf(probed, sizeof(probed), "its control port %.128s", t->leg->control_to);
    else
        (void)snprintf(probed, sizeof(probed), "%.128s:%u", f != NULL ? f->host : "?",
                       f != NULL ? (unsigned)f->host_port : 0);
    switch (t->channel_said) {
    case SSH_SAID_FORBIDDEN:
        (void)snprintf(text, sizeof(text),
                       "the far side forbids the forward to %s (its AllowTcpForwarding or "
                       "PermitOpen, or permitopen of the key)",
                       probed);
        set_service(t, SERVICE_FORBIDDEN, text);
        return;
    case SSH_SAID_SERVICE_DOWN:
        (void)snprintf(text, sizeof(text), "nothing answers at %s of the far side", probed);
        set_service(t, SERVICE_DOWN, text);
        return;
    default:
        if (t->leg->probe == PROBE_TCP)
            set_service(t, SERVICE_OK, "");
        else
            set_service(t, SERVICE_SILENT, "the service closes without an answer");
        return;
    }
}

static void on_probe(void *ctx, enum exchange_end end)
{
    struct tunnel *t = ctx;
    if (end == EXCHANGE_NO_ONE)
        return; /* ssh does not listen: it is about to end, and its exit will say why */
    if (end == EXCHANGE_CLOSED && ssh_is_ending(t))
        return;
    t->probe_ms = clock_monotonic_ms() - t->asked_ms;
    path_is_alive(t);
    if (end == EXCHANGE_CLOSED)
        judge_close(t);
    else
        judge_answer(t);
    end_of_look(t);
}

static void ask_probe(struct tunnel *t)
{
    const struct forward *f = probed_forward(t);
    struct sockaddr_un un;
    struct sockaddr_storage inet;
    socklen_t inet_len = 0;
    char request[LEG_PROBE_PATH_BYTES + 96] = "";
    enum exchange_end end;
    struct exchange_plan plan = {.request = request,
                                 .answer_max = PROBE_ANSWER_MAX,
                                 .first_byte_will_do = true,
                                 .close_our_half = t->leg->probe == PROBE_TCP,
                                 .done = on_probe,
                                 .ctx = t};
    if (t->leg->control_sock != NULL) {
        (void)exchange_unix_address(t->leg->control_sock, &un);
        plan.address = (struct sockaddr *)&un;
        plan.address_len = sizeof(un);
    } else if (f != NULL && localport_address(f->bind, f->port, true, &inet, &inet_len) == 0) {
        plan.address = (struct sockaddr *)&inet;
        plan.address_len = inet_len;
    } else {
        return;
    }
    if (t->leg->probe == PROBE_HTTP)
        (void)snprintf(request, sizeof(request),
                       "GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: tunnel-agent\r\n\r\n",
                       t->leg->probe_path);
    t->channel_said = SSH_SAID_NOTHING;
    t->asked_ms = clock_monotonic_ms();
    (void)exchange_start(&t->probe, t->base, &plan, &end); /* if not: silence, then the canary */
}

static void on_canary(void *ctx, enum exchange_end end)
{
    struct tunnel *t = ctx;
    if (end == EXCHANGE_NO_ONE || ssh_is_ending(t))
        return;
    if (!has_probe(t))
        t->probe_ms = clock_monotonic_ms() - t->asked_ms;
    path_is_alive(t);
    if (!has_probe(t)) {
        end_of_look(t);
        return;
    }
    /* The path is proven; now the service, whose silence is its own from here on. On a slow path
     * the answer to a probe under way may be right behind. */
    t->path_was_asked = true;
    if (!exchange_is_under_way(&t->probe))
        ask_probe(t);
    set_timer(t, TIMER_SUSPECT, t->settings->probe_timeout_ms);
}

/* False: nothing listens there. */
static bool ask_canary(struct tunnel *t)
{
    struct sockaddr_un un;
    enum exchange_end end;
    const struct exchange_plan plan = {.address = (struct sockaddr *)&un,
                                       .address_len = sizeof(un),
                                       .request = "",
                                       .answer_max = PROBE_ANSWER_MAX,
                                       .first_byte_will_do = true,
                                       .close_our_half = true,
                                       .done = on_canary,
                                       .ctx = t};
    (void)exchange_unix_address(t->canary_path, &un);
    if (!has_probe(t))
        t->asked_ms = clock_monotonic_ms();
    return exchange_start(&t->canary, t->base, &plan, &end) == 0 || end != EXCHANGE_NO_ONE;
}

/* One look at a tunnel that is up: the probe alone, while the service is known to answer; else the
 * path first, so that a silent service does not make the path suspect every time. */
static void look(struct tunnel *t)
{
    stop_asking(t);
    t->path_was_asked = false;
    t->looked_ms = t->moved_ms = clock_monotonic_ms();
    if (has_probe(t) && t->service != SERVICE_SILENT)
        ask_probe(t);
    else if (!ask_canary(t))
        ask_probe(t);
    set_timer(t, TIMER_SUSPECT, t->settings->probe_timeout_ms);
}

/* Has ssh's connection carried more than questions of ours since this was asked last? What the
 * other side has acknowledged tells something only while more is waiting: our question is in that
 * queue. What comes in counts once it is read here, for the kernel takes it in for a program that
 * is frozen, too. */
static bool has_moved(struct tunnel *t)
{
    struct platform_traffic traffic;
    if (!platform_traffic(t->connection, &traffic))
        return false;
    int64_t bytes = traffic.taken_bytes - t->taken_bytes;
    if (traffic.unsent_bytes > 0)
        bytes += traffic.acked_bytes - t->acked_bytes;
    t->taken_bytes = traffic.taken_bytes;
    t->acked_bytes = traffic.acked_bytes;
    if (bytes > TRAFFIC_BYTES)
        t->moved_ms = clock_monotonic_ms();
    return bytes > TRAFFIC_BYTES;
}

static void become_suspect(struct tunnel *t)
{
    char text[TUNNEL_TEXT_BYTES];
    if (t->path_was_asked) {
        set_service(t, SERVICE_SILENT, "the service accepts and does not answer");
        end_of_look(t);
        return;
    }
    (void)snprintf(text, sizeof(text), "nothing came back for %lld s",
                   (long long)(t->settings->probe_timeout_ms / 1000));
    if (t->state != TUNNEL_SUSPECT)
        log_trouble(t, "suspect: nothing comes back; asking the far side's sshd itself");
    set_state(t, TUNNEL_SUSPECT, text);
    (void)has_moved(t);
    if (!exchange_is_under_way(&t->canary) && !ask_canary(t)) {
        /* Somebody removed our socket. ServerAlive still watches the path. */
        log_trouble(t, "its canary socket is gone: ssh's own keep-alive decides");
        set_timer(t, TIMER_LOOK, t->settings->probe_interval_ms);
        return;
    }
    if (!exchange_is_under_way(&t->probe) && has_probe(t))
        ask_probe(t);
    set_timer(t, TIMER_CONDEMN, t->settings->canary_timeout_ms);
}

/* How long ssh's connection may be without any segment before it counts as dead; 0: no matter.
 * Where packets are lost, TCP sends them again after 0.2 s, 0.4 s and so on: a handful lost in a
 * row is seconds of silence, on a new connection as on this one. */
static int64_t silence_allowed_ms(const struct settings *s, const struct platform_traffic *traffic)
{
    const int64_t patience_ms = s->probe_timeout_ms + s->canary_timeout_ms;
    if (traffic->sent_again == 0)
        return 0;
    return traffic->sent_again > SENT_AGAIN_DEAD ? patience_ms + s->canary_timeout_ms : patience_ms;
}

/* The question went out long ago, and no answer is here. */
static void give_verdict(struct tunnel *t)
{
    char text[TUNNEL_TEXT_BYTES];
    const struct settings *s = t->settings;
    const int64_t now_ms = clock_monotonic_ms();
    const int64_t end_ms = 3 * (s->probe_timeout_ms + s->canary_timeout_ms);
    struct platform_traffic traffic;
    /* It may be queued behind megabytes of somebody's on a slow line. A path that died meanwhile
     * moves nothing more, so this ends. */
    if (has_moved(t)) {
        set_timer(t, TIMER_CONDEMN, s->canary_timeout_ms);
        return;
    }
    /* Or it was lost and will be sent again. This ends as well: the far side's kernel acknowledges
     * also for an sshd that is frozen. A plugin's own far side says nothing of ours. */
    if (t->carrier == CARRIER_SSH && now_ms - t->moved_ms < end_ms &&
        platform_traffic(t->connection, &traffic)) {
        int64_t left_ms = silence_allowed_ms(s, &traffic) - traffic.silent_ms;
        if (left_ms > 0) {
            set_timer(t, TIMER_CONDEMN, left_ms);
            return;
        }
    }
    (void)snprintf(text, sizeof(text), "the path is dead: no answer for %lld s",
                   (long long)((now_ms - t->looked_ms) / 1000));
    condemn(t, text);
}

/* From ssh's start to the first proof: polled, for a file that appears tells of itself nowhere. */
static void watch_login(struct tunnel *t)
{
    if (clock_monotonic_ms() - t->started_ms > t->settings->login_timeout_ms) {
        condemn(t,
                t->authenticated ? "logged in, but nothing comes back" : "the login took too long");
        return;
    }
    if (t->authenticated && !exchange_is_under_way(&t->canary))
        (void)ask_canary(t);
    set_timer(t, TIMER_LOGIN, SOCKET_POLL_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct tunnel *t = ctx;
    (void)fd;
    (void)what;
    if (clock_monotonic_ms() - t->due_ms > STALL_MS && t->purpose != TIMER_START &&
        t->purpose != TIMER_KILL) {
        tunnel_wake(t);
        return;
    }
    switch ((enum timer_purpose)t->purpose) {
    case TIMER_START:
        tunnel_start(t);
        break;
    case TIMER_LOGIN:
        watch_login(t);
        break;
    case TIMER_LOOK:
        look(t);
        break;
    case TIMER_SUSPECT:
        become_suspect(t);
        break;
    case TIMER_CONDEMN:
        give_verdict(t);
        break;
    case TIMER_KILL:
        kill_ssh(t, SIGKILL);
        break;
    }
}

void tunnel_wake(struct tunnel *t)
{
    if (t->stopping || t->condemned)
        return;
    if (t->pid > 0 && t->proven) {
        look(t);
    } else if (t->pid > 0) {
        t->started_ms = clock_monotonic_ms();
        set_timer(t, TIMER_LOGIN, 0);
    } else if (evtimer_pending(t->timer, NULL) && t->purpose == TIMER_START &&
               t->waiting_for != BACKOFF_AUTH) {
        set_timer(t, TIMER_START, 0);
    }
}

/* ---- local ports that others hold ---- */

static void look_at_ports(struct tunnel *t)
{
    char text[TUNNEL_TEXT_BYTES] = "";
    t->left_out_count = 0;
    for (size_t i = 0; i < t->leg->forward_count; i++) {
        const struct forward *f = &t->leg->forwards[i];
        t->left_out[i] = !localport_is_free(f->bind, f->port, t->holder[i], TUNNEL_HOLDER_BYTES);
        if (!t->left_out[i])
            continue;
        if (t->left_out_count++ == 0)
            (void)snprintf(text, sizeof(text), "local port %u is taken (%s)", f->port,
                           t->holder[i]);
    }
    if (t->left_out_count > 1)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ", and %zu more are",
                       t->left_out_count - 1);
    if (t->left_out_count == 0)
        return;
    (void)strlcpy(t->reason, text, sizeof(t->reason));
    log_trouble(t, text);
}

static void set_port_timer(struct tunnel *t)
{
    const struct timeval tv = {.tv_sec = (time_t)(t->settings->port_retry_ms / 1000)};
    if (t->left_out_count > 0)
        (void)event_add(t->port_timer, &tv);
    else
        (void)event_del(t->port_timer);
}

/* In a child: ssh -O forward to the master that holds the other forwards. */
struct late_forward {
    const struct tunnel *t;
    const struct forward *forward;
};

static int add_late_forward(void *ctx)
{
    const struct late_forward *late = ctx;
    int rc = sshmux_add_forward(late->t->mux_path, late->forward);
    (void)printf("%s", rc == 0 ? "ok" : "failed");
    (void)fflush(stdout);
    return 0;
}

static void on_late_forward(void *ctx, const char *text)
{
    struct tunnel *t = ctx;
    t->job = NULL;
    for (size_t i = 0; i < t->leg->forward_count; i++) {
        if (!t->left_out[i] || t->holder[i][0] != '\0')
            continue;
        if (strcmp(text, "ok") == 0) {
            t->left_out[i] = false;
            t->left_out_count--;
            log_info("%s: local port %u is free again and forwarded", t->leg->name,
                     t->leg->forwards[i].port);
        }
        break;
    }
    set_port_timer(t);
}

/* holder "" and left_out: the one that is being added. */
static void on_port_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct tunnel *t = ctx;
    (void)fd;
    (void)what;
    if (t->pid == 0) {
        if (t->state == TUNNEL_HELD)
            tunnel_start(t);
        return;
    }
    set_port_timer(t);
    for (size_t i = 0; t->proven && t->job == NULL && i < t->leg->forward_count; i++) {
        if (!t->left_out[i] ||
            !localport_is_free(t->leg->forwards[i].bind, t->leg->forwards[i].port, t->holder[i],
                               TUNNEL_HOLDER_BYTES))
            continue;
        t->holder[i][0] = '\0';
        struct late_forward late = {.t = t, .forward = &t->leg->forwards[i]};
        t->job = job_start(t->base, add_late_forward, &late, on_late_forward, t);
        return;
    }
}

/* ---- keys that need a person ---- */

static int learn_host_key(void *ctx)
{
    const struct tunnel *t = ctx;
    struct hostkey key;
    struct buf line = {0};
    char why[256], scratch[TUNNEL_PATH_BYTES + 8];
    const char *wanted = t->leg->host_key[0] != '\0' ? t->leg->host_key : NULL;
    (void)snprintf(scratch, sizeof(scratch), "%s.ask", t->pin_path);
    if (hostkey_ask(t->leg, t->settings, wanted, scratch, &key, &line, why) != NULL)
        (void)printf("!%s", why);
    else if (wanted == NULL)
        (void)printf("?the host key of %s is not known: %s (%s). If that is right, run with "
                     "--host-key %s",
                     t->leg->to, key.fingerprint, key.type, key.fingerprint);
    else
        (void)printf("%s", buf_text(&line));
    (void)fflush(stdout);
    return 0;
}

static void hold_for_keys(struct tunnel *t, const char *reason)
{
    set_state(t, TUNNEL_HELD, reason);
    log_trouble(t, t->reason);
    wait_then_start(t, BACKOFF_AUTH);
}

static bool write_pin(const struct tunnel *t, const char *line)
{
    FILE *f = fopen(t->pin_path, "we");
    if (f == NULL)
        return false;
    bool ok = fputs(line, f) >= 0;
    return fclose(f) == 0 && ok;
}

/* Of a pinned host, before its first ssh: "" or ! and why, or the line for known_hosts. */
static void on_pin(void *ctx, const char *text)
{
    struct tunnel *t = ctx;
    t->job = NULL;
    if (text[0] != '!' && text[0] != '\0') {
        t->host_key_is_pinned = write_pin(t, text);
        if (t->host_key_is_pinned) {
            tunnel_start(t);
            return;
        }
        text = "!cannot write the file of its host key";
    }
    if (strstr(text, "wrong host key") != NULL) {
        hold_for_keys(t, text + 1);
        return;
    }
    set_state(t, TUNNEL_CONNECTING, text[0] == '!' ? text + 1 : "cannot learn the host key");
    log_trouble(t, t->reason);
    wait_then_start(t, sshwords_of(strrchr(text, ':') != NULL ? strrchr(text, ':') + 2 : text) ==
                               SSH_SAID_REFUSED
                           ? BACKOFF_REFUSED
                           : BACKOFF_SILENCE);
}

static void on_unknown_key(void *ctx, const char *text)
{
    struct tunnel *t = ctx;
    t->job = NULL;
    hold_for_keys(t, text[0] != '\0' ? text + 1 : "the host key is not known");
}

static int find_locked_key(void *ctx)
{
    const struct tunnel *t = ctx;
    char *path = sshidentity_locked(t->leg, t->settings);
    if (path != NULL)
        (void)printf("the key %s is locked by a passphrase: run 'ssh-add %s'", path, path);
    (void)fflush(stdout);
    return 0;
}

static void on_locked_key(void *ctx, const char *text)
{
    struct tunnel *t = ctx;
    char reason[TUNNEL_TEXT_BYTES];
    t->job = NULL;
    (void)snprintf(reason, sizeof(reason), "login refused: %.300s",
                   text[0] != '\0' ? text : t->said_text);
    hold_for_keys(t, reason);
}

/* ---- start and end ---- */

static int make_path(const struct tunnel *t, const char *suffix, char out[TUNNEL_PATH_BYTES])
{
    int n = snprintf(out, TUNNEL_PATH_BYTES, "%s/%d-%u.%s", t->run_dir, (int)getpid(), t->number,
                     suffix);
    return n > 0 && n < TUNNEL_PATH_BYTES - 18 ? 0 : -1; /* ssh adds 17 to a master's path */
}

int tunnel_init(struct tunnel *t, const char **ret_why)
{
    size_t count = t->leg->forward_count != 0 ? t->leg->forward_count : 1;
    t->err_fd = -1;
    t->probe_ms = -1;
    t->since_s = clock_now_s();
    *ret_why = "the directory's path is too long for a socket in it";
    if (make_path(t, "canary", t->canary_path) != 0 || make_path(t, "mux", t->mux_path) != 0 ||
        make_path(t, "hosts", t->pin_path) != 0)
        return -1;
    *ret_why = "out of memory";
    t->left_out = calloc(count, sizeof(t->left_out[0]));
    t->holder = calloc(count, sizeof(t->holder[0]));
    t->timer = evtimer_new(t->base, on_timer, t);
    t->port_timer = evtimer_new(t->base, on_port_timer, t);
    return t->left_out != NULL && t->holder != NULL && t->timer != NULL && t->port_timer != NULL
               ? 0
               : -1;
}

static bool spawn(struct tunnel *t)
{
    struct sshargs args;
    const char *known_hosts = t->leg->known_hosts;
    if (known_hosts == NULL && t->leg->host_key[0] != '\0')
        known_hosts = t->pin_path;
    const struct sshargs_plan plan = {.use = SSHARGS_TUNNEL,
                                      .settings = t->settings,
                                      .patience = t->slow_logins,
                                      .left_out = t->left_out,
                                      .canary_sock = t->canary_path,
                                      .mux_sock = t->left_out_count > 0 ? t->mux_path : NULL,
                                      .known_hosts = known_hosts};
    (void)unlink(t->canary_path);
    (void)unlink(t->mux_path);
    sshargs_build(&args, t->leg, &plan);
    pid_t pid = args.failed ? -1 : process_start(sshargs_argv(&args), NULL, &t->err_fd);
    sshargs_release(&args);
    if (pid < 0)
        return false;
    t->pid = pid;
    t->err_event = event_new(t->base, t->err_fd, EV_READ | EV_PERSIST, on_words, t);
    return t->err_event != NULL && event_add(t->err_event, NULL) == 0;
}

void tunnel_start(struct tunnel *t)
{
    if (t->pid > 0 || t->stopping || t->job != NULL)
        return;
    (void)event_del(t->timer);
    t->started_ms = clock_monotonic_ms();
    if (t->leg->known_hosts == NULL && t->leg->host_key[0] != '\0' && !t->host_key_is_pinned) {
        t->job = job_start(t->base, learn_host_key, t, on_pin, t);
        if (t->job == NULL)
            wait_then_start(t, BACKOFF_REFUSED);
        return;
    }
    look_at_ports(t);
    set_port_timer(t);
    if (t->left_out_count > 0 && t->left_out_count == t->leg->forward_count &&
        t->leg->reverse == NULL) {
        set_state(t, TUNNEL_HELD, t->reason); /* the port timer starts it */
        return;
    }
    t->said = t->channel_said = SSH_SAID_NOTHING;
    t->said_text[0] = '\0';
    t->line_len = 0;
    t->authenticated = t->proven = t->condemned = t->path_was_asked = false;
    t->connection = 0;
    t->carrier = CARRIER_UNKNOWN;
    t->service = SERVICE_UNKNOWN;
    t->service_text[0] = '\0';
    if (!spawn(t)) {
        kill_ssh(t, SIGKILL);
        set_state(t, TUNNEL_CONNECTING, "cannot start ssh: out of processes or memory");
        log_trouble(t, t->reason);
        if (t->pid == 0)
            wait_then_start(t, BACKOFF_REFUSED);
        return;
    }
    if (t->state != TUNNEL_CONNECTING)
        set_state(t, TUNNEL_CONNECTING, t->reason);
    set_timer(t, TIMER_LOGIN, SOCKET_POLL_MS);
}

/* How a run of ssh ended, as a person would say it. */
static void describe_end(struct tunnel *t, int status, char text[TUNNEL_TEXT_BYTES])
{
    if (t->said_text[0] != '\0' && t->said != SSH_SAID_HOST_KEY_CHANGED)
        (void)strlcpy(text, t->said_text, TUNNEL_TEXT_BYTES);
    else if (t->said == SSH_SAID_HOST_KEY_CHANGED && t->leg->host_key[0] != '\0')
        (void)snprintf(text, TUNNEL_TEXT_BYTES, "wrong host key: expected %s", t->leg->host_key);
    else if (t->said == SSH_SAID_HOST_KEY_CHANGED)
        (void)snprintf(text, TUNNEL_TEXT_BYTES,
                       "wrong host key: it is not the one that %s holds for this host",
                       t->leg->known_hosts != NULL ? t->leg->known_hosts : "known_hosts");
    else if (WIFSIGNALED(status))
        (void)snprintf(text, TUNNEL_TEXT_BYTES, "ssh was killed by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == PROCESS_NOT_STARTED)
        (void)strlcpy(text, "ssh cannot be started: is it installed?", TUNNEL_TEXT_BYTES);
    else
        (void)snprintf(text, TUNNEL_TEXT_BYTES, "ssh ended with status %d", WEXITSTATUS(status));
}

static enum backoff_kind kind_of_end(const struct tunnel *t, int status)
{
    if (t->condemned)
        return BACKOFF_SILENCE;
    switch (t->said) {
    case SSH_SAID_TIMEOUT:
    case SSH_SAID_UNREACHABLE:
    case SSH_SAID_NO_ADDRESS:
        return BACKOFF_SILENCE;
    case SSH_SAID_AUTH:
    case SSH_SAID_HOST_KEY_UNKNOWN:
    case SSH_SAID_HOST_KEY_CHANGED:
    case SSH_SAID_USAGE:
        return BACKOFF_AUTH;
    case SSH_SAID_NOTHING:
        return WIFSIGNALED(status) ? BACKOFF_SILENCE : BACKOFF_REFUSED;
    default:
        return BACKOFF_REFUSED;
    }
}

static void next_attempt(struct tunnel *t, int status)
{
    enum backoff_kind kind = kind_of_end(t, status);
    if (kind != BACKOFF_AUTH) {
        wait_then_start(t, kind);
        return;
    }
    set_state(t, TUNNEL_HELD, t->reason);
    if (t->said == SSH_SAID_HOST_KEY_UNKNOWN && t->leg->known_hosts == NULL &&
        t->leg->host_key[0] == '\0')
        t->job = job_start(t->base, learn_host_key, t, on_unknown_key, t);
    else if (t->said == SSH_SAID_AUTH && t->leg->identity == NULL)
        t->job = job_start(t->base, find_locked_key, t, on_locked_key, t);
    if (t->job == NULL)
        hold_for_keys(t, t->reason);
}

/* ConnectTimeout holds for the key exchange, too. Where packets are lost, that needs more than a
 * host that is not there deserves; what a plugin needed to start it will need again. */
static void learn_patience(struct tunnel *t, bool was_up)
{
    if (!was_up && t->said == SSH_SAID_TIMEOUT && strncmp(t->said_text, "ssh: connect", 12) != 0)
        t->slow_logins += t->slow_logins < SLOW_LOGINS_MAX;
    else if (!was_up || t->carrier != CARRIER_PLUGIN)
        t->slow_logins = 0;
}

void tunnel_reaped(struct tunnel *t, int status)
{
    char text[TUNNEL_TEXT_BYTES];
    bool was_up = t->proven;

    t->pid = 0;
    stop_asking(t);
    job_cancel(t->job); /* a late forward's: there is no master any more */
    t->job = NULL;
    (void)event_del(t->timer);
    drain_words(t);
    if (t->err_fd >= 0) { /* a jump host's ssh may still hold the other end */
        event_free(t->err_event);
        t->err_event = NULL;
        (void)close(t->err_fd);
        t->err_fd = -1;
    }
    (void)unlink(t->canary_path);
    (void)unlink(t->mux_path);
    if (t->stopping) {
        t->stopped = true;
        return;
    }
    describe_end(t, status, text);
    if (t->said == SSH_SAID_USAGE)
        sshforced_forget();
    learn_patience(t, was_up);
    t->proven = false;
    if (t->begins_anew) {
        t->begins_anew = false;
        set_state(t, TUNNEL_CONNECTING, "");
        tunnel_start(t);
        return;
    }
    if (was_up) {
        t->restarts++;
        if (clock_monotonic_ms() - t->proven_ms >= t->settings->stable_ms)
            backoff_reset(&t->backoff);
    }
    set_state(t, TUNNEL_CONNECTING, text);
    if (was_up)
        log_warn("%s: down: %s", t->leg->name, text);
    else
        log_trouble(t, text);
    if (t->hooks.down == NULL || !t->hooks.down(t->hooks.ctx, t->said, was_up))
        next_attempt(t, status);
}

void tunnel_hold(struct tunnel *t, int64_t ms, const char *reason)
{
    set_state(t, TUNNEL_HELD, reason);
    log_trouble(t, t->reason);
    t->waiting_for = BACKOFF_AUTH;
    set_timer(t, TIMER_START, ms);
}

void tunnel_start_in(struct tunnel *t, int64_t ms)
{
    t->waiting_for = BACKOFF_SILENCE;
    set_timer(t, TIMER_START, ms);
}

void tunnel_wait_for_owner(struct tunnel *t, const char *reason)
{
    (void)event_del(t->timer);
    set_state(t, TUNNEL_CONNECTING, reason);
}

void tunnel_restart(struct tunnel *t, const char *reason)
{
    if (t->pid > 0)
        condemn(t, reason);
    else
        tunnel_start(t);
}

void tunnel_begin_anew(struct tunnel *t, const char *why)
{
    if (t->pid > 0 && !t->condemned) {
        log_info("%s: %s", t->leg->name, why);
        t->begins_anew = true;
    }
    tunnel_restart(t, why);
}

void tunnel_stop(struct tunnel *t)
{
    job_cancel(t->job);
    t->job = NULL;
    (void)event_del(t->port_timer);
    (void)event_del(t->timer);
    stop_asking(t);
    if (t->pid == 0) {
        t->stopped = true;
    } else if (!t->stopping) {
        kill_ssh(t, SIGTERM);
        kill_ssh(t, SIGCONT);
        set_timer(t, TIMER_KILL, STOP_GRACE_MS);
    } else {
        kill_ssh(t, SIGKILL);
    }
    t->stopping = true;
}

void tunnel_release(struct tunnel *t)
{
    if (t->timer != NULL)
        event_free(t->timer);
    if (t->port_timer != NULL)
        event_free(t->port_timer);
    if (t->err_event != NULL)
        event_free(t->err_event);
    if (t->err_fd >= 0)
        (void)close(t->err_fd);
    job_cancel(t->job);
    exchange_release(&t->canary);
    exchange_release(&t->probe);
    (void)unlink(t->canary_path);
    (void)unlink(t->pin_path);
    free(t->left_out);
    free(t->holder);
}
