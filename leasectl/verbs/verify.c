/* SPDX-License-Identifier: ISC */
/*
 * leasectl verify: what a holder can and cannot do, tried with the real ssh client through the
 * running sshd, with a 60-second probe lease and a key that is thrown away (leasectl(1)).
 */
#include "leasectl/child.h"
#include "leasectl/ctl_store.h"
#include "leasectl/probe/attempt.h"
#include "leasectl/probe/cause.h"
#include "leasectl/probe/destination.h"
#include "leasectl/probe/files.h"
#include "leasectl/probe/greeter.h"
#include "leasectl/probe/lease.h"
#include "leasectl/probe/loopback.h"
#include "leasectl/probe/outcomes.h"
#include "leasectl/probe/tunnel.h"
#include "leasectl/sessions/enforce.h"
#include "leasectl/verbs.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/number.h"
#include "lib/base/text.h"
#include "lib/store/probes.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct verify {
    struct ctl *ctl;
    struct probe probe;
    struct probe_files files;
    struct destination to;
    struct attempt_target target;
    struct greeter elsewhere; /* a live service that the lease does not permit */
    struct outcomes outcomes;
};

/* By SIGINT, SIGTERM or SIGHUP: then, too, the probe lease and the files are removed. */
static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* Another spelling of the permitted HOST:PORT, which sshd must refuse (docs/sshd-facts.md 7). */
static void respell(const struct permit *p, char out[static ATTEMPT_WORD_BYTES])
{
    if (permit_is_loopback4(p))
        (void)snprintf(out, ATTEMPT_WORD_BYTES, "127.1:%u", p->low);
    else if (strchr(p->host, ':') != NULL)
        (void)snprintf(out, ATTEMPT_WORD_BYTES, "[::ffff:127.0.0.1]:%u", p->low);
    else
        (void)snprintf(out, ATTEMPT_WORD_BYTES, "%s.:%u", p->host, p->low);
}

static int prepare_probe(struct verify *v)
{
    struct lease *l = &v->probe.lease;
    int code = files_make(v->ctl, &v->files);
    if (code != EXIT_DONE)
        return code;
    probe_name_format(arc4random(), l->name);
    destination_sources(&v->to, &l->from);
    l->expires_s = clock_now_s() + PROBE_TTL_S;
    if (greeter_start(&v->elsewhere, 0, v->files.socket) != 0)
        return ctl_error(v->ctl, EXIT_FAILED, "cannot listen on a loopback port: %s",
                         strerror(errno));
    code = files_make_key(v->ctl, v->files.key_file, l);
    if (code == EXIT_DONE)
        code = files_pin_host_keys(v->ctl, &v->files, &v->to.sshd, v->to.host, v->to.port);
    return code;
}

static void set_target(struct verify *v)
{
    struct attempt_target *t = &v->target;
    t->host = v->to.host;
    t->port = v->to.port;
    t->login = v->probe.lease.login;
    t->key_file = v->files.key_file;
    t->known_hosts = v->files.known_hosts;
    t->work_dir = v->files.work_dir;
    (void)snprintf(t->other, sizeof(t->other), "127.0.0.1:%u", v->elsewhere.port);
    (void)snprintf(t->free_port, sizeof(t->free_port), "%u", loopback_free_port());
    (void)strlcpy(t->socket, v->files.socket, sizeof(t->socket));
    if (v->probe.lease.open.count > 0)
        respell(&v->probe.lease.open.items[0], t->respelled);
    if (v->probe.lease.listen.count > 0)
        permit_format(&v->probe.lease.listen.items[0], t->listen);
}

static void add_outcome(struct verify *v, const struct attempt *a, const char *what,
                        enum attempt_verdict verdict, const char *evidence)
{
    struct buf text = {0};
    enum outcome outcome = OUTCOME_FAIL;
    const struct cause_question q = {
        .ctl = v->ctl, .to = &v->to, .lease = &v->probe.lease, .target = &v->target, .attempt = a};
    switch (verdict) {
    case ATTEMPT_ALLOWED:
        outcome = a->must_allow ? OUTCOME_PASS : OUTCOME_FAIL;
        buf_add(&text, evidence);
        if (outcome == OUTCOME_FAIL)
            cause_add_of_hole(&q, &text);
        break;
    case ATTEMPT_REFUSED:
        outcome = a->must_allow ? OUTCOME_FAIL : OUTCOME_PASS;
        if (outcome == OUTCOME_FAIL)
            buf_add(&text, "refused by policy: ");
        buf_add(&text, evidence);
        if (outcome == OUTCOME_FAIL)
            cause_add(&q, &text);
        break;
    case ATTEMPT_DOWN:
        outcome = a->must_allow ? OUTCOME_NOT_RUN : OUTCOME_FAIL;
        buf_addf(&text,
                 a->must_allow ? "permitted, but the service is down: %s"
                               : "policy let it through: %s",
                 evidence);
        if (outcome == OUTCOME_FAIL)
            cause_add_of_hole(&q, &text);
        break;
    case ATTEMPT_NO_LOGIN:
        buf_addf(&text, "sshd refused the probe's key: %s", evidence);
        cause_add(&(struct cause_question){.ctl = q.ctl, .to = q.to, .lease = q.lease}, &text);
        break;
    case ATTEMPT_UNREACHABLE:
        outcome = OUTCOME_NOT_RUN;
        buf_addf(&text, "sshd is unreachable at %s port %u: %s", v->to.host, v->to.port, evidence);
        break;
    case ATTEMPT_UNCLEAR:
        outcome = OUTCOME_NOT_RUN;
        buf_add(&text, evidence);
        break;
    }
    outcomes_add(&v->outcomes, a->check, what, outcome, buf_text_or(&text, "out of memory"));
    buf_release(&text);
}

/* False if more attempts are pointless: no login, or no sshd. */
static bool try_attempt(struct verify *v, size_t i, const char *what)
{
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    outcomes_show_progress(what);
    if (probe_keep(&v->probe) != EXIT_DONE) {
        outcomes_add(&v->outcomes, attempt_at(i)->check, what, OUTCOME_NOT_RUN,
                     "the probe's lease could not be renewed");
        return false;
    }
    enum attempt_verdict verdict = attempt_make(i, &v->target, evidence);
    add_outcome(v, attempt_at(i), what, verdict, evidence);
    return verdict != ATTEMPT_NO_LOGIN && verdict != ATTEMPT_UNREACHABLE;
}

/* From the source of logins that are to be refused, so that it is known to be admitted before. */
static bool open_tunnel(struct verify *v, struct child *c)
{
    v->target.source = v->to.source;
    if (v->to.source[0] != '\0' && tunnel_open(&v->target, c) == 0)
        return true;
    if (v->to.source[0] != '\0')
        child_release(c);
    v->target.source = ""; /* that address cannot be used here */
    if (tunnel_open(&v->target, c) == 0)
        return true;
    child_release(c);
    return false;
}

static void try_refused_login(struct verify *v, char check, const char *what)
{
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    struct buf text = {0};
    const enum sight refused = tunnel_is_refused(&v->target, evidence);
    buf_add(&text, evidence);
    if (refused == SIGHT_IS_NOT)
        cause_add_of_hole(
            &(struct cause_question){
                .ctl = v->ctl, .to = &v->to, .lease = &v->probe.lease, .target = &v->target},
            &text);
    outcomes_add(&v->outcomes, check, what,
                 refused == SIGHT_IS       ? OUTCOME_PASS
                 : refused == SIGHT_IS_NOT ? OUTCOME_FAIL
                                           : OUTCOME_NOT_RUN,
                 buf_text(&text) != NULL ? buf_text(&text) : evidence);
    buf_release(&text);
}

static void try_revoke(struct verify *v)
{
    static const char what[] = "revoking ends the live tunnel",
                      next[] = "and refuses the next login";
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    struct child c;
    outcomes_show_progress(what);
    if (!open_tunnel(v, &c)) {
        outcomes_add(&v->outcomes, 'D', what, OUTCOME_NOT_RUN,
                     "the probe's tunnel did not come up");
        return;
    }
    int64_t start_ms = clock_monotonic_ms();
    if (probe_end(&v->probe, false) != EXIT_DONE) {
        outcomes_add(&v->outcomes, 'D', what, OUTCOME_NOT_RUN, "the probe could not be revoked");
        child_release(&c);
        return;
    }
    const struct enforce_scope scope = {.lease = &v->probe.lease};
    bool quiet = v->ctl->quiet;
    v->ctl->quiet = true;
    (void)sessions_enforce(v->ctl, &scope);
    v->ctl->quiet = quiet;
    while (!child_pump(&c, 5) && clock_monotonic_ms() < start_ms + TUNNEL_MS)
        ;
    bool gone = c.pid <= 0;
    if (gone)
        (void)snprintf(evidence, sizeof(evidence), "gone after %lld ms",
                       (long long)(clock_monotonic_ms() - start_ms));
    else
        (void)snprintf(
            evidence, sizeof(evidence),
            "still up after %d s: is pam_tunnel in sshd's PAM stack? ('leasectl doctor')",
            TUNNEL_MS / 1000);
    child_release(&c);
    outcomes_add(&v->outcomes, 'D', what, gone ? OUTCOME_PASS : OUTCOME_FAIL, evidence);
    try_refused_login(v, 'D', next);
}

static void try_expired(struct verify *v)
{
    static const char what[] = "an expired key is refused";
    outcomes_show_progress(what);
    if (probe_end(&v->probe, true) != EXIT_DONE) {
        outcomes_add(&v->outcomes, 'E', what, OUTCOME_NOT_RUN,
                     "no expired lease could be made for it");
        return;
    }
    try_refused_login(v, 'E', what);
}

/* With the probe's tunnel and key; the holder's are not touched. */
static void try_endings(struct verify *v)
{
    try_revoke(v);
    if (interrupted == 0)
        try_expired(v);
}

/* Tries each permitted forward, as attempt number i. False as in try_attempt. */
static bool try_open(struct verify *v, size_t i)
{
    char what[PERMIT_TEXT_BYTES + 64];
    bool go_on = true;
    for (size_t k = 0; go_on && interrupted == 0 && k < v->probe.lease.open.count; k++) {
        struct permit p = v->probe.lease.open.items[k];
        bool range = p.low != p.high;
        p.high = p.low;
        permit_format(&p, v->target.open);
        (void)snprintf(what, sizeof(what), "%s with -L%s", v->target.open,
                       range ? " (the first of its range)" : "");
        go_on = try_attempt(v, i, what);
    }
    for (size_t k = 0; go_on && k < v->probe.lease.open_agent_count; k++) {
        (void)snprintf(what, sizeof(what), LEASE_AGENT_PREFIX "%s with -L",
                       v->probe.lease.open_agents[k]);
        if (v->probe.has_no_port[k])
            outcomes_add(&v->outcomes, attempt_at(i)->check, what, OUTCOME_NOT_RUN,
                         "permitted, but there is no such agent now: see 'leasectl agents'");
    }
    return go_on;
}

static void try_all(struct verify *v)
{
    const size_t open = (size_t)attempt_find("open"), listen = (size_t)attempt_find("listen"),
                 respelled = (size_t)attempt_find("other-spelling");
    char what[PERMIT_TEXT_BYTES + 64];
    bool go_on = true;
    for (size_t i = 0; go_on && interrupted == 0 && i < attempt_count; i++) {
        if (i == open) {
            go_on = try_open(v, i);
        } else if (i == listen) {
            if (!v->probe.wants_listen)
                continue;
            if (v->target.listen[0] == '\0') {
                outcomes_add(&v->outcomes, attempt_at(i)->check, attempt_at(i)->what,
                             OUTCOME_NOT_RUN, "no port is free within AllowListen to try it with");
                continue;
            }
            (void)snprintf(what, sizeof(what), "%s with -R", v->target.listen);
            go_on = try_attempt(v, i, what);
        } else if (i != respelled || v->target.respelled[0] != '\0') {
            go_on = try_attempt(v, i, attempt_at(i)->what);
        }
    }
    if (go_on && interrupted == 0)
        try_endings(v);
    outcomes_show_progress("");
    if (interrupted != 0)
        outcomes_add(&v->outcomes, '-', "the rest", OUTCOME_NOT_RUN, "interrupted");
}

static void clean_up(struct verify *v)
{
    probe_remove(&v->probe);
    greeter_stop(&v->elsewhere);
    probe_release(&v->probe);
    files_remove(&v->files);
    outcomes_release(&v->outcomes);
}

/* name: the lease that the probe copies; NULL: a port of login is tried instead. */
static int choose_probe(struct verify *v, const char *name, const char *login)
{
    int code = ctl_open_write(v->ctl);
    if (code == EXIT_DONE)
        code = name != NULL ? probe_copy_lease(&v->probe, name) : probe_for_login(&v->probe, login);
    ctl_close(v->ctl);
    return code;
}

static int store_probe(struct verify *v)
{
    int code = ctl_open_write(v->ctl);
    if (code == EXIT_DONE)
        code = probe_add(&v->probe);
    ctl_close(v->ctl);
    return code;
}

int cmd_verify(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"login", required_argument, NULL, 'l'},
                                            {"host", required_argument, NULL, 'h'},
                                            {"port", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    struct verify v = {.ctl = ctl,
                       .probe = {.ctl = ctl, .permitted = {.pid = -1}},
                       .files = PROBE_FILES_NONE,
                       .elsewhere = {.pid = -1}};
    const char *login = NULL, *host = NULL;
    int64_t port = 0;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1)
        if (opt == 'l')
            login = optarg;
        else if (opt == 'h')
            host = optarg;
        else if (opt != 'p')
            return EXIT_USAGE;
        else if (!number_parse(optarg, strlen(optarg), 1, UINT16_MAX, &port))
            return ctl_error(ctl, EXIT_USAGE, "--port '%s' is no port from 1 to 65535",
                             text_clip(optarg).s);
    if (argc - optind > 1 || (argc - optind == 1 && login != NULL))
        return ctl_usage(ctl, "verify takes one NAME, or --login LOGIN, or neither");
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "verify asks sshd for its settings: sudo leasectl verify");
    const struct sigaction on_interrupt = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &on_interrupt, NULL);
    (void)sigaction(SIGTERM, &on_interrupt, NULL);
    (void)sigaction(SIGHUP, &on_interrupt, NULL);
    outcomes_init(&v.outcomes, ctl);
    int code = choose_probe(&v, optind < argc ? argv[optind] : NULL,
                            login != NULL ? login : ctl->conf.forward_login);
    if (code == EXIT_DONE)
        code = destination_find(ctl, host, (uint16_t)port, &v.to);
    if (code == EXIT_DONE)
        code = prepare_probe(&v);
    if (code == EXIT_DONE)
        code = store_probe(&v);
    if (code == EXIT_DONE) {
        set_target(&v);
        try_all(&v);
        code = outcomes_print(&v.outcomes);
        if (v.outcomes.not_passed > 0)
            code = EXIT_FAILED;
    }
    clean_up(&v);
    return code;
}
