/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/membership.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/wire/control.h"
#include "lib/wire/register.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/gateway/gateway_leg.h"
#include "tunnel-agent/gateway/http.h"
#include "tunnel-agent/gateway/refusal.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/timer.h"
#include "tunnel-agent/tunnel/supervisor.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

enum {
    MOVE_MS = 60000, /* an answer may move a tunnel that is up once in this time */
};

static void retry_register(struct membership *m, enum backoff_kind kind, const char *why);

static const char *build_leg(struct membership *m)
{
    return gateway_leg_build(&m->leg, &m->arguments, &m->registration, &m->s->state);
}

void membership_start_tunnel(struct membership *m)
{
    const char *problem = build_leg(m);
    if (problem != NULL) {
        log_error("cannot use what the gateway answered: its host or login %s", problem);
        supervisor_stop(m->s, EXIT_FAILED);
        return;
    }
    /* A gateway that has come back spreads the logins of its agents. */
    if (m->registration.is_current && m->registration.answer.reconnect_after_ms > 0)
        tunnel_start_in(m->tunnel, m->registration.answer.reconnect_after_ms);
    else
        tunnel_start(m->tunnel);
}

/* ---- what a register answered ---- */

static bool host_is_known(const struct membership *m)
{
    return m->o->host_key != NULL || registration_knows_host(&m->s->state);
}

static int save_answer(struct membership *m, const struct register_answer *a)
{
    int rc = registration_save_origin(&m->s->state, a);
    if (rc == 0 && a->agent_secret[0] != '\0')
        rc = credential_save_secret(&m->credential, &m->s->state, a->agent_secret);
    return rc == 0 ? registration_save_answer(&m->s->state, a) : rc;
}

/* Takes *a over, builds its leg and saves it. 0; or -1 with why, and the registration and leg are
 * as before. */
static int accept_answer(struct membership *m, struct register_answer *a,
                         char why[static REFUSAL_WHY_BYTES])
{
    const struct register_answer before = m->registration.answer;
    const bool existed = m->registration.exists;
    m->registration.answer = *a;
    m->registration.exists = true;
    const char *problem = strcmp(a->agent_id, m->identity.agent_id) != 0 ? "is for another agent_id"
                          : a->host_key_count == 0 && !host_is_known(m)
                              ? "does not tell the gateway's host keys: add --host-key SHA256:..."
                              : build_leg(m);
    if (problem != NULL)
        (void)snprintf(why, REFUSAL_WHY_BYTES, "cannot use the gateway's answer: it %s", problem);
    else if (save_answer(m, a) != 0)
        (void)snprintf(why, REFUSAL_WHY_BYTES, "cannot save the gateway's answer in '%.250s': %s",
                       m->s->state.path, strerror(errno));
    else
        return 0;
    m->registration.answer = before;
    m->registration.exists = existed;
    (void)build_leg(m); /* cannot fail: it was built of the same before */
    return -1;
}

/* Starts the tunnel, or logs in again if the answer changed something. */
static void update_tunnel(struct membership *m, bool first, bool moved)
{
    if (m->tunnel->ssh.pid == 0)
        membership_start_tunnel(m);
    else if (first)
        tunnel_reconnect(m->tunnel, "logging in again, for the port that the gateway gave");
    else if (moved) {
        m->moved_ms = clock_monotonic_ms();
        tunnel_restart(m->tunnel, "the gateway gave another port");
    }
}

static void on_register_ok(struct membership *m, const char *body, size_t len, bool through_tunnel)
{
    struct register_answer a = {.port_b = 0};
    char why[REFUSAL_WHY_BYTES];
    const char *problem = register_answer_parse(body, len, &a);
    bool first = !m->registration.exists,
         moved = first || a.port_b != m->registration.answer.port_b ||
                 strcmp(a.ssh_user, m->registration.answer.ssh_user) != 0;
    struct register_answer before = m->registration.answer;
    if (problem == NULL && through_tunnel && moved && !first && m->moved_ms != 0 &&
        clock_monotonic_ms() - m->moved_ms < MOVE_MS)
        problem = "names another port or login twice within a minute";
    if (problem != NULL)
        (void)snprintf(why, sizeof(why), "cannot use the gateway's answer: it %s", problem);
    if (problem != NULL || accept_answer(m, &a, why) != 0) {
        register_answer_release(&a);
        if (through_tunnel)
            log_warn("%s", why); /* the tunnel stays as it is */
        else
            retry_register(m, BACKOFF_REFUSED, why);
        return;
    }
    register_answer_release(&before);
    if (a.port_changed_from != 0)
        log_warn("the gateway gave port %u in place of %u, which somebody else holds there",
                 a.port_b, a.port_changed_from);
    log_info("registered agent_id=%s port_b=%u ssh_user=%s jump_user=%s jump_host=%s "
             "connect_hint='%s'",
             a.agent_id, a.port_b, a.ssh_user, a.jump_user, a.jump_host, a.connect_hint);
    turn_accepted(&m->turn, a.counter);
    m->registration.is_current = true;
    m->credential.tries_enrolment = false;
    m->last_word.kind = LAST_WORD_NONE;
    m->registered_ms = clock_monotonic_ms();
    (void)strlcpy(m->registration.expires_at, a.lease_expires_at,
                  sizeof(m->registration.expires_at));
    backoff_reset(&m->backoff);
    update_tunnel(m, first, moved);
}

static void log_other_key(const struct membership *m)
{
    log_error("the gateway knows '%s' with another key. If this machine is a copy of another: "
              "'rm %s/agent_id %s/agent.pem %s/agent_secret %s/session.json' makes it one of its "
              "own. If the old key is lost: on the gateway, 'leasectl revoke %s', 'leasectl delete "
              "%s'",
              m->identity.agent_id, m->s->state.path, m->s->state.path, m->s->state.path,
              m->s->state.path, m->identity.agent_id, m->identity.agent_id);
}

static void record_last_word(struct membership *m, enum last_word_kind kind)
{
    if (kind == LAST_WORD_OTHER_KEY && m->last_word.kind != kind)
        log_other_key(m);
    last_word_record(&m->last_word, kind);
}

bool membership_stop_if_confirmed(struct membership *m)
{
    if (!last_word_is_confirmed(&m->last_word,
                                registration_heartbeat_interval_ms(&m->registration)) ||
        (m->registration.exists && !registration_has_first_login(&m->registration, &m->s->state)))
        return false;
    if (m->last_word.kind == LAST_WORD_REVOKED)
        log_warn("the gateway revoked '%s', and its sshd refuses the key. Stopping for good",
                 m->identity.agent_id);
    else
        log_error("its sshd refuses the key, too. Stopping");
    supervisor_stop(m->s, m->last_word.kind == LAST_WORD_REVOKED ? EXIT_DONE : EXIT_FAILED);
    return true;
}

static void retry_register(struct membership *m, enum backoff_kind kind, const char *why)
{
    int64_t wait_ms = backoff_next(&m->backoff, kind, &m->s->settings, arc4random());
    if (m->is_service && !m->registration.exists) {
        log_error("cannot register: %s", why);
        supervisor_stop(m->s, EXIT_FAILED);
        return;
    }
    if (m->registration.exists) {
        /* Let the tunnel try: the lease may have been renewed while the endpoint cannot be reached.
         * If the login is refused it leads here again. A refused login is not tried again soon. */
        if (m->last_word.login_is_refused && kind != BACKOFF_AUTH)
            wait_ms =
                backoff_next(&m->tunnel->backoff, BACKOFF_AUTH, &m->s->settings, arc4random());
        tunnel_pause(m->tunnel, wait_ms, why);
        return;
    }
    if (kind == BACKOFF_AUTH) {
        tunnel_pause_until_owner(m->tunnel, why);
    } else {
        log_warn("cannot register: %s; again in %lld s", why, (long long)(wait_ms / 1000 + 1));
        tunnel_await_owner(m->tunnel, why);
    }
    timer_set(m->register_timer, wait_ms);
}

/* True: there is a credential to try at once. */
static bool try_other_credential(struct membership *m, enum control_code code)
{
    if (credential_switch(&m->credential, code))
        return true;
    if (code != CONTROL_UNAUTHORIZED || !credential_reread(&m->credential, &m->s->state))
        return false;
    identity_reread(&m->identity, &m->s->state);
    return true;
}

/* Another host has our state. The tunnel stays: whoever holds the control port while leased is down
 * can say so, too. If the gateway ends our session as well, gateway.c pauses. The next request is a
 * register, which an admin's reset lets in. */
static void on_copied(struct membership *m, const char *what)
{
    const bool is_new = !m->turn.is_copied;
    const int64_t wait_ms = turn_refused(&m->turn, &m->s->settings);
    m->registration.is_current = false;
    control_channel_wait(&m->channel, wait_ms);
    if (is_new)
        log_error("another host has the state of this agent, such as a copy of this machine: the "
                  "gateway says: %s. Stop the one that is not to be here. Trying again each 5 "
                  "minutes",
                  what);
    supervisor_changed(m->s);
}

static void on_register_answer(struct membership *m, unsigned status, const char *body, size_t len,
                               bool through_tunnel)
{
    struct register_error error;
    char why[REFUSAL_WHY_BYTES];
    if (status == 200) {
        on_register_ok(m, body, len, through_tunnel);
        return;
    }
    if (status == 0) {
        (void)snprintf(why, sizeof(why), "%.*s", len < 600 ? (int)len : 600, body);
        retry_register(m, BACKOFF_SILENCE, why);
        return;
    }
    register_error_parse(body, len, &error);
    if (try_other_credential(m, error.code)) {
        if (through_tunnel)
            membership_send(m);
        else
            membership_register(m);
        return;
    }
    if (error.code == CONTROL_REVOKED)
        record_last_word(m, LAST_WORD_REVOKED);
    else if (error.code == CONTROL_CONFLICT)
        record_last_word(m, LAST_WORD_OTHER_KEY);
    refusal_explain(m->identity.agent_id, &m->credential, status, &error, why);
    if (error.code == CONTROL_COPIED)
        on_copied(m, error.text);
    if (through_tunnel && error.code == CONTROL_COPIED)
        return;
    if (through_tunnel)
        log_warn("%s", why); /* the tunnel is up and stays */
    else if (!membership_stop_if_confirmed(m))
        retry_register(m, refusal_backoff(error.code), why);
}

/* ---- register at the endpoint ---- */

static const char *not_written(const struct membership *m)
{
    static char why[REFUSAL_WHY_BYTES];
    (void)snprintf(why, sizeof(why),
                   "cannot write '%.250s/turn', without which nothing is sent: %s",
                   m->s->state.path, strerror(errno));
    return why;
}

static void on_job_answer(void *ctx, unsigned status, const char *body, size_t len)
{
    on_register_answer(ctx, status, body, len, false);
}

void membership_register(struct membership *m)
{
    if (m->register_job.job != NULL || m->s->stopping)
        return;
    m->has_new_keys = false;
    if (turn_begin(&m->turn) != 0) {
        retry_register(m, BACKOFF_REFUSED, not_written(m));
        return;
    }
    if (register_job_start(&m->register_job, m->s->base) != 0)
        retry_register(m, BACKOFF_REFUSED, "out of processes or memory");
}

static void on_register_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    membership_register(ctx);
}

/* ---- through our own tunnel ---- */

static void on_heartbeat_refused(struct membership *m, unsigned status,
                                 const struct register_error *e)
{
    switch (e->code) {
    case CONTROL_GONE:
    case CONTROL_NOT_FOUND:
        log_warn("the gateway says: %s. Registering again", e->text);
        m->registration.is_current = false;
        membership_send(m);
        return;
    case CONTROL_COPIED:
        on_copied(m, e->text);
        return;
    case CONTROL_REVOKED:
        if (m->last_word.kind != LAST_WORD_REVOKED)
            log_warn("the gateway says that '%s' is revoked: %s. Going on until its sshd says so, "
                     "too",
                     m->identity.agent_id, e->text);
        record_last_word(m, LAST_WORD_REVOKED);
        return;
    case CONTROL_RATE_LIMITED:
    case CONTROL_UNAUTHORIZED:
        if (try_other_credential(m, e->code)) {
            log_warn("the gateway does not accept our secret: %s. Registering again", e->text);
            m->registration.is_current = false;
            membership_send(m);
            return;
        }
        if (e->code == CONTROL_RATE_LIMITED) {
            log_warn("a heartbeat was answered %u: %s", status, e->text);
            return;
        }
        log_warn(
            "the gateway does not accept our secret: %s. On the gateway, 'leasectl agent reset "
            "%s' lets this agent have a new one",
            e->text, m->identity.agent_id);
        return;
    default:
        log_warn("a heartbeat was answered %u: %s", status, e->text);
        return;
    }
}

static void on_heartbeat_answer(struct membership *m, unsigned status, const char *body, size_t len)
{
    struct heartbeat_answer a;
    struct register_error error;
    if (status != 200) {
        register_error_parse(body, len, &error);
        on_heartbeat_refused(m, status, &error);
        return;
    }
    const char *problem = heartbeat_answer_parse(body, len, &a);
    if (problem != NULL) {
        log_warn("cannot use the answer to a heartbeat: it %s", problem);
        return;
    }
    turn_accepted(&m->turn, a.counter);
    m->last_word.kind = LAST_WORD_NONE;
    if (a.lease_expires_at[0] != '\0')
        (void)strlcpy(m->registration.expires_at, a.lease_expires_at,
                      sizeof(m->registration.expires_at));
    m->heartbeats_down = a.up == 0 ? m->heartbeats_down + 1 : 0;
    if (m->heartbeats_down == 2)
        log_warn("the gateway sees no listener on port %u, though our ssh is up: see 'leasectl "
                 "doctor' there",
                 m->registration.answer.port_b);
}

static void on_channel_answer(void *ctx, unsigned status, const char *body, size_t len)
{
    struct membership *m = ctx;
    if (m->sends_register)
        on_register_answer(m, status, body, len, true);
    else
        on_heartbeat_answer(m, status, body, len);
    if (m->has_new_keys)
        membership_send(m);
}

void membership_send(struct membership *m)
{
    struct buf body = {0}, request = {0};
    const struct url url = {
        .host = "127.0.0.1",
        .port = arguments_control_port(&m->arguments, m->registration.answer.control_port),
        .path = "/"};
    if (!m->tunnel->has_answered || m->s->stopping)
        return;
    m->sends_register = !m->registration.is_current || m->has_new_keys;
    if (m->sends_register)
        m->has_new_keys = false;
    int rc = turn_begin(&m->turn);
    if (rc != 0)
        log_warn("%s", not_written(m));
    else
        rc = m->sends_register
                 ? register_facts_format(&m->register_job.facts, &body)
                 : heartbeat_request_format(m->identity.agent_id, &m->turn.next, &body);
    if (rc == 0)
        http_post_format(&url, credential_current(&m->credential), body.data, &request);
    control_channel_send(&m->channel, m->leg.control_sock, rc == 0 ? buf_text(&request) : NULL);
    buf_release(&body);
    buf_release(&request);
}

void membership_give_up_port(struct membership *m)
{
    m->registration.exists = false;
    m->registration.is_current = false;
    (void)build_leg(m); /* cannot fail: it was built of the same before */
}

/* At a boot the target's sshd may start after us: it is asked again. */
static void on_channel_due(void *ctx)
{
    struct membership *m = ctx;
    target_keys_query(&m->target_keys, m->s->base);
    membership_send(m);
}

/* A tunnel that is not up tells them when it is; a request that is under way is not disturbed. */
static void on_target_keys(void *ctx)
{
    struct membership *m = ctx;
    m->has_new_keys = true;
    if (!exchange_is_under_way(&m->channel.exchange))
        membership_send(m);
}

/* ---- life ---- */

/* Gives each part what it may know. */
static void connect_parts(struct membership *m)
{
    m->register_job = (struct register_job){.facts = {.identity = &m->identity,
                                                      .arguments = &m->arguments,
                                                      .registration = &m->registration,
                                                      .target_keys = &m->target_keys,
                                                      .counter = &m->turn.next},
                                            .credential = &m->credential,
                                            .answered = on_job_answer,
                                            .ctx = m};
    m->target_keys =
        (struct target_keys){.target = m->arguments.target, .found = on_target_keys, .ctx = m};
    m->channel = (struct control_channel){.base = m->s->base,
                                          .registration = &m->registration,
                                          .due = on_channel_due,
                                          .answered = on_channel_answer,
                                          .ctx = m};
}

int membership_init(struct membership *m)
{
    connect_parts(m);
    m->register_timer = evtimer_new(m->s->base, on_register_timer, m);
    target_keys_query(&m->target_keys, m->s->base);
    return control_channel_init(&m->channel) == 0 && m->register_timer != NULL ? 0 : -1;
}

void membership_cancel(struct membership *m)
{
    register_job_cancel(&m->register_job);
    target_keys_release(&m->target_keys);
    control_channel_release(&m->channel);
    if (m->register_timer != NULL)
        event_free(m->register_timer);
}

void membership_release(struct membership *m)
{
    leg_release(&m->leg);
    registration_release(&m->registration);
    identity_release(&m->identity);
    credential_release(&m->credential);
    arguments_release(&m->arguments);
}
