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
    MOVE_MS = 60000, /* another answer than before ends an ssh that is up once in this time */
    MEMBERSHIP_WHY_BYTES = 400,
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
    /* A gateway that came back spreads its agents. */
    if (m->registration.is_fresh && m->registration.answer.reconnect_after_ms > 0)
        tunnel_start_in(m->tunnel, m->registration.answer.reconnect_after_ms);
    else
        tunnel_start(m->tunnel);
}

/* ---- what a register answered ---- */

static bool host_is_known(const struct membership *m)
{
    return m->o->host_key != NULL || registration_knows_host(&m->s->state);
}

static int keep_answer(struct membership *m, const struct register_answer *a)
{
    int rc = registration_keep_origin(&m->s->state, a);
    if (rc == 0 && a->agent_secret[0] != '\0')
        rc = credential_keep_secret(&m->credential, &m->s->state, a->agent_secret);
    return rc == 0 ? registration_keep_answer(&m->s->state, a) : rc;
}

/* The leg of this answer, or *a and the leg as they were, and why in why. */
static int adopt(struct membership *m, struct register_answer *a,
                 char why[static MEMBERSHIP_WHY_BYTES])
{
    const struct register_answer before = m->registration.answer;
    const bool had = m->registration.is_there;
    m->registration.answer = *a;
    m->registration.is_there = true;
    const char *problem = strcmp(a->agent_id, m->identity.agent_id) != 0 ? "is for another agent_id"
                          : a->host_key_count == 0 && !host_is_known(m)
                              ? "does not tell the gateway's host keys: add --host-key SHA256:..."
                              : build_leg(m);
    if (problem != NULL)
        (void)snprintf(why, MEMBERSHIP_WHY_BYTES, "cannot use the gateway's answer: it %s",
                       problem);
    else if (keep_answer(m, a) != 0)
        (void)snprintf(why, MEMBERSHIP_WHY_BYTES,
                       "cannot keep what the gateway answered in '%.250s': %s", m->s->state.path,
                       strerror(errno));
    else
        return 0;
    m->registration.answer = before;
    m->registration.is_there = had;
    (void)build_leg(m); /* as it was: of the words that it was built of before */
    return -1;
}

/* Logs in with what is new. */
static void use_answer(struct membership *m, bool first, bool moved)
{
    if (m->tunnel->ssh.pid == 0)
        membership_start_tunnel(m);
    else if (first)
        tunnel_begin_anew(m->tunnel, "logging in again, for the port that the gateway gave");
    else if (moved) {
        m->moved_ms = clock_monotonic_ms();
        tunnel_restart(m->tunnel, "the gateway gave another port");
    }
}

static void take_answer(struct membership *m, const char *body, size_t len, bool through_tunnel)
{
    struct register_answer a = {.port_b = 0};
    char why[MEMBERSHIP_WHY_BYTES];
    const char *problem = register_answer_parse(body, len, &a);
    bool first = !m->registration.is_there,
         moved = first || a.port_b != m->registration.answer.port_b ||
                 strcmp(a.ssh_user, m->registration.answer.ssh_user) != 0;
    struct register_answer before = m->registration.answer;
    if (problem == NULL && through_tunnel && moved && !first && m->moved_ms != 0 &&
        clock_monotonic_ms() - m->moved_ms < MOVE_MS)
        problem = "names another port or login twice within a minute";
    if (problem != NULL)
        (void)snprintf(why, sizeof(why), "cannot use the gateway's answer: it %s", problem);
    if (problem != NULL || adopt(m, &a, why) != 0) {
        register_answer_release(&a);
        if (through_tunnel)
            log_warn("%s", why); /* and the tunnel stays */
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
    m->registration.is_fresh = true;
    m->credential.enrolment_is_tried = false;
    m->last_word.kind = LAST_WORD_NONE;
    m->registered_ms = clock_monotonic_ms();
    (void)strlcpy(m->registration.expires_at, a.lease_expires_at,
                  sizeof(m->registration.expires_at));
    backoff_reset(&m->backoff);
    use_answer(m, first, moved);
}

static void clone_message(const struct membership *m)
{
    log_error("the gateway knows '%s' with another key. If this machine is a copy of another: "
              "'rm %s/agent_id %s/agent.pem %s/agent_secret %s/session.json' makes it one of its "
              "own. If the old key is lost: on the gateway, 'leasectl revoke %s', 'leasectl delete "
              "%s'",
              m->identity.agent_id, m->s->state.path, m->s->state.path, m->s->state.path,
              m->s->state.path, m->identity.agent_id, m->identity.agent_id);
}

static void hear_last_word(struct membership *m, enum last_word_kind kind)
{
    if (kind == LAST_WORD_OTHER_KEY && m->last_word.kind != kind)
        clone_message(m);
    last_word_hear(&m->last_word, kind);
}

bool membership_ends(struct membership *m)
{
    if (!last_word_is_confirmed(&m->last_word, registration_beat_interval_ms(&m->registration)) ||
        (m->registration.is_there && !registration_has_first_login(&m->registration, &m->s->state)))
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
    if (m->once && !m->registration.is_there) {
        log_error("cannot register: %s", why);
        supervisor_stop(m->s, EXIT_FAILED);
        return;
    }
    if (m->registration.is_there) {
        /* The tunnel's next attempt leads here again, or in: the lease may have been renewed while
         * the endpoint cannot be reached. A refused login is not tried again soon. */
        if (m->last_word.login_is_refused && kind != BACKOFF_AUTH)
            wait_ms =
                backoff_next(&m->tunnel->backoff, BACKOFF_AUTH, &m->s->settings, arc4random());
        tunnel_hold(m->tunnel, wait_ms, why);
        return;
    }
    if (kind == BACKOFF_AUTH) {
        tunnel_hold_for_owner(m->tunnel, why);
    } else {
        log_warn("cannot register: %s; again in %lld s", why, (long long)(wait_ms / 1000 + 1));
        tunnel_wait_for_owner(m->tunnel, why);
    }
    timer_set(m->register_timer, wait_ms);
}

static void on_registered(struct membership *m, unsigned status, const char *body, size_t len,
                          bool through_tunnel)
{
    struct register_error error;
    char why[MEMBERSHIP_WHY_BYTES];
    if (status == 200) {
        take_answer(m, body, len, through_tunnel);
        return;
    }
    if (status == 0) {
        (void)snprintf(why, sizeof(why), "%.*s", len < 380 ? (int)len : 380, body);
        retry_register(m, BACKOFF_SILENCE, why);
        return;
    }
    register_error_parse(body, len, &error);
    if (credential_turn(&m->credential, error.code) && !through_tunnel) {
        membership_register(m);
        return;
    }
    if (error.code == CONTROL_REVOKED)
        hear_last_word(m, LAST_WORD_REVOKED);
    else if (error.code == CONTROL_CONFLICT)
        hear_last_word(m, LAST_WORD_OTHER_KEY);
    refusal_explain(m->identity.agent_id, &m->credential, status, &error, why);
    if (through_tunnel)
        log_warn("%s", why); /* the tunnel works, and that is what counts */
    else if (!membership_ends(m))
        retry_register(m, refusal_backoff(error.code), why);
}

/* ---- register at the endpoint ---- */

static void on_register_answer(void *ctx, unsigned status, const char *body, size_t len)
{
    on_registered(ctx, status, body, len, false);
}

void membership_register(struct membership *m)
{
    if (m->register_job.job != NULL || m->s->stopping)
        return;
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

static void on_beat_refused(struct membership *m, unsigned status, const struct register_error *e)
{
    switch (e->code) {
    case CONTROL_GONE:
    case CONTROL_NOT_FOUND:
        log_warn("the gateway says: %s. Registering again", e->text);
        m->registration.is_fresh = false;
        membership_ask(m);
        return;
    case CONTROL_REVOKED:
        if (m->last_word.kind != LAST_WORD_REVOKED)
            log_warn("the gateway says that '%s' is revoked: %s. Going on until its sshd says so, "
                     "too",
                     m->identity.agent_id, e->text);
        hear_last_word(m, LAST_WORD_REVOKED);
        return;
    case CONTROL_RATE_LIMITED:
    case CONTROL_UNAUTHORIZED:
        if (credential_turn(&m->credential, e->code)) {
            log_warn("the gateway does not accept our secret: %s. Registering again", e->text);
            m->registration.is_fresh = false;
            membership_ask(m);
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

static void on_beat_answer(struct membership *m, unsigned status, const char *body, size_t len)
{
    struct heartbeat_answer a;
    struct register_error error;
    if (status != 200) {
        register_error_parse(body, len, &error);
        on_beat_refused(m, status, &error);
        return;
    }
    const char *problem = heartbeat_answer_parse(body, len, &a);
    if (problem != NULL) {
        log_warn("cannot use the answer to a heartbeat: it %s", problem);
        return;
    }
    m->last_word.kind = LAST_WORD_NONE;
    if (a.lease_expires_at[0] != '\0')
        (void)strlcpy(m->registration.expires_at, a.lease_expires_at,
                      sizeof(m->registration.expires_at));
    m->beats_down = a.up == 0 ? m->beats_down + 1 : 0;
    if (m->beats_down == 2)
        log_warn("the gateway sees no listener on port %u, though our ssh is up: see 'leasectl "
                 "doctor' there",
                 m->registration.answer.port_b);
}

static void on_answer(void *ctx, unsigned status, const char *body, size_t len)
{
    struct membership *m = ctx;
    if (m->beat_is_register)
        on_registered(m, status, body, len, true);
    else
        on_beat_answer(m, status, body, len);
}

void membership_ask(struct membership *m)
{
    struct buf body = {0}, request = {0};
    const struct http_url url = {
        .host = "127.0.0.1",
        .port = arguments_control_port(&m->arguments, m->registration.answer.control_port),
        .path = "/"};
    if (!m->tunnel->proven || m->s->stopping)
        return;
    m->beat_is_register = !m->registration.is_fresh;
    int rc = m->beat_is_register ? register_format(&m->register_job.words, &body)
                                 : heartbeat_request_format(m->identity.agent_id, &body);
    if (rc == 0)
        http_post_format(&url, credential_now(&m->credential), body.data, &request);
    beat_ask(&m->beat, m->leg.control_sock, rc == 0 ? buf_text(&request) : NULL);
    buf_release(&body);
    buf_release(&request);
}

static void on_due(void *ctx)
{
    membership_ask(ctx);
}

/* ---- life ---- */

/* Each part knows only what it is given here. */
static void connect_parts(struct membership *m)
{
    m->register_job = (struct register_job){.words = {.identity = &m->identity,
                                                      .arguments = &m->arguments,
                                                      .registration = &m->registration},
                                            .credential = &m->credential,
                                            .answered = on_register_answer,
                                            .ctx = m};
    m->beat = (struct beat){.base = m->s->base,
                            .registration = &m->registration,
                            .due = on_due,
                            .answered = on_answer,
                            .ctx = m};
}

int membership_init(struct membership *m)
{
    connect_parts(m);
    m->register_timer = evtimer_new(m->s->base, on_register_timer, m);
    return beat_init(&m->beat) == 0 && m->register_timer != NULL ? 0 : -1;
}

void membership_end(struct membership *m)
{
    register_job_cancel(&m->register_job);
    beat_release(&m->beat);
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
