/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/exec/tunnel_keeper.h"

#include "lib/base/keeper.h"
#include "lib/base/log.h"
#include "tunnel-agent/exec/memory_key.h"
#include "tunnel-agent/gateway/redeem.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/host/platform.h"
#include "tunnel-agent/host/timer.h"
#include "tunnel-agent/tunnel/supervisor.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct keeping {
    const struct tunnel_keeper *terms;
    struct supervisor supervisor;
    struct tunnel *tunnel;
    struct memory_key key;
    struct event *judge, *from_program;
    int tie;
    int group;   /* of the command; 0: none runs */
    bool was_up; /* so the command was started */
};

/* ---- the key and the lease of an invite ---- */

/* In front of the person's own options, since ssh takes the first value of each. */
static const char *use_memory_key(struct leg *leg, const struct memory_key *key)
{
    char setting[MEMORY_KEY_PATH_BYTES + 32];
    struct leg own = {.ssh_option_count = 0};
    const char *problem;
    (void)snprintf(setting, sizeof(setting), "IdentityAgent=\"%s\"", key->socket);
    problem = leg_add_ssh_option(&own, "-o", setting);
    if (problem == NULL)
        problem = leg_add_ssh_option(&own, "-o", "IdentitiesOnly=yes");
    if (problem == NULL)
        problem = leg_add_ssh_option(&own, "-i", key->public_half);
    if (problem == NULL && leg->ssh_option_count + own.ssh_option_count > LEG_SSH_OPTIONS_MAX)
        problem = "are too many";
    if (problem == NULL) {
        memmove(leg->ssh_options + own.ssh_option_count, leg->ssh_options,
                leg->ssh_option_count * sizeof(leg->ssh_options[0]));
        memcpy(leg->ssh_options, own.ssh_options,
               own.ssh_option_count * sizeof(own.ssh_options[0]));
        leg->ssh_option_count += own.ssh_option_count;
        own.ssh_option_count = 0; /* they are the leg's now */
    }
    leg_release(&own);
    return problem;
}

/* Where no user is named, the invite names the login. */
static const char *set_login(struct leg *leg, const char *login)
{
    return strchr(leg->to, '@') != NULL ? NULL : leg_set_login(leg, login);
}

static int join(struct keeping *k)
{
    const struct tunnel_keeper *t = k->terms;
    struct leg *leg = &t->options->leg;
    struct redeemed done;
    char why[WHY_BYTES];
    const char *problem;
    if (memory_key_make(&k->key, t->state, why) != 0) {
        log_error("%s", why);
        return -1;
    }
    const struct redeem_terms terms = {.to = leg->to,
                                       .user_is_of_lease = true,
                                       .ssh_options = (const char *const *)leg->ssh_options,
                                       .ssh_option_count = leg->ssh_option_count,
                                       .identity = k->key.public_half,
                                       .agent_sock = k->key.socket,
                                       .host_key = leg->host_key[0] != '\0' ? leg->host_key : NULL,
                                       .lease_only = true,
                                       .code = t->code,
                                       .patience_s = REDEEM_PATIENCE_S,
                                       .settings = t->settings,
                                       .state = t->state};
    int rc = redeem(&terms, &done);
    if (rc != 0) {
        redeemed_log(&done);
    } else if (done.lease.is_agent) {
        /* A gateway that does not do as it was asked. The lease opens nothing for -L, and its key
         * ends with this process. */
        log_error("the invite was for the private host '%s' (leasectl invite %s --agent), and is "
                  "spent now: 'tunnel-agent join' redeems such a one. Whoever invited you can "
                  "repeat it with --replace",
                  done.lease.name, done.lease.name);
        rc = -1;
    } else if ((problem = set_login(leg, done.lease.login)) != NULL ||
               (problem = use_memory_key(leg, &k->key)) != NULL) {
        log_error("cannot use the invite: the host and options %s", problem);
        rc = -1;
    }
    redeemed_release(&done);
    return rc;
}

/* ---- the tunnel ---- */

static void fail(struct keeping *k, const char *why)
{
    if (k->supervisor.stopping)
        return;
    log_error("%s: %s",
              k->was_up ? "the tunnel cannot be had again, ending the command"
                        : "the command was not started: no tunnel",
              why);
    supervisor_stop(&k->supervisor, EXIT_FAILED);
}

static void on_up(void *ctx)
{
    struct keeping *k = ctx;
    if (k->was_up)
        return;
    if (k->tunnel->ports.left_out_count > 0) {
        fail(k, k->tunnel->standing.reason);
        return;
    }
    if (k->tunnel->watch.check.why[0] != '\0') {
        fail(k, k->tunnel->watch.check.why);
        return;
    }
    k->tunnel->watch.check.wanted = false; /* later the probe tells, and the command runs */
    k->was_up = true;
    platform_outlive_parent();
    tie_send(k->tie, TUNNEL_KEEPER_UP);
    if (getppid() != k->terms->program) /* it died before the two lines above */
        supervisor_stop(&k->supervisor, EXIT_FAILED);
}

/* Before the command runs, one failure is one too many: whoever started us decides. Something may
 * still be asked of the host, to say more than ssh did. */
static void on_judge(evutil_socket_t fd, short what, void *ctx)
{
    struct keeping *k = ctx;
    const struct tunnel *t = k->tunnel;
    (void)fd;
    (void)what;
    if (!k->was_up && t->ssh.pid == 0 && t->key_query.job == NULL && t->standing.reason[0] != '\0')
        fail(k, t->standing.reason);
    else if (k->was_up && k->terms->has_invite && k->key.agent == 0 && t->ssh.pid == 0)
        fail(k, "its key was in the ssh-agent that has ended");
}

/* The state is not whole yet: it is judged when the loop goes on. */
static void on_changed(void *ctx)
{
    struct keeping *k = ctx;
    supervisor_changed(&k->supervisor);
    timer_set(k->judge, 0);
}

static void on_reaped(void *ctx, pid_t pid)
{
    struct keeping *k = ctx;
    if (pid != k->key.agent || k->supervisor.stopping)
        return;
    memory_key_agent_ended(&k->key);
    log_warn("the ssh-agent that had the key has ended: the connection stays up, but cannot be "
             "made again");
    timer_set(k->judge, 0);
}

static void on_program(evutil_socket_t fd, short what, void *ctx)
{
    struct keeping *k = ctx;
    int number = 0;
    (void)what;
    enum tie_word word = tie_read(fd, 0, &number);
    if (word == TIE_LATE)
        return;
    if (word == TIE_NUMBER && number != 0) {
        k->group = number;
        return;
    }
    if (word == TIE_CUT)
        keeper_kill_group(k->group);
    (void)event_del(k->from_program);
    supervisor_stop(&k->supervisor, EXIT_DONE);
    supervisor_stop(&k->supervisor, EXIT_DONE); /* at once: nobody uses the tunnel any more */
}

static int start(struct keeping *k, const char **ret_why)
{
    struct supervisor *s = &k->supervisor;
    if (supervisor_init(s, ret_why) != 0)
        return -1;
    s->reaped = on_reaped;
    s->reaped_ctx = k;
    k->judge = evtimer_new(s->base, on_judge, k);
    k->from_program = event_new(s->base, k->tie, EV_READ | EV_PERSIST, on_program, k);
    if (k->judge == NULL || k->from_program == NULL || event_add(k->from_program, NULL) != 0)
        return -1;
    k->tunnel = supervisor_add(s, &k->terms->options->leg, ret_why);
    if (k->tunnel == NULL)
        return -1;
    k->tunnel->hooks = (struct tunnel_hooks){.ctx = k, .up = on_up, .changed = on_changed};
    k->tunnel->watch.check.wanted = k->terms->options->leg.probe != PROBE_NONE;
    tunnel_start(k->tunnel);
    return 0;
}

int tunnel_keep(void *arg, int tie)
{
    const struct tunnel_keeper *terms = arg;
    struct keeping k = {.terms = terms,
                        .supervisor = {.settings = *terms->settings, .state = *terms->state},
                        .tie = tie};
    const char *why = NULL;
    int code = EXIT_FAILED;
    platform_die_with_parent(terms->program);
    if (terms->has_invite && join(&k) != 0)
        goto out;
    if (start(&k, &why) != 0) {
        log_error("cannot start: %s", why != NULL ? why : strerror(errno));
        goto out;
    }
    code = supervisor_loop(&k.supervisor);
out:
    if (k.judge != NULL)
        event_free(k.judge);
    if (k.from_program != NULL)
        event_free(k.from_program);
    supervisor_release(&k.supervisor);
    memory_key_release(&k.key);
    return code;
}
