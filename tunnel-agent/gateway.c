/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/wire/agent_status.h"
#include "lib/wire/register.h"
#include "tunnel-agent/agent.h"
#include "tunnel-agent/exchange.h"
#include "tunnel-agent/http.h"
#include "tunnel-agent/https.h"
#include "tunnel-agent/job.h"
#include "tunnel-agent/key.h"
#include "tunnel-agent/options.h"
#include "tunnel-agent/overssh.h"
#include "tunnel-agent/sshalias.h"
#include "tunnel-agent/sshforced.h"
#include "tunnel-agent/supervisor.h"
#include "tunnel-agent/tunnel.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <ctype.h>
#include <errno.h>
#include <event2/event.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    REGISTER_MS = 15000,
    BEAT_ANSWER_MS = 10000,
    BEAT_DEFAULT_S = 60,
    BEAT_MAX_S = 3600,
    TAKEOVER_MS = 60000, /* two within this: somebody else has our key */
    PORT_BUSY_MS = 1000,
    PORT_BUSY_MAX = 3, /* in a row: ask the gateway for its opinion */
};

struct gateway {
    struct supervisor s;
    const struct gateway_options *o;
    bool once;
    struct http_url url; /* of --endpoint; of --gateway, what ctl.sock leads to */
    bool over_ssh;       /* the alias exists */
    char target[300], hostname[256], user[LOGIN_NAME_MAX_CHARS + 1];
    char *agent_id, *public_key, *secret, *credential;
    struct register_answer session;
    bool has_session, registered; /* registered: by this process */
    char expires_at[32];
    char gateway_host[256], gateway_user[LOGIN_NAME_MAX_CHARS + 1], gateway_port[8];

    struct leg leg;
    struct tunnel *tunnel;

    struct exchange beat; /* a heartbeat, or a register through our own tunnel */
    bool beat_is_register;
    struct event *beat_timer, *beat_deadline, *register_timer;
    struct job *job;
    bool tried_credential; /* the secret was refused, and so the enrolment key was used */
    struct backoff backoff;
    int64_t registered_ms, closed_ms;
    bool login_refused; /* and not up since */
    unsigned port_busy, beats_down;
    bool beat_silence_logged;
};

static void beat(struct gateway *g);
static void register_at_endpoint(struct gateway *g);
static void on_registered(struct gateway *g, unsigned status, const char *body, size_t len,
                          bool through_tunnel);

static void arm(struct event *timer, int64_t ms)
{
    const struct timeval tv = {.tv_sec = (time_t)(ms / 1000),
                               .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    (void)event_add(timer, &tv);
}

static const char *credential_now(const struct gateway *g)
{
    if (g->secret != NULL && !g->tried_credential)
        return g->secret;
    return g->credential != NULL ? g->credential : g->secret;
}

/* ---- the leg ---- */

/* HOST:PORT:REST, or HOST:PORT with an empty rest. To be freed. */
static char *endpoint_spec(const char *host, unsigned port, const char *rest)
{
    char *text = NULL;
    bool six = strchr(host, ':') != NULL;
    return asprintf(&text, "%s%s%s:%u%s%s", six ? "[" : "", host, six ? "]" : "", port,
                    rest[0] != '\0' ? ":" : "", rest) < 0
               ? NULL
               : text;
}

/* Where leased listens on the gateway's own loopback. The endpoint's port may be that of a proxy,
 * or of a forward on this side. */
static uint16_t control_port(const struct gateway *g)
{
    if (g->o->control_port != 0)
        return g->o->control_port;
    if (g->session.control_port != 0)
        return g->session.control_port;
    return g->o->gateway != NULL || g->url.tls ? REGISTER_CONTROL_PORT : g->url.port;
}

/* The ssh that holds the session's port; without a session, one that only leads to the control
 * port. NULL, or why not. */
static const char *build_leg(struct gateway *g)
{
    const struct gateway_options *o = g->o;
    const struct register_answer *a = &g->session;
    struct leg leg = {.probe = PROBE_HTTP};
    char port[8];
    const char *host = o->ssh_host, *bind = o->reverse_bind_host, *problem, *user;

    (void)strlcpy(leg.name, "gateway", sizeof(leg.name));
    (void)strlcpy(leg.probe_path, "/healthz", sizeof(leg.probe_path));
    user = g->gateway_user[0] != '\0' ? g->gateway_user : a->ssh_user;
    if (g->over_ssh) {
        host = o->over_ssh;
        leg.config_file = o->ssh_config != NULL ? strdup(o->ssh_config) : NULL;
    } else {
        if (host == NULL)
            host = g->gateway_host[0] != '\0'
                       ? g->gateway_host
                       : (a->ssh_host[0] != '\0' ? a->ssh_host : g->url.host);
        leg.config_file = strdup("none");
        (void)snprintf(port, sizeof(port), "%u", a->ssh_port != 0 ? a->ssh_port : 22);
        if ((problem = leg_add_word(&leg, "-p",
                                    o->ssh_port != NULL          ? o->ssh_port
                                    : g->gateway_port[0] != '\0' ? g->gateway_port
                                                                 : port)) != NULL)
            goto fail;
    }
    if ((problem = leg_set_to(&leg, host)) != NULL ||
        (problem = leg_add_word(&leg, "-l", user)) != NULL)
        goto fail;
    if (bind == NULL)
        bind = a->reverse_bind_host[0] != '\0' ? a->reverse_bind_host : "127.0.0.1";
    if (g->has_session)
        leg.reverse = endpoint_spec(bind, a->port_b, g->target);
    leg.control_sock = statedir_file(&g->s.state, "ctl.sock");
    leg.control_to = endpoint_spec("127.0.0.1", control_port(g), "");
    leg.identity = statedir_file(&g->s.state, "agent.pem");
    if (o->host_key != NULL) {
        if ((problem = leg_set_host_key(&leg, o->host_key)) != NULL)
            goto fail;
    } else {
        leg.known_hosts = statedir_file(&g->s.state, "known_hosts");
    }
    problem = "does not fit in memory";
    if (leg.control_sock == NULL || leg.control_to == NULL || leg.identity == NULL ||
        (g->has_session && leg.reverse == NULL) || (o->host_key == NULL && leg.known_hosts == NULL))
        goto fail;
    leg_release(&g->leg);
    g->leg = leg;
    return NULL;
fail:
    leg_release(&leg);
    return problem;
}

static void start_tunnel(struct gateway *g)
{
    const char *problem = build_leg(g);
    if (problem != NULL) {
        log_error("cannot use what the gateway answered: its host or login %s", problem);
        supervisor_stop(&g->s, EXIT_FAILED);
        return;
    }
    /* A gateway that came back spreads its agents. */
    if (g->registered && g->session.reconnect_after_ms > 0)
        tunnel_start_in(g->tunnel, g->session.reconnect_after_ms);
    else
        tunnel_start(g->tunnel);
}

/* ---- what a register answered ---- */

static int keep_host_keys(struct gateway *g, const struct register_answer *a, bool through_tunnel)
{
    struct buf lines = {0};
    int rc = 0;
    char *kept = statedir_read(&g->s.state, "known_hosts");
    for (size_t i = 0; i < a->host_key_count; i++)
        buf_addf(&lines, "tunlease-gateway %s\n", a->host_keys[i]);
    /* Pinned once. Later ones count only where they came through the connection that the pinned key
     * vouches for. */
    if (lines.len > 0 && (kept == NULL || through_tunnel))
        rc = statedir_write(&g->s.state, "known_hosts", buf_text(&lines));
    if (lines.len == 0 && kept == NULL && g->o->host_key == NULL) {
        log_error("the gateway did not tell its host keys: add --host-key SHA256:...");
        rc = -1;
    }
    free(kept);
    buf_release(&lines);
    return rc;
}

static int keep_answer(struct gateway *g, struct register_answer *a, bool through_tunnel)
{
    struct buf text = {0};
    int rc = keep_host_keys(g, a, through_tunnel);
    if (rc == 0 && a->agent_secret[0] != '\0') {
        rc = statedir_write(&g->s.state, "agent_secret", a->agent_secret);
        free(g->secret);
        g->secret = strdup(a->agent_secret);
    }
    if (rc == 0 && register_answer_format(a, &text) == 0)
        rc = statedir_write(&g->s.state, "session.json", buf_text(&text));
    buf_release(&text);
    return rc;
}

static void take_answer(struct gateway *g, const char *body, size_t len, bool through_tunnel)
{
    struct register_answer a;
    const char *problem = register_answer_parse(body, len, &a);
    if (problem == NULL && strcmp(a.agent_id, g->agent_id) != 0)
        problem = "is for another agent_id";
    if (problem != NULL) {
        log_error("cannot use the gateway's answer: it %s", problem);
        supervisor_stop(&g->s, EXIT_FAILED);
        return;
    }
    if (keep_answer(g, &a, through_tunnel) != 0) {
        log_error("cannot keep what the gateway answered in '%s': %s", g->s.state.path,
                  strerror(errno));
        register_answer_release(&a);
        supervisor_stop(&g->s, EXIT_FAILED);
        return;
    }
    bool moved = !g->has_session || a.port_b != g->session.port_b ||
                 strcmp(a.ssh_user, g->session.ssh_user) != 0;
    if (a.port_changed_from != 0)
        log_warn("the gateway gave port %u in place of %u, which somebody else holds there",
                 a.port_b, a.port_changed_from);
    log_info("registered agent_id=%s port_b=%u ssh_user=%s jump_user=%s jump_host=%s "
             "connect_hint='%s'",
             a.agent_id, a.port_b, a.ssh_user, a.jump_user, a.jump_host, a.connect_hint);
    register_answer_release(&g->session);
    g->session = a;
    g->has_session = g->registered = true;
    g->tried_credential = false;
    g->registered_ms = clock_monotonic_ms();
    (void)strlcpy(g->expires_at, a.lease_expires_at, sizeof(g->expires_at));
    backoff_reset(&g->backoff);
    if (g->tunnel->pid == 0) {
        start_tunnel(g);
    } else if (moved) {
        problem = build_leg(g);
        tunnel_restart(g->tunnel, "the gateway gave another port");
    }
}

static void clone_message(const struct gateway *g)
{
    log_error("the gateway knows '%s' with another key. If this machine is a copy of another: "
              "'rm %s/agent_id %s/agent.pem %s/agent_secret %s/session.json' makes it one of its "
              "own. If the old key is lost: on the gateway, 'leasectl revoke %s', 'leasectl delete "
              "%s'",
              g->agent_id, g->s.state.path, g->s.state.path, g->s.state.path, g->s.state.path,
              g->agent_id, g->agent_id);
}

static void retry_register(struct gateway *g, enum backoff_kind kind, const char *why)
{
    int64_t wait_ms = backoff_next(&g->backoff, kind, &g->s.settings, arc4random());
    if (g->once && !g->has_session) {
        log_error("cannot register: %s", why);
        supervisor_stop(&g->s, EXIT_FAILED);
        return;
    }
    if (g->has_session) {
        /* The tunnel's next attempt leads here again, or in: the lease may have been renewed while
         * the endpoint cannot be reached. A refused login is not tried again soon. */
        if (g->login_refused && kind != BACKOFF_AUTH)
            wait_ms = backoff_next(&g->tunnel->backoff, BACKOFF_AUTH, &g->s.settings, arc4random());
        tunnel_hold(g->tunnel, wait_ms, why);
        return;
    }
    if (kind == BACKOFF_AUTH) {
        tunnel_hold(g->tunnel, wait_ms, why);
        (void)event_del(g->tunnel->timer);
    } else {
        log_warn("cannot register: %s; again in %lld s", why, (long long)(wait_ms / 1000 + 1));
        tunnel_wait_for_owner(g->tunnel, why);
    }
    arm(g->register_timer, wait_ms);
}

static void on_registered(struct gateway *g, unsigned status, const char *body, size_t len,
                          bool through_tunnel)
{
    char error[256], why[400];
    register_error_parse(body, len, error);
    switch (status) {
    case 200:
        take_answer(g, body, len, through_tunnel);
        return;
    case 409:
        clone_message(g);
        supervisor_stop(&g->s, EXIT_FAILED);
        return;
    case 403:
        if (strcasestr(error, "revoked") != NULL) {
            log_warn("the gateway revoked '%s': %s. Stopping for good", g->agent_id, error);
            supervisor_stop(&g->s, EXIT_DONE);
            return;
        }
        (void)snprintf(why, sizeof(why),
                       strcasestr(error, "lease") != NULL
                           ? "the gateway refuses: %.200s. On the gateway: leasectl renew %.64s"
                           : "the gateway refuses: %.200s",
                       error, g->agent_id);
        break;
    case 401:
        if (g->secret != NULL && g->credential != NULL && !g->tried_credential) {
            g->tried_credential = true; /* a gateway that forgot us may admit us anew */
            if (!through_tunnel) {
                register_at_endpoint(g);
                return;
            }
        }
        (void)snprintf(why, sizeof(why), "the gateway does not accept the %s: %.200s",
                       g->credential != NULL ? "key or token" : "agent_secret", error);
        break;
    case 0:
        (void)snprintf(why, sizeof(why), "%.*s", len < 380 ? (int)len : 380, body);
        break;
    default:
        (void)snprintf(why, sizeof(why), "the gateway answers %u: %.200s", status, error);
        break;
    }
    if (through_tunnel) {
        log_warn("%s", why); /* the tunnel works, and that is what counts */
        return;
    }
    retry_register(g,
                   status == 0                      ? BACKOFF_SILENCE
                   : status == 401 || status == 403 ? BACKOFF_AUTH
                                                    : BACKOFF_REFUSED,
                   why);
}

/* ---- register at the endpoint: in a job ---- */

static int format_register(const struct gateway *g, struct buf *out)
{
    const struct register_request r = {.agent_id = g->agent_id,
                                       .public_key = g->public_key,
                                       .hostname = g->hostname,
                                       .user = g->user,
                                       .target = g->target,
                                       .reverse_bind_host = g->o->reverse_bind_host,
                                       .port_b = g->session.port_b};
    return register_request_format(&r, out);
}

/* Prints the status on a line of its own, then the body. */
static int run_register(void *ctx)
{
    const struct gateway *g = ctx;
    struct buf body = {0}, answer = {0};
    unsigned status = 0;
    if (format_register(g, &body) != 0)
        buf_add(&answer, "out of memory");
    else if (g->over_ssh)
        status = overssh_post(g->o->over_ssh, g->o->ssh_config, &g->url, credential_now(g),
                              body.data, REGISTER_MS, &answer);
    else
        status = http_post(&g->url, credential_now(g), body.data, REGISTER_MS, &answer);
    (void)printf("%u\n", status);
    (void)fwrite(answer.data, 1, answer.data != NULL ? answer.len : 0, stdout);
    (void)fflush(stdout);
    return 0;
}

static void on_register_job(void *ctx, const char *text)
{
    struct gateway *g = ctx;
    const char *problem, *line_end = strchr(text, '\n');
    char number[8] = "0";
    g->job = NULL;
    if (line_end == NULL)
        line_end = text;
    else
        (void)snprintf(number, sizeof(number), "%.*s", (int)(line_end - text), text);
    const char *body = *line_end == '\n' ? line_end + 1 : "the helper process failed";
    on_registered(g, (unsigned)strtonum(number, 0, 999, &problem), body, strlen(body), false);
}

static void register_at_endpoint(struct gateway *g)
{
    if (g->job != NULL || g->s.stopping)
        return;
    g->job = job_start(g->s.base, run_register, g, on_register_job, g);
    if (g->job == NULL)
        retry_register(g, BACKOFF_REFUSED, "out of processes or memory");
}

static void on_register_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    register_at_endpoint(ctx);
}

/* ---- through our own tunnel ---- */

static int64_t beat_interval_ms(const struct gateway *g)
{
    int64_t s = g->session.heartbeat_interval_seconds;
    if (s <= 0)
        s = BEAT_DEFAULT_S;
    return (s < BEAT_MAX_S ? s : BEAT_MAX_S) * 1000;
}

static void on_beat_answer(struct gateway *g, unsigned status, const char *body, size_t len)
{
    struct heartbeat_answer a;
    char error[256];
    register_error_parse(body, len, error);
    if (status == 410 || status == 404) {
        log_warn("the gateway says: %s. Registering again", error);
        g->registered = false;
        beat(g);
        return;
    }
    if (status == 403 && strcasestr(error, "revoked") != NULL) {
        log_warn("the gateway revoked '%s': %s. Stopping for good", g->agent_id, error);
        supervisor_stop(&g->s, EXIT_DONE);
        return;
    }
    if (status == 401 && g->credential != NULL && !g->tried_credential) {
        log_warn("the gateway does not know our secret: registering again");
        g->tried_credential = true;
        g->registered = false;
        beat(g);
        return;
    }
    if (status != 200 || heartbeat_answer_parse(body, len, &a) != NULL) {
        log_warn("a heartbeat was answered %u: %s", status, error);
        return;
    }
    if (a.lease_expires_at[0] != '\0')
        (void)strlcpy(g->expires_at, a.lease_expires_at, sizeof(g->expires_at));
    g->beats_down = a.up == 0 ? g->beats_down + 1 : 0;
    if (g->beats_down == 2)
        log_warn("the gateway sees no listener on port %u, though our ssh is up: see 'leasectl "
                 "doctor' there",
                 g->session.port_b);
}

static void on_beat(void *ctx, enum exchange_end end)
{
    struct gateway *g = ctx;
    const char *body = "";
    size_t len = 0;
    unsigned status = 0;
    (void)event_del(g->beat_deadline);
    if (end == EXCHANGE_ANSWERED && !g->beat.answer.failed)
        status = http_answer_parse(g->beat.answer.data, g->beat.answer.len, &body, &len);
    arm(g->beat_timer, beat_interval_ms(g));
    if (status == 0) {
        if (!g->beat_silence_logged)
            log_warn("the gateway's leased does not answer; the tunnel stays as it is");
        g->beat_silence_logged = true;
        return;
    }
    g->beat_silence_logged = false;
    if (g->beat_is_register)
        on_registered(g, status, body, len, true);
    else
        on_beat_answer(g, status, body, len);
}

static void on_beat_deadline(evutil_socket_t fd, short what, void *ctx)
{
    struct gateway *g = ctx;
    (void)fd;
    (void)what;
    exchange_cancel(&g->beat);
    on_beat(g, EXCHANGE_CLOSED);
}

static void beat(struct gateway *g)
{
    struct sockaddr_un address;
    struct buf body = {0}, request = {0};
    const struct http_url url = {.host = "127.0.0.1", .port = control_port(g), .path = "/"};
    enum exchange_end end;
    if (!g->tunnel->proven || g->s.stopping)
        return;
    g->beat_is_register = !g->registered;
    int rc = g->beat_is_register ? format_register(g, &body)
                                 : heartbeat_request_format(g->agent_id, &body);
    if (rc == 0)
        http_post_format(&url, credential_now(g), body.data, &request);
    const struct exchange_plan plan = {.address = (struct sockaddr *)&address,
                                       .address_len = sizeof(address),
                                       .request = buf_text(&request),
                                       .answer_max = HTTP_ANSWER_MAX,
                                       .done = on_beat,
                                       .ctx = g};
    if (rc == 0 && plan.request != NULL &&
        exchange_unix_address(g->leg.control_sock, &address) == 0 &&
        exchange_start(&g->beat, g->s.base, &plan, &end) == 0)
        arm(g->beat_deadline, BEAT_ANSWER_MS);
    else
        arm(g->beat_timer, beat_interval_ms(g));
    buf_release(&body);
    buf_release(&request);
}

static void on_beat_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    beat(ctx);
}

/* ---- what the tunnel tells ---- */

static void on_up(void *ctx)
{
    struct gateway *g = ctx;
    g->port_busy = 0;
    g->login_refused = false;
    beat(g);
}

static void hold_for_person(struct gateway *g, const char *reason)
{
    tunnel_hold(g->tunnel,
                backoff_next(&g->tunnel->backoff, BACKOFF_AUTH, &g->s.settings, arc4random()),
                reason);
}

static bool on_refused_login(struct gateway *g)
{
    char reason[TUNNEL_TEXT_BYTES];
    g->login_refused = true;
    bool asked_lately =
        g->registered && clock_monotonic_ms() - g->registered_ms < g->s.settings.auth_retry_ms / 2;
    if (g->o->endpoint != NULL && !asked_lately) {
        tunnel_wait_for_owner(g->tunnel, "login refused: asking the gateway why");
        register_at_endpoint(g);
        return true;
    }
    (void)snprintf(reason, sizeof(reason),
                   "login refused: if the lease has expired, on the gateway: leasectl renew %s",
                   g->agent_id);
    hold_for_person(g, reason);
    return true;
}

static bool on_down(void *ctx, enum ssh_said said, bool was_up)
{
    struct gateway *g = ctx;
    int64_t now_ms = clock_monotonic_ms();
    exchange_cancel(&g->beat);
    (void)event_del(g->beat_deadline);
    (void)event_del(g->beat_timer);
    switch (said) {
    case SSH_SAID_AUTH:
        return on_refused_login(g);
    case SSH_SAID_REMOTE_PORT:
        g->port_busy++;
        if (g->port_busy % PORT_BUSY_MAX == 0 && g->o->endpoint != NULL) {
            register_at_endpoint(g);
            return true;
        }
        tunnel_start_in(g->tunnel, PORT_BUSY_MS); /* the login takes over */
        return true;
    case SSH_SAID_CLOSED:
        if (was_up && g->closed_ms != 0 && now_ms - g->closed_ms < TAKEOVER_MS) {
            g->closed_ms = 0;
            hold_for_person(g, "another client uses this key: the gateway ended our connection "
                               "twice within a minute");
            return true;
        }
        if (was_up)
            g->closed_ms = now_ms;
        return false;
    default:
        return false;
    }
}

static void on_changed(void *ctx)
{
    struct gateway *g = ctx;
    supervisor_changed(&g->s);
}

static void fill_status(void *ctx, struct agent_status *s)
{
    const struct gateway *g = ctx;
    s->agent_id = g->agent_id;
    s->port_b = g->session.port_b;
    s->lease_expires_at = g->expires_at;
    s->connect_hint = g->session.connect_hint;
}

/* ---- before the loop ---- */

/* @FILE, or the text itself. One line without blanks. */
static char *read_credential(const char *given, char why[static KEY_WHY_BYTES])
{
    char text[400];
    if (given[0] != '@') {
        (void)strlcpy(text, given, sizeof(text));
    } else {
        FILE *f = fopen(given + 1, "re");
        if (f == NULL) {
            (void)snprintf(why, KEY_WHY_BYTES, "cannot read '%.400s': %s", given + 1,
                           strerror(errno));
            return NULL;
        }
        if (fgets(text, sizeof(text), f) == NULL)
            text[0] = '\0';
        (void)fclose(f);
        text[strcspn(text, "\r\n")] = '\0';
    }
    if (text[0] == '\0' || strlen(text) > 390) {
        (void)snprintf(why, KEY_WHY_BYTES,
                       "the key or token is empty or longer than 390 "
                       "characters");
        return NULL;
    }
    for (const char *p = text; *p != '\0'; p++)
        if (!isgraph((unsigned char)*p)) {
            (void)snprintf(why, KEY_WHY_BYTES,
                           "the key or token holds a blank or a character that "
                           "is not printable ASCII");
            return NULL;
        }
    return strdup(text);
}

/* [USER@]HOST[:PORT] */
static const char *read_gateway(struct gateway *g, const char *text)
{
    const char *at = strrchr(text, '@'), *host = at != NULL ? at + 1 : text;
    const char *colon = strrchr(host, ':'), *end;
    if (host[0] == '[') {
        end = strchr(host, ']');
        if (end == NULL || (end[1] != '\0' && end[1] != ':'))
            return "is no [USER@]HOST[:PORT]";
        colon = end[1] == ':' ? end + 1 : NULL;
        host++;
    } else {
        end = colon != NULL ? colon : host + strlen(host);
    }
    (void)strlcpy(g->gateway_user, "gw-tunnel", sizeof(g->gateway_user));
    if (at != NULL) {
        if ((size_t)(at - text) >= sizeof(g->gateway_user))
            return "has too long a user name";
        (void)snprintf(g->gateway_user, sizeof(g->gateway_user), "%.*s", (int)(at - text), text);
    }
    if (login_name_problem(g->gateway_user) != NULL)
        return "has a user that is no login";
    if (colon != NULL && leg_port(colon + 1) == 0)
        return "has a port that is not 1-65535";
    if (colon != NULL)
        (void)strlcpy(g->gateway_port, colon + 1, sizeof(g->gateway_port));
    if (end == host || (size_t)(end - host) >= sizeof(g->gateway_host))
        return "names no host";
    (void)snprintf(g->gateway_host, sizeof(g->gateway_host), "%.*s", (int)(end - host), host);
    struct leg probe = {.word_count = 0};
    const char *problem = leg_set_to(&probe, g->gateway_host);
    leg_release(&probe);
    return problem;
}

static int read_words(struct gateway *g, char why[static KEY_WHY_BYTES])
{
    const struct gateway_options *o = g->o;
    const char *problem;
    const char *host = o->target_host != NULL ? o->target_host : "127.0.0.1";
    const char *port = o->target_port != NULL ? o->target_port : "22";
    struct leg probe = {.word_count = 0};
    char spec[400];
    const char *warning;

    (void)snprintf(g->target, sizeof(g->target), "%.250s:%.8s", host, port);
    (void)snprintf(spec, sizeof(spec), "1:%s", g->target);
    problem = leg_add_forward(&probe, spec, &warning);
    leg_release(&probe);
    if (problem != NULL) {
        (void)snprintf(why, KEY_WHY_BYTES, "the target '%.300s' is no HOST:PORT", g->target);
        return -1;
    }
    if (o->ssh_port != NULL && leg_port(o->ssh_port) == 0) {
        (void)snprintf(why, KEY_WHY_BYTES, "SSH_PORT '%.100s' is no port of 1-65535", o->ssh_port);
        return -1;
    }
    if (o->gateway != NULL) {
        if ((problem = read_gateway(g, o->gateway)) != NULL) {
            (void)snprintf(why, KEY_WHY_BYTES, "--gateway '%.200s' %s", o->gateway, problem);
            return -1;
        }
        g->url = (struct http_url){.host = "127.0.0.1", .port = control_port(g), .path = "/"};
        return 0;
    }
    if ((problem = http_url_parse(o->endpoint, &g->url)) != NULL) {
        (void)snprintf(why, KEY_WHY_BYTES, "the endpoint '%.200s' %s", o->endpoint, problem);
        return -1;
    }
    g->over_ssh = o->over_ssh != NULL && sshalias_exists(o->ssh_config, o->over_ssh);
    if (o->over_ssh != NULL && !g->over_ssh)
        log_warn("warning: '%s' is no Host of %s: the endpoint is asked directly", o->over_ssh,
                 o->ssh_config != NULL ? o->ssh_config : "~/.ssh/config");
    if (g->url.tls && !g->over_ssh && !https_is_built_in()) {
        (void)snprintf(why, KEY_WHY_BYTES, "this tunnel-agent was built without https (HTTPS=1)");
        return -1;
    }
    if (!g->url.tls && !g->over_ssh && !http_url_is_loopback(&g->url)) {
        if (!o->insecure) {
            (void)snprintf(why, KEY_WHY_BYTES,
                           "'%.200s' would show the key to everybody on the way: use https://, "
                           "--over-ssh, --gateway, or --insecure",
                           o->endpoint);
            return -1;
        }
        log_warn("warning: --insecure: everybody on the way to '%s' can read the key and forge the "
                 "answer",
                 o->endpoint);
    }
    return 0;
}

static void read_session(struct gateway *g)
{
    char *text = statedir_read(&g->s.state, "session.json");
    char *known = statedir_read(&g->s.state, "known_hosts");
    if (text != NULL && register_answer_parse(text, strlen(text), &g->session) == NULL &&
        strcmp(g->session.agent_id, g->agent_id) == 0 &&
        (known != NULL || g->o->host_key != NULL)) {
        g->has_session = true;
        (void)strlcpy(g->expires_at, g->session.lease_expires_at, sizeof(g->expires_at));
    } else {
        /* Another's, or ssh-tunnel-gateway's: its port is asked for again. */
        register_answer_release(&g->session);
        if (text != NULL)
            g->session.port_b = register_old_port(text, strlen(text));
    }
    free(text);
    free(known);
}

static int prepare(struct gateway *g)
{
    char why[KEY_WHY_BYTES];
    const struct passwd *me;
    if (statedir_open(&g->s.state, why) != 0 || read_words(g, why) != 0 ||
        (g->o->credential != NULL &&
         (g->credential = read_credential(g->o->credential, why)) == NULL)) {
        log_error("%s", why);
        return EXIT_USAGE;
    }
    if (statedir_lock(&g->s.state) != 0) {
        log_error("another agent runs with the state directory '%s', or it cannot be locked",
                  g->s.state.path);
        return EXIT_FAILED;
    }
    if ((g->agent_id = key_agent_id(&g->s.state, g->o->agent_id, why)) == NULL ||
        (g->public_key = key_public(&g->s.state, why)) == NULL) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    g->secret = statedir_read(&g->s.state, "agent_secret");
    if (g->secret == NULL && g->credential == NULL) {
        log_error("no --api-key and no --token (or API_KEY), and this agent has no secret of its "
                  "own yet");
        return EXIT_USAGE;
    }
    if (g->o->gateway != NULL && g->o->host_key == NULL) {
        char *known = statedir_read(&g->s.state, "known_hosts");
        bool is_known = known != NULL;
        free(known);
        if (!is_known) {
            log_error("--gateway needs --host-key SHA256:... the first time");
            return EXIT_USAGE;
        }
    }
    (void)gethostname(g->hostname, sizeof(g->hostname) - 1);
    me = getpwuid(getuid());
    if (me != NULL)
        (void)strlcpy(g->user, me->pw_name, sizeof(g->user));
    read_session(g);
    return EXIT_DONE;
}

static int start_loop(struct gateway *g)
{
    const char *problem = NULL;
    if (supervisor_init(&g->s, &problem) != 0)
        goto fail;
    g->beat_timer = evtimer_new(g->s.base, on_beat_timer, g);
    g->beat_deadline = evtimer_new(g->s.base, on_beat_deadline, g);
    g->register_timer = evtimer_new(g->s.base, on_register_timer, g);
    (void)strlcpy(g->leg.name, "gateway", sizeof(g->leg.name));
    g->tunnel = supervisor_add(&g->s, &g->leg, &problem);
    if (g->tunnel == NULL || g->beat_timer == NULL || g->beat_deadline == NULL ||
        g->register_timer == NULL)
        goto fail;
    g->tunnel->hooks.up = on_up;
    g->tunnel->hooks.down = on_down;
    g->tunnel->hooks.ctx = g;
    g->tunnel->hooks.changed = on_changed;
    g->s.fill_status = fill_status;
    g->s.fill_ctx = g;
    return 0;
fail:
    log_error("cannot start: %s", problem != NULL ? problem : strerror(errno));
    return -1;
}

int gateway_run(const struct options *o, const struct settings *settings)
{
    struct gateway g = {.o = &o->gateway, .once = o->once};
    g.s.settings = *settings;
    g.s.listen_fd = -1;
    int code = prepare(&g);
    if (code == EXIT_DONE)
        sshforced_learn();
    if (code == EXIT_DONE && start_loop(&g) != 0)
        code = EXIT_FAILED;
    if (code == EXIT_DONE) {
        /* With a session from before, the way in needs no HTTP: it registers through the tunnel. */
        if (g.has_session || g.o->gateway != NULL)
            start_tunnel(&g);
        else
            register_at_endpoint(&g);
        code = supervisor_run(&g.s);
    }
    job_cancel(g.job);
    exchange_release(&g.beat);
    struct event *const timers[] = {g.beat_timer, g.beat_deadline, g.register_timer};
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
        if (timers[i] != NULL)
            event_free(timers[i]);
    supervisor_release(&g.s);
    if (g.leg.control_sock != NULL)
        (void)unlink(g.leg.control_sock);
    leg_release(&g.leg);
    register_answer_release(&g.session);
    free(g.agent_id);
    free(g.public_key);
    free(g.secret);
    free(g.credential);
    return code;
}
