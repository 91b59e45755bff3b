/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/gateway.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/wire/agent_status.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/gateway/membership.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/ssh/advice.h"
#include "tunnel-agent/ssh/fixed_options.h"
#include "tunnel-agent/ssh/jump.h"
#include "tunnel-agent/tunnel/supervisor.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TAKEOVER_MS = 60000,    /* ended twice within this: another client uses our key */
    PORT_BUSY_WARN = 2,     /* in a row: so it is not an old session of ours that is ending */
    PORT_BUSY_REGISTER = 3, /* each so many in a row: register, for another port perhaps */
};

struct gateway {
    struct supervisor s;
    struct membership m;
    int64_t closed_ms; /* when the gateway last ended an ssh that was up; 0: never */
    unsigned port_busy;
};

/* ---- what the tunnel reports ---- */

static void on_up(void *ctx)
{
    struct gateway *g = ctx;
    g->port_busy = 0;
    g->m.last_word.login_is_refused = false;
    membership_send(&g->m);
}

static void pause_for_person(struct gateway *g, const char *reason)
{
    tunnel_pause(g->m.tunnel,
                 backoff_next(&g->m.tunnel->backoff, BACKOFF_AUTH, &g->s.settings, arc4random()),
                 reason);
}

static bool on_refused_login(struct gateway *g)
{
    struct buf reason = {0};
    g->m.last_word.login_is_refused = true;
    if (membership_stop_if_confirmed(&g->m))
        return true;
    bool registered_lately =
        g->m.registration.is_current &&
        clock_monotonic_ms() - g->m.registered_ms < g->s.settings.auth_retry_ms / 2;
    if (g->m.o->endpoint != NULL && !registered_lately) {
        tunnel_await_owner(g->m.tunnel, "login refused: asking the gateway why");
        membership_register(&g->m);
        return true;
    }
    buf_add(&reason, "login refused: ");
    sshadvice_add_words(&reason, g->m.tunnel->ssh.cause_text);
    if (g->m.turn.is_copied)
        buf_addf(&reason,
                 " Another host has the state of this agent. On the gateway: 'leasectl agent reset "
                 "%s'",
                 g->m.identity.agent_id);
    else
        buf_addf(
            &reason,
            " On the gateway: 'leasectl renew %s' if the lease has expired; 'leasectl agent add %s "
            "--key -' with the line that 'tunnel-agent key' prints here if it does not know this "
            "agent",
            g->m.identity.agent_id, g->m.identity.agent_id);
    pause_for_person(g, reason.failed ? "login refused" : reason.data);
    buf_release(&reason);
    return true;
}

static bool on_down(void *ctx, enum ssh_message cause, bool was_up)
{
    struct gateway *g = ctx;
    int64_t now_ms = clock_monotonic_ms();
    control_channel_stop(&g->m.channel);
    switch (cause) {
    case SSH_MESSAGE_AUTH:
        return on_refused_login(g);
    case SSH_MESSAGE_REMOTE_PORT:
        if (++g->port_busy == PORT_BUSY_WARN)
            log_warn(
                "the gateway's sshd does not give us port %u again: somebody else listens "
                "there (on the gateway: ss -ltnp 'sport = :%u'), or its Match block forbids it",
                g->m.registration.answer.port_b, g->m.registration.answer.port_b);
        if (g->port_busy % PORT_BUSY_REGISTER != 0)
            return false;
        if (g->m.o->endpoint != NULL) {
            membership_register(&g->m);
            return true;
        }
        membership_give_up_port(&g->m);
        /* Our login ends an old session of ours. If a stranger has the port, wait as for any
         * refusal. */
        return false;
    case SSH_MESSAGE_CLOSED:
        if (was_up && g->m.turn.is_copied) {
            pause_for_person(g, "another host has the state of this agent, and the gateway ended "
                                "our connection: see 'leasectl agents' there");
            return true;
        }
        if (was_up && g->closed_ms != 0 && now_ms - g->closed_ms < TAKEOVER_MS) {
            g->closed_ms = 0;
            pause_for_person(g, "another client uses this key: the gateway ended our connection "
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
    s->agent_id = g->m.identity.agent_id;
    s->port_b = g->m.registration.answer.port_b;
    s->lease_expires_at = g->m.registration.expires_at;
    s->connect_hint = g->m.registration.answer.connect_hint;
    s->is_copied = g->m.turn.is_copied;
}

/* ---- before the loop ---- */

static int prepare(struct gateway *g)
{
    char why[WHY_BYTES];
    if (statedir_open(&g->s.state, why) != 0 || arguments_read(&g->m.arguments, g->m.o, why) != 0) {
        log_error("%s", why);
        return EXIT_USAGE;
    }
    if (statedir_lock(&g->s.state, why) != 0) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    if (identity_read(&g->m.identity, &g->s.state, g->m.o->agent_id, why) != 0) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    credential_read(&g->m.credential, &g->s.state, g->m.arguments.credential);
    if (credential_current(&g->m.credential) == NULL) {
        log_error("no --api-key and no --token (or API_KEY), and this agent has no secret of its "
                  "own: where it had one and lost it, an invite brings it back ('leasectl invite "
                  "NAME --agent --replace' on the gateway)");
        return EXIT_USAGE;
    }
    if (g->m.o->gateway != NULL && g->m.o->host_key == NULL &&
        !registration_knows_host(&g->s.state)) {
        log_error("--gateway needs --host-key SHA256:... the first time");
        return EXIT_USAGE;
    }
    turn_read(&g->m.turn, &g->s.state);
    registration_read(&g->m.registration, &g->s.state, g->m.identity.agent_id,
                      g->m.o->host_key != NULL);
    return EXIT_DONE;
}

static int init_tunnel(struct gateway *g)
{
    const char *problem = NULL;
    if (supervisor_init(&g->s, &problem) != 0 || membership_init(&g->m) != 0)
        goto fail;
    g->s.fill_status = fill_status;
    g->s.fill_ctx = g;
    (void)strlcpy(g->m.leg.name, "gateway", sizeof(g->m.leg.name));
    g->m.tunnel = supervisor_add(&g->s, &g->m.leg, &problem);
    if (g->m.tunnel == NULL)
        goto fail;
    g->m.tunnel->hooks =
        (struct tunnel_hooks){.ctx = g, .up = on_up, .down = on_down, .changed = on_changed};
    return 0;
fail:
    log_error("cannot start: %s", problem != NULL ? problem : strerror(errno));
    return -1;
}

int gateway_loop(const struct options *o, const struct settings *settings)
{
    struct gateway g = {.s = {.settings = *settings},
                        .m = {.o = &o->gateway, .is_service = o->is_service}};
    g.m.s = &g.s;
    int code = prepare(&g);
    if (code == EXIT_DONE) {
        sshfixed_learn();
        sshjump_prepare(&g.s.state);
    }
    if (code == EXIT_DONE && init_tunnel(&g) != 0)
        code = EXIT_FAILED;
    if (code == EXIT_DONE) {
        /* With a registration of an earlier run it needs no endpoint: it registers through the
         * tunnel. */
        if (g.m.registration.exists || g.m.o->gateway != NULL)
            membership_start_tunnel(&g.m);
        else
            membership_register(&g.m);
        code = supervisor_loop(&g.s);
    }
    membership_cancel(&g.m);
    supervisor_release(&g.s);
    if (g.m.leg.control_sock != NULL)
        (void)unlink(g.m.leg.control_sock);
    membership_release(&g.m);
    return code;
}
