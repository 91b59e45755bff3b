/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/gateway.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/wire/agent_status.h"
#include "lib/wire/control.h"
#include "lib/wire/register.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/gateway/agent_id.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/https.h"
#include "tunnel-agent/gateway/overssh.h"
#include "tunnel-agent/gateway/post.h"
#include "tunnel-agent/gateway/url.h"
#include "tunnel-agent/host/exchange.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/job.h"
#include "tunnel-agent/host/timer.h"
#include "tunnel-agent/ssh/alias.h"
#include "tunnel-agent/ssh/forced.h"
#include "tunnel-agent/ssh/jump.h"
#include "tunnel-agent/ssh/key.h"
#include "tunnel-agent/tunnel/supervisor.h"
#include "tunnel-agent/tunnel/tunnel.h"

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
    MOVE_MS = 60000,     /* another answer than before ends an ssh that is up once in this time */
    LAST_WORD_BEATS = 3, /* heartbeats' intervals for which a last word counts as fresh */
    PORT_BUSY_SAID = 2,  /* in a row: not a session of our own that was about to end */
    PORT_BUSY_MAX = 3,   /* in a row: ask the gateway for its opinion */
    WHY_BYTES = 400,
};

/*
 * Words of the control plane that would end this agent. Whoever can take its port while leased is
 * down can say them, so none counts alone: it must be fresh, and sshd, whose host key is pinned,
 * must have refused our key, too, for the login that we had from the first.
 */
enum last_word { LAST_WORD_NONE, LAST_WORD_REVOKED, LAST_WORD_OTHER_KEY };

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
    bool tried_credential; /* the secret was refused, and so the enrolment key is used */
    struct backoff backoff;
    int64_t registered_ms, closed_ms;
    int64_t moved_ms;   /* when an answer last ended an ssh that was up; 0: never */
    bool login_refused; /* and not up since */
    enum last_word last_word;
    int64_t last_word_ms;
    unsigned port_busy, beats_down;
    bool beat_silence_logged;
};

static void beat(struct gateway *g);
static void register_at_endpoint(struct gateway *g);
static void on_registered(struct gateway *g, unsigned status, const char *body, size_t len,
                          bool through_tunnel);
static void retry_register(struct gateway *g, enum backoff_kind kind, const char *why);

static const char *credential_now(const struct gateway *g)
{
    if (g->secret != NULL && !g->tried_credential)
        return g->secret;
    return g->credential != NULL ? g->credential : g->secret;
}

static int64_t beat_interval_ms(const struct gateway *g)
{
    int64_t s = g->session.heartbeat_interval_seconds;
    if (s <= 0)
        s = BEAT_DEFAULT_S;
    return (s < BEAT_MAX_S ? s : BEAT_MAX_S) * 1000;
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

/* Of the first register alone: what comes later may be anybody's words. sshd itself tells of its
 * other keys, proven by the one that is pinned (UpdateHostKeys). */
static int keep_host_keys(struct gateway *g, const struct register_answer *a)
{
    struct buf lines = {0};
    int rc = 0;
    char *kept = statedir_read(&g->s.state, "known_hosts");
    for (size_t i = 0; i < a->host_key_count; i++)
        buf_addf(&lines, "tunlease-gateway %s\n", a->host_keys[i]);
    if (lines.len > 0 && kept == NULL)
        rc = statedir_write(&g->s.state, "known_hosts", buf_text(&lines));
    free(kept);
    buf_release(&lines);
    return rc;
}

/*
 * The login of the first register, which is trusted with the host key, too. A later answer may name
 * one that the gateway's sshd refuses to everybody.
 */
static char *login_of(const struct register_answer *a)
{
    char *text = NULL;
    return asprintf(&text, "%s@%s:%u", a->ssh_user, a->ssh_host, a->ssh_port) < 0 ? NULL : text;
}

static int keep_first_login(const struct gateway *g)
{
    int rc = 0;
    char *kept = statedir_read(&g->s.state, "first_login");
    char *login = login_of(&g->session);
    if (kept == NULL)
        rc = login != NULL ? statedir_write(&g->s.state, "first_login", login) : -1;
    free(kept);
    free(login);
    return rc;
}

static bool is_first_login(const struct gateway *g)
{
    char *kept = statedir_read(&g->s.state, "first_login");
    char *login = login_of(&g->session);
    bool same = kept != NULL && login != NULL && strcmp(kept, login) == 0;
    free(kept);
    free(login);
    return same;
}

static bool host_is_known(const struct gateway *g)
{
    char *kept = statedir_read(&g->s.state, "known_hosts");
    free(kept);
    return kept != NULL || g->o->host_key != NULL;
}

static int keep_answer(struct gateway *g, struct register_answer *a)
{
    struct buf text = {0};
    int rc = keep_host_keys(g, a);
    if (rc == 0)
        rc = keep_first_login(g);
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

/* The leg of this answer, or *a and the leg as they were, and why in why. */
static int adopt(struct gateway *g, struct register_answer *a, char why[static WHY_BYTES])
{
    const struct register_answer before = g->session;
    const bool had = g->has_session;
    g->session = *a;
    g->has_session = true;
    const char *problem = strcmp(a->agent_id, g->agent_id) != 0 ? "is for another agent_id"
                          : a->host_key_count == 0 && !host_is_known(g)
                              ? "does not tell the gateway's host keys: add --host-key SHA256:..."
                              : build_leg(g);
    if (problem != NULL)
        (void)snprintf(why, WHY_BYTES, "cannot use the gateway's answer: it %s", problem);
    else if (keep_answer(g, a) != 0)
        (void)snprintf(why, WHY_BYTES, "cannot keep what the gateway answered in '%.250s': %s",
                       g->s.state.path, strerror(errno));
    else
        return 0;
    g->session = before;
    g->has_session = had;
    (void)build_leg(g); /* as it was: of the words that it was built of before */
    return -1;
}

/* Logs in with what is new. */
static void use_answer(struct gateway *g, bool first, bool moved)
{
    if (g->tunnel->ssh.pid == 0)
        start_tunnel(g);
    else if (first)
        tunnel_begin_anew(g->tunnel, "logging in again, for the port that the gateway gave");
    else if (moved) {
        g->moved_ms = clock_monotonic_ms();
        tunnel_restart(g->tunnel, "the gateway gave another port");
    }
}

static void take_answer(struct gateway *g, const char *body, size_t len, bool through_tunnel)
{
    struct register_answer a = {.port_b = 0};
    char why[WHY_BYTES];
    const char *problem = register_answer_parse(body, len, &a);
    bool first = !g->has_session, moved = first || a.port_b != g->session.port_b ||
                                          strcmp(a.ssh_user, g->session.ssh_user) != 0;
    struct register_answer before = g->session;
    if (problem == NULL && through_tunnel && moved && !first && g->moved_ms != 0 &&
        clock_monotonic_ms() - g->moved_ms < MOVE_MS)
        problem = "names another port or login twice within a minute";
    if (problem != NULL)
        (void)snprintf(why, sizeof(why), "cannot use the gateway's answer: it %s", problem);
    if (problem != NULL || adopt(g, &a, why) != 0) {
        register_answer_release(&a);
        if (through_tunnel)
            log_warn("%s", why); /* and the tunnel stays */
        else
            retry_register(g, BACKOFF_REFUSED, why);
        return;
    }
    register_answer_release(&before);
    if (a.port_changed_from != 0)
        log_warn("the gateway gave port %u in place of %u, which somebody else holds there",
                 a.port_b, a.port_changed_from);
    log_info("registered agent_id=%s port_b=%u ssh_user=%s jump_user=%s jump_host=%s "
             "connect_hint='%s'",
             a.agent_id, a.port_b, a.ssh_user, a.jump_user, a.jump_host, a.connect_hint);
    g->registered = true;
    g->tried_credential = false;
    g->last_word = LAST_WORD_NONE;
    g->registered_ms = clock_monotonic_ms();
    (void)strlcpy(g->expires_at, a.lease_expires_at, sizeof(g->expires_at));
    backoff_reset(&g->backoff);
    use_answer(g, first, moved);
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

static void hear_last_word(struct gateway *g, enum last_word word)
{
    if (word == LAST_WORD_OTHER_KEY && g->last_word != word)
        clone_message(g);
    g->last_word = word;
    g->last_word_ms = clock_monotonic_ms();
}

static bool ends_for_good(struct gateway *g)
{
    if (!g->login_refused || g->last_word == LAST_WORD_NONE ||
        clock_monotonic_ms() - g->last_word_ms > LAST_WORD_BEATS * beat_interval_ms(g) ||
        (g->has_session && !is_first_login(g)))
        return false;
    if (g->last_word == LAST_WORD_REVOKED)
        log_warn("the gateway revoked '%s', and its sshd refuses the key. Stopping for good",
                 g->agent_id);
    else
        log_error("its sshd refuses the key, too. Stopping");
    supervisor_stop(&g->s, g->last_word == LAST_WORD_REVOKED ? EXIT_DONE : EXIT_FAILED);
    return true;
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
        tunnel_hold_for_owner(g->tunnel, why);
    } else {
        log_warn("cannot register: %s; again in %lld s", why, (long long)(wait_ms / 1000 + 1));
        tunnel_wait_for_owner(g->tunnel, why);
    }
    timer_set(g->register_timer, wait_ms);
}

/* Why the answer is a no, for a person. */
static void explain_refusal(const struct gateway *g, unsigned status,
                            const struct register_error *e, char why[static WHY_BYTES])
{
    switch (e->code) {
    case CONTROL_REVOKED:
        (void)snprintf(why, WHY_BYTES, "the gateway says that '%.64s' is revoked: %.200s",
                       g->agent_id, e->text);
        break;
    case CONTROL_CONFLICT:
        (void)snprintf(why, WHY_BYTES, "the gateway knows '%.64s' with another key: %.200s",
                       g->agent_id, e->text);
        break;
    case CONTROL_EXPIRED:
        (void)snprintf(why, WHY_BYTES,
                       "the gateway refuses: %.200s. On the gateway: leasectl renew %.64s", e->text,
                       g->agent_id);
        break;
    case CONTROL_UNAUTHORIZED:
        (void)snprintf(
            why, WHY_BYTES,
            "the gateway does not accept the %s: %.120s. If %s right, and this agent was "
            "registered there: on the gateway, 'leasectl agent reset %.64s'",
            g->secret == NULL       ? "key or token"
            : g->credential != NULL ? "agent_secret, nor the key or token"
                                    : "agent_secret",
            e->text, g->secret != NULL && g->credential != NULL ? "they are" : "it is",
            g->agent_id);
        break;
    default:
        (void)snprintf(why, WHY_BYTES, "the gateway answers %u: %.200s", status,
                       e->text[0] != '\0' ? e->text : "no word of leased's");
        break;
    }
}

static enum backoff_kind kind_of_refusal(enum control_code code)
{
    switch (code) {
    case CONTROL_UNAUTHORIZED:
    case CONTROL_FORBIDDEN:
    case CONTROL_EXPIRED:
    case CONTROL_REVOKED:
    case CONTROL_CONFLICT:
        return BACKOFF_AUTH;
    default:
        return BACKOFF_REFUSED;
    }
}

/*
 * After a no: to the secret, the enrolment key is tried, since a gateway that forgot us may admit
 * us anew; to that one, the secret again. Who said no may not have been the gateway, and one that
 * is asked by many says "too many" to what it would have refused. True: at once.
 */
static bool turn_credential(struct gateway *g, enum control_code code)
{
    if ((code != CONTROL_UNAUTHORIZED && code != CONTROL_RATE_LIMITED) || g->secret == NULL ||
        g->credential == NULL)
        return false;
    g->tried_credential = !g->tried_credential;
    return g->tried_credential;
}

static void on_registered(struct gateway *g, unsigned status, const char *body, size_t len,
                          bool through_tunnel)
{
    struct register_error error;
    char why[WHY_BYTES];
    if (status == 200) {
        take_answer(g, body, len, through_tunnel);
        return;
    }
    if (status == 0) {
        (void)snprintf(why, sizeof(why), "%.*s", len < 380 ? (int)len : 380, body);
        retry_register(g, BACKOFF_SILENCE, why);
        return;
    }
    register_error_parse(body, len, &error);
    if (turn_credential(g, error.code) && !through_tunnel) {
        register_at_endpoint(g);
        return;
    }
    if (error.code == CONTROL_REVOKED)
        hear_last_word(g, LAST_WORD_REVOKED);
    else if (error.code == CONTROL_CONFLICT)
        hear_last_word(g, LAST_WORD_OTHER_KEY);
    explain_refusal(g, status, &error, why);
    if (through_tunnel)
        log_warn("%s", why); /* the tunnel works, and that is what counts */
    else if (!ends_for_good(g))
        retry_register(g, kind_of_refusal(error.code), why);
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

static void on_beat_refused(struct gateway *g, unsigned status, const struct register_error *e)
{
    switch (e->code) {
    case CONTROL_GONE:
    case CONTROL_NOT_FOUND:
        log_warn("the gateway says: %s. Registering again", e->text);
        g->registered = false;
        beat(g);
        return;
    case CONTROL_REVOKED:
        if (g->last_word != LAST_WORD_REVOKED)
            log_warn("the gateway says that '%s' is revoked: %s. Going on until its sshd says so, "
                     "too",
                     g->agent_id, e->text);
        hear_last_word(g, LAST_WORD_REVOKED);
        return;
    case CONTROL_RATE_LIMITED:
    case CONTROL_UNAUTHORIZED:
        if (turn_credential(g, e->code)) {
            log_warn("the gateway does not accept our secret: %s. Registering again", e->text);
            g->registered = false;
            beat(g);
            return;
        }
        if (e->code == CONTROL_RATE_LIMITED) {
            log_warn("a heartbeat was answered %u: %s", status, e->text);
            return;
        }
        log_warn(
            "the gateway does not accept our secret: %s. On the gateway, 'leasectl agent reset "
            "%s' lets this agent have a new one",
            e->text, g->agent_id);
        return;
    default:
        log_warn("a heartbeat was answered %u: %s", status, e->text);
        return;
    }
}

static void on_beat_answer(struct gateway *g, unsigned status, const char *body, size_t len)
{
    struct heartbeat_answer a;
    struct register_error error;
    if (status != 200) {
        register_error_parse(body, len, &error);
        on_beat_refused(g, status, &error);
        return;
    }
    const char *problem = heartbeat_answer_parse(body, len, &a);
    if (problem != NULL) {
        log_warn("cannot use the answer to a heartbeat: it %s", problem);
        return;
    }
    g->last_word = LAST_WORD_NONE;
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
    timer_set(g->beat_timer, beat_interval_ms(g));
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
        timer_set(g->beat_deadline, BEAT_ANSWER_MS);
    else
        timer_set(g->beat_timer, beat_interval_ms(g));
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
    if (ends_for_good(g))
        return true;
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
        if (++g->port_busy == PORT_BUSY_SAID)
            log_warn(
                "the gateway's sshd does not give us port %u again: somebody else listens "
                "there (on the gateway: ss -ltnp 'sport = :%u'), or its Match block forbids it",
                g->session.port_b, g->session.port_b);
        if (g->port_busy % PORT_BUSY_MAX == 0 && g->o->endpoint != NULL) {
            register_at_endpoint(g);
            return true;
        }
        return false; /* the login takes over from our own; a stranger is any answered refusal */
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
        if (keep_first_login(g) != 0)
            log_warn("cannot keep the login in '%s': %m", g->s.state.path);
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
    if ((g->agent_id = agent_id_get(&g->s.state, g->o->agent_id, why)) == NULL ||
        (g->public_key = key_public(&g->s.state, g->agent_id, why)) == NULL) {
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
    int code = prepare(&g);
    if (code == EXIT_DONE) {
        sshforced_learn();
        sshjump_prepare(&g.s.state);
    }
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
