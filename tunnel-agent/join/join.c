/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/join/join.h"

#include "lib/base/buf.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/gateway/redeem.h"
#include "tunnel-agent/host/endpoint.h"
#include "tunnel-agent/host/exit_code.h"
#include "tunnel-agent/join/friend.h"
#include "tunnel-agent/join/join_key.h"
#include "tunnel-agent/join/member.h"
#include "tunnel-agent/ssh/fixed_options.h"
#include "tunnel-agent/ssh/jump.h"
#include "tunnel-agent/ssh/resolve.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(const char *why)
{
    log_error("%s", why);
    return EXIT_USAGE;
}

/* ---- what a person is told ---- */

static void print_joined(const struct joined *lease, const struct join_key *key)
{
    char end[TIME_TEXT_BYTES];
    int64_t end_s = 0;
    (void)time_parse(lease->expires_at, &end_s); /* it was parsed before */
    time_format_zoned(end_s, end);
    text_print(stdout, "joined as '%s' with the key %s until %s", lease->name, key->fingerprint,
               end);
}

/* A range at both ends is one line. */
static void print_forwards(const struct leg *leg)
{
    struct buf line = {0};
    for (size_t i = 0, n; i < leg->forward_count; i += n) {
        const struct forward *f = &leg->forwards[i];
        n = leg_range_from(leg, i);
        endpoint_add(&line, f->bind, f->port, n);
        buf_add(&line, " leads to ");
        endpoint_add(&line, f->host, f->host_port, n);
        text_print(stdout, "%s there", buf_text_or(&line, "out of memory"));
        buf_clear(&line);
    }
    buf_release(&line);
}

/* The words that start it again, and make a service of it. */
static void print_later(const char *words)
{
    const char *set = getenv("STATE_DIR");
    const bool is_set = set != NULL && set[0] != '\0';
    text_print(stdout, "later:         %s%s%stunnel-agent %s", is_set ? "STATE_DIR=" : "",
               is_set ? set : "", is_set ? " " : "", words);
    text_print(stdout, "as a service:  %s%s%stunnel-agent install --systemd-user --write -- %s",
               is_set ? "STATE_DIR=" : "", is_set ? set : "", is_set ? " " : "", words);
}

/* ---- a friend ---- */

static int join_as_friend(struct join *j, const struct statedir *state, struct join_key *key,
                          const struct joined *lease)
{
    struct leg leg = {.ssh_option_count = 0};
    char why[WHY_BYTES], words[STATEDIR_PATH_BYTES + 32];
    print_joined(lease, key);
    if (lease->open.count == 0) {
        text_print(stdout, "it opens nothing to hold here; the gateway's line for it:");
        text_print(stdout, "%s", lease->connect);
        return EXIT_DONE;
    }
    if (join_key_become_friends(key, state, why) != 0 ||
        friend_add(state, &j->words, key, lease, &leg, why) != 0) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    join_key_settle(key, state, j->words.code);
    print_forwards(&leg);
    (void)snprintf(words, sizeof(words), "-c %s/" FRIEND_FILE, state->path);
    print_later(words);
    (void)strlcpy(j->leg_name, leg.name, sizeof(j->leg_name));
    leg_release(&leg);
    j->conf_file = statedir_file(state, FRIEND_FILE);
    j->options = (struct options){.mode = OPTIONS_FILE,
                                  .is_service = j->words.is_service,
                                  .conf_file = j->conf_file,
                                  .only_leg = j->leg_name};
    j->holds = j->conf_file != NULL;
    return j->holds ? EXIT_DONE : EXIT_FAILED;
}

/* ---- an agent ---- */

/* LOGIN@HOST:PORT, with host and port as ssh resolves what the person named: an agent's own
 * connection reads no configuration of the user. */
static int set_gateway(struct join *j, const char *login, char why[static WHY_BYTES])
{
    struct leg leg = {.ssh_option_count = 0};
    struct buf resolved = {0};
    char endpoint[ENDPOINT_BYTES];
    int rc = -1;
    const char *problem = leg_set_to(&leg, j->words.to);
    if (problem == NULL && j->words.port[0] != '\0')
        problem = leg_add_ssh_option(&leg, "-p", j->words.port);
    if (problem != NULL || sshresolve(&leg, &settings_default, &resolved) != 0) {
        (void)snprintf(why, WHY_BYTES, "cannot ask ssh where '%.200s' is", j->words.to);
        goto out;
    }
    char *host = sshresolve_copy(resolved.data, "hostname"),
         *port = sshresolve_copy(resolved.data, "port"),
         *jump = sshresolve_copy(resolved.data, "proxyjump");
    if (host != NULL && port != NULL) {
        if (jump != NULL && strcmp(jump, "none") != 0)
            log_warn("your ssh configuration reaches '%s' by way of '%s', but an agent connects "
                     "directly",
                     host, jump);
        endpoint_format(host, leg_port(port), endpoint);
        (void)snprintf(j->gateway, sizeof(j->gateway), "%s@%s", login, endpoint);
        rc = 0;
    }
    free(host);
    free(port);
    free(jump);
out:
    leg_release(&leg);
    buf_release(&resolved);
    return rc;
}

/* HOST:PORT, of which the host becomes a text of its own. */
static void set_target(struct join *j)
{
    struct gateway_options *g = &j->options.gateway;
    const char *target = j->words.target, *colon = target != NULL ? strrchr(target, ':') : NULL;
    if (colon == NULL)
        return;
    (void)snprintf(j->target_host, sizeof(j->target_host), "%.*s", (int)(colon - target), target);
    g->target_host = j->target_host;
    g->target_port = colon + 1;
}

static int join_as_agent(struct join *j, const struct statedir *state, struct join_key *key,
                         const struct joined *lease)
{
    const struct register_answer *a = &lease->agent;
    struct buf words = {0};
    char why[WHY_BYTES];
    if (member_save(state, key, a, j->words.host_key != NULL, why) != 0 ||
        join_key_become_agents(key, state, j->words.code, why) != 0 ||
        set_gateway(j, a->ssh_user, why) != 0) {
        log_error("%s", why);
        return EXIT_FAILED;
    }
    free(key->path);
    key->path = statedir_file(state, "agent.pem");
    if (key->path != NULL) {
        key->is_own = true;
        join_key_settle(key, state, j->words.code);
    }
    print_joined(lease, key);
    text_print(stdout, "port %u of %s leads to %s here", a->port_b,
               a->ssh_host[0] != '\0' ? a->ssh_host : "the gateway",
               j->words.target != NULL ? j->words.target : "127.0.0.1:22");
    if (a->connect_hint[0] != '\0')
        text_print(stdout, "jump here:     %s", a->connect_hint);
    buf_addf(&words, "--gateway %s", j->gateway);
    j->options = (struct options){.mode = OPTIONS_GATEWAY, .is_service = j->words.is_service};
    j->options.gateway.gateway = j->gateway;
    if (a->host_key_count == 0) {
        j->options.gateway.host_key = j->words.host_key;
        buf_addf(&words, " --host-key %s", j->words.host_key);
    }
    if (j->words.target != NULL)
        buf_addf(&words, " --target %s", j->words.target);
    set_target(j);
    print_later(buf_text_or(&words, ""));
    buf_release(&words);
    j->holds = true;
    return EXIT_DONE;
}

/* ---- join ---- */

static int redeem_invite(const struct join_words *w, const struct statedir *state,
                         const struct join_key *key, struct redeemed *ret)
{
    const char *const port[] = {"-p", w->port};
    const struct redeem_terms terms = {.to = w->to,
                                       .ssh_options = port,
                                       .ssh_option_count = w->port[0] != '\0' ? 2 : 0,
                                       .identity = key->path,
                                       .agent_sock = key->is_own ? "none" : NULL,
                                       .fingerprint = key->fingerprint,
                                       .host_key = w->host_key,
                                       .asks = !w->is_service,
                                       .code = w->code,
                                       .patience_s = REDEEM_PATIENCE_S,
                                       .settings = &settings_default,
                                       .state = state};
    sshfixed_learn();
    sshjump_prepare(state);
    int rc = redeem(&terms, ret);
    sshjump_remove();
    if (rc != 0)
        redeemed_log(ret);
    if (ret->status == REDEEM_KEY_REFUSED)
        log_error("with this program: -i FILE names another key, which 'ssh-keygen -t ed25519 -f "
                  "FILE' makes");
    return rc;
}

int join_run(struct join *j, int argc, char **argv)
{
    struct statedir state;
    struct join_key key = {.path = NULL};
    struct redeemed redeemed = {.status = REDEEM_NOT_REACHED};
    char why[WHY_BYTES];
    int code = EXIT_FAILED;
    *j = (struct join){.holds = false};
    if (join_words_parse(argc, argv, &j->words, why) != 0 || statedir_open(&state, why) != 0 ||
        friend_file_problem(&state, why) != NULL)
        return usage(why);
    if (join_key_find(&key, &state, j->words.identity, j->words.code, why) != 0) {
        code = usage(why);
        goto out;
    }
    if (redeem_invite(&j->words, &state, &key, &redeemed) != 0)
        goto out;
    code = redeemed.lease.is_agent ? join_as_agent(j, &state, &key, &redeemed.lease)
                                   : join_as_friend(j, &state, &key, &redeemed.lease);
    j->holds = j->holds && !j->words.no_hold;
    (void)fflush(stdout); /* who holds it up may be ended by a signal */
out:
    redeemed_release(&redeemed);
    join_key_release(&key);
    return code;
}

void join_release(struct join *j)
{
    free(j->conf_file);
}
