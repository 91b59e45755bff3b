/* SPDX-License-Identifier: ISC */
/*
 * leasectl verify: what a holder can and cannot do, tried with the real ssh client through the
 * running sshd, with a 60-second probe lease and a key that is thrown away (CONTRACT 8).
 */
#include "leasectl/child.h"
#include "leasectl/host/account.h"
#include "leasectl/host/sshd.h"
#include "leasectl/leasectl.h"
#include "leasectl/probe/attempt.h"
#include "leasectl/probe/greeter.h"
#include "leasectl/probe/loopback.h"
#include "leasectl/sessions/live.h"
#include "leasectl/show/table.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/session/listeners.h"
#include "lib/wire/json.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROBE_TTL_S = 60, KEYGEN_MS = 20000, TMPDIR_MAX = 50, TUNNEL_MS = 6000 };

enum outcome { OUTCOME_PASS, OUTCOME_FAIL, OUTCOME_NOT_RUN };

struct verify {
    struct ctl *ctl;
    struct lease probe; /* what is tried; id 0 until it is in the store */
    char work_dir[80];
    char key_file[112], known_hosts[112], socket[112];
    struct sshd sshd;
    char host[64];
    struct attempt_target target;
    struct greeter elsewhere; /* not permitted, and it answers */
    struct greeter permitted; /* --login has no service of its own */
    struct table table;
    struct buf json;
    unsigned rows, not_passed;
    bool wants_listen; /* the lease has a listen permit: a free port has to stand for it */
    bool has_no_port[LEASE_OPEN_AGENTS_MAX]; /* of the probe's open_agents, by the same index */
};

/* ^C, or SIGTERM: nothing may be left behind then either. */
static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
    (void)sig;
    interrupted = 1;
}

/* ---- reporting ---- */

static void row(struct verify *v, char check, const char *what, enum outcome outcome,
                const char *evidence)
{
    static const char *const words[] = {"pass", "FAIL", "not run"};
    const char letter[2] = {check, '\0'};
    if (outcome != OUTCOME_PASS)
        v->not_passed++;
    if (v->ctl->json) {
        const struct json_field fields[] = {
            {.name = "check", .text = letter},
            {.name = "what", .text = what},
            {.name = "result", .text = outcome == OUTCOME_FAIL ? "fail" : words[outcome]},
            {.name = "evidence", .text = evidence}};
        if (v->rows++ > 0)
            buf_add(&v->json, ",\n");
        (void)json_object_line(fields, 4, &v->json);
        return;
    }
    v->rows++;
    table_add(&v->table, letter);
    table_add(&v->table, what);
    table_add(&v->table, words[outcome]);
    table_add(&v->table, evidence);
}

static void progress(const struct verify *v, const char *what)
{
    if (isatty(STDERR_FILENO) == 1)
        (void)fprintf(stderr, "\r\033[Ktrying %s", what);
    if (isatty(STDERR_FILENO) == 1 && what[0] == '\0')
        (void)fprintf(stderr, "\r\033[K");
    (void)v;
}

/* ---- the probe ---- */

static int make_key(struct verify *v)
{
    const char *const argv[] = {"ssh-keygen",      "-q", "-t",        "ed25519", "-N", "", "-C",
                                "leasectl-verify", "-f", v->key_file, NULL};
    char public_file[128];
    struct child c;
    struct lease_key key = {.added_s = v->ctl->now_s};
    int status = child_run(&c, argv, NULL, NULL, KEYGEN_MS);
    child_release(&c);
    if (status != 0)
        return ctl_error(v->ctl, EXIT_FAILED,
                         "ssh-keygen failed (exit %d): is openssh-client "
                         "installed?",
                         status);
    (void)snprintf(public_file, sizeof(public_file), "%s.pub", v->key_file);
    if (!sshd_read_public_key(public_file, &key.pub))
        return ctl_error(v->ctl, EXIT_FAILED, "cannot read the key that ssh-keygen made");
    if (lease_add_key(&v->probe, &key) != 0)
        return ctl_error(v->ctl, EXIT_FAILED, "out of memory");
    return EXIT_DONE;
}

/* This sshd's own keys, so that nothing else can answer in its place. */
static int pin_host_keys(struct verify *v)
{
    struct buf files = {0};
    struct pubkey key;
    unsigned count = 0;
    FILE *f = fopen(v->known_hosts, "we");
    if (sshd_host_keys(&v->sshd, &files) != 0) {
        int code = ctl_error(v->ctl, EXIT_FAILED, "%s",
                             buf_text(&files) != NULL ? buf_text(&files) : "out of memory");
        buf_release(&files);
        if (f != NULL)
            (void)fclose(f);
        return code;
    }
    for (const char *at = buf_text(&files); f != NULL && at != NULL && *at != '\0';) {
        char path[512];
        size_t len = strcspn(at, "\n");
        (void)snprintf(path, sizeof(path), "%.*s.pub", (int)len, at);
        if (sshd_read_public_key(path, &key)) {
            count++;
            if (v->target.port == 22)
                (void)fprintf(f, "%s %s %s\n", v->host, key.type, key.base64);
            else
                (void)fprintf(f, "[%s]:%u %s %s\n", v->host, v->target.port, key.type, key.base64);
        }
        at += len + (at[len] == '\n' ? 1 : 0);
    }
    buf_release(&files);
    if (f == NULL || fclose(f) != 0)
        return ctl_error(v->ctl, EXIT_FAILED, "cannot write '%s': %s", v->known_hosts,
                         strerror(errno));
    return count > 0
               ? EXIT_DONE
               : ctl_error(v->ctl, EXIT_FAILED, "none of sshd's host keys has a readable .pub");
}

static bool is_unused(void *ctx, uint16_t port)
{
    return !listeners_has(ctx, port);
}

/* A free port within the ceiling for the probe to listen on; the holder's own is not touched. */
static int pick_listen(struct verify *v, struct permit *ret)
{
    struct listeners used;
    const struct ceiling_rules *rules = &v->ctl->conf.ceiling.listen;
    if (listeners_read(&used) != 0)
        return -1;
    for (size_t i = 0; i < rules->count; i++) {
        struct permit p = rules->items[i].permit;
        uint16_t port;
        if (!ceiling_rule_holds(rules, i, v->probe.login) ||
            ceiling_listen_problem(&v->ctl->conf.ceiling, v->probe.login, &p) != NULL)
            continue;
        if (store_port_pick(v->ctl->store, p.low, p.high, ctl_quarantine_s(v->ctl), v->ctl->now_s,
                            is_unused, &used, &port) != STORE_OK)
            continue;
        p.low = p.high = port;
        *ret = p;
        return 0;
    }
    return -1;
}

static int add_probe(struct verify *v)
{
    const struct store_actor by = ctl_actor(v->ctl);
    struct store_conflict conflict;
    struct permit listen;
    int64_t id = 0;

    v->wants_listen = v->probe.listen.count > 0;
    enum store_rc rc = store_begin(v->ctl->store);
    permit_list_release(&v->probe.listen);
    if (rc == STORE_OK && v->wants_listen && pick_listen(v, &listen) == 0)
        (void)permit_list_add(&v->probe.listen, &listen);
    if (rc == STORE_OK)
        rc = store_lease_add(v->ctl->store, &v->probe, ctl_quarantine_s(v->ctl), &by, &id,
                             &conflict);
    if (rc == STORE_OK)
        rc = store_commit(v->ctl->store);
    store_rollback(v->ctl->store);
    if (rc == STORE_CONFLICT)
        return ctl_error(v->ctl, EXIT_CONFLICT, "another probe is under way: try again");
    if (rc != STORE_OK)
        return ctl_store_error(v->ctl, rc);
    v->probe.id = id;
    return EXIT_DONE;
}

/* Revoked and forgotten; what stays is in the audit. */
static void remove_probe(struct verify *v)
{
    const struct store_actor by = ctl_actor(v->ctl);
    if (v->probe.id == 0 || ctl_open_write(v->ctl) != EXIT_DONE)
        return;
    enum store_rc rc = store_begin(v->ctl->store);
    if (rc == STORE_OK) {
        rc = store_lease_revoke(v->ctl->store, &v->probe, false, &by);
        rc = rc == STORE_NONE ? STORE_OK : rc; /* D did it */
    }
    if (rc == STORE_OK)
        rc = store_lease_delete(v->ctl->store, &v->probe, false, &by);
    if (rc == STORE_OK)
        rc = store_commit(v->ctl->store);
    store_rollback(v->ctl->store);
    if (rc != STORE_OK)
        (void)ctl_store_error(v->ctl, rc);
    ctl_close(v->ctl);
    live_forget(v->ctl, v->probe.id);
}

/* ---- what is tried ---- */

/* Which of the agents that the probe opens are nowhere now. */
static int look_for_agents(struct verify *v)
{
    for (size_t i = 0; i < v->probe.open_agent_count; i++) {
        struct lease agent = {0};
        enum store_rc rc = store_lease_by_name(v->ctl->store, v->probe.open_agents[i], &agent);
        if (rc != STORE_OK && rc != STORE_NONE)
            return ctl_store_error(v->ctl, rc);
        v->has_no_port[i] = rc == STORE_NONE || agent.revoked_s != 0 || agent.listen.count == 0;
        lease_release(&agent);
    }
    return EXIT_DONE;
}

static int lookup_lease(struct verify *v, const char *ref)
{
    struct lease l = {0};
    int code = ctl_find_lease(v->ctl, ref, &l);
    if (code == EXIT_DONE && lease_state_at(&l, v->ctl->now_s) != LEASE_ACTIVE)
        code = ctl_error(v->ctl, EXIT_NO_SUCH, "the lease '%s' is %s: there is nothing to prove",
                         ref, lease_state_name(lease_state_at(&l, v->ctl->now_s)));
    if (code == EXIT_DONE) {
        (void)strlcpy(v->probe.login, l.login, sizeof(v->probe.login));
        v->probe.open = l.open;
        v->probe.listen = l.listen;
        l.open = l.listen = (struct permit_list){0};
        /* By name, as the lease has them: akc then finds the probe's ports as it finds its. */
        memcpy(v->probe.open_agents, l.open_agents, sizeof(l.open_agents));
        v->probe.open_agent_count = l.open_agent_count;
        code = look_for_agents(v);
    }
    lease_release(&l);
    return code;
}

/* No lease named: a service of our own on a port within the ceiling. */
static int invent_lease(struct verify *v, const char *login)
{
    const struct ceiling *ceiling = &v->ctl->conf.ceiling;
    struct permit p = {.host = "127.0.0.1"};
    const char *problem = account_lease_problem(login, v->ctl->conf.tunnel_group);
    if (problem != NULL)
        return ctl_error(v->ctl, EXIT_USAGE, "login '%s' %s", login, problem);
    (void)strlcpy(v->probe.login, login, sizeof(v->probe.login));
    if (strcmp(login, ceiling->agent_login) == 0) {
        (void)permit_parse("127.0.0.1:1", PERMIT_PORT, &p); /* stands for "some port" */
        return permit_list_add(&v->probe.listen, &p) == NULL ? EXIT_DONE : EXIT_FAILED;
    }
    for (size_t i = 0; i < ceiling->open.count; i++) {
        const struct permit *rule = &ceiling->open.items[i].permit;
        if (!ceiling_rule_holds(&ceiling->open, i, login) || !permit_is_loopback4(rule))
            continue;
        uint16_t port = rule->low == rule->high ? rule->low : attempt_free_port();
        if (port < rule->low || port > rule->high)
            port = rule->low;
        if (greeter_start(&v->permitted, port, NULL) != 0)
            continue; /* something listens there: it will do as the service */
        p.low = p.high = v->permitted.port;
        return permit_list_add(&v->probe.open, &p) == NULL ? EXIT_DONE : EXIT_FAILED;
    }
    return ctl_error(v->ctl, EXIT_CEILING,
                     "AllowOpen leaves login '%s' no loopback port to try: name "
                     "a lease",
                     login);
}

/* The permitted place in other words, which sshd must not take for it (facts/openssh.md 7). */
static void respell(const struct permit *p, char out[static ATTEMPT_WORD_BYTES])
{
    if (permit_is_loopback4(p))
        (void)snprintf(out, ATTEMPT_WORD_BYTES, "127.1:%u", p->low);
    else if (strchr(p->host, ':') != NULL)
        (void)snprintf(out, ATTEMPT_WORD_BYTES, "[::ffff:127.0.0.1]:%u", p->low);
    else
        (void)snprintf(out, ATTEMPT_WORD_BYTES, "%s.:%u", p->host, p->low);
}

static int prepare(struct verify *v)
{
    struct buf why = {0};
    const char *tmp = getenv("TMPDIR");
    char random[9];

    /* Sockets go there, and their names are short (unix(7)). */
    if (tmp == NULL || tmp[0] != '/' || strlen(tmp) > TMPDIR_MAX)
        tmp = "/tmp";
    (void)snprintf(v->work_dir, sizeof(v->work_dir), "%s/leasectl-verify.XXXXXX", tmp);
    if (mkdtemp(v->work_dir) == NULL) {
        v->work_dir[0] = '\0';
        return ctl_error(v->ctl, EXIT_FAILED, "cannot make a directory of our own: %s",
                         strerror(errno));
    }
    /* Others may reach the socket in it (that is what is tried), but see no file. */
    if (chmod(v->work_dir, 0711) != 0)
        return ctl_error(v->ctl, EXIT_FAILED, "cannot set its mode: %s", strerror(errno));
    (void)snprintf(v->key_file, sizeof(v->key_file), "%s/key", v->work_dir);
    (void)snprintf(v->known_hosts, sizeof(v->known_hosts), "%s/known_hosts", v->work_dir);
    (void)snprintf(v->socket, sizeof(v->socket), "%s/socket", v->work_dir);
    if (sshd_find(&v->ctl->conf, &v->sshd, &why) != 0 ||
        sshd_address(&v->sshd, v->host, &v->target.port, &why) != 0) {
        int code =
            ctl_error(v->ctl, EXIT_FAILED, "%s", buf_text(&why) != NULL ? buf_text(&why) : "");
        buf_release(&why);
        return code;
    }
    (void)snprintf(random, sizeof(random), "%08x", arc4random());
    (void)snprintf(v->probe.name, sizeof(v->probe.name), "verify-%s", random);
    /* From the very address that a connection to sshd's own address comes from. */
    if (source_list_parse(v->host, &v->probe.from) != NULL)
        return ctl_error(v->ctl, EXIT_FAILED, "sshd listens on '%s', which is no address", v->host);
    v->probe.expires_s = clock_now_s() + PROBE_TTL_S;
    if (greeter_start(&v->elsewhere, 0, v->socket) != 0)
        return ctl_error(v->ctl, EXIT_FAILED, "cannot listen on a loopback port: %s",
                         strerror(errno));
    int code = make_key(v);
    return code == EXIT_DONE ? pin_host_keys(v) : code;
}

static void set_target(struct verify *v)
{
    struct attempt_target *t = &v->target;
    t->host = v->host;
    t->login = v->probe.login;
    t->key_file = v->key_file;
    t->known_hosts = v->known_hosts;
    t->work_dir = v->work_dir;
    (void)snprintf(t->other, sizeof(t->other), "127.0.0.1:%u", v->elsewhere.port);
    (void)snprintf(t->free_port, sizeof(t->free_port), "%u", attempt_free_port());
    (void)strlcpy(t->socket, v->socket, sizeof(t->socket));
    if (v->probe.open.count > 0)
        respell(&v->probe.open.items[0], t->respelled);
    if (v->probe.listen.count > 0)
        permit_format(&v->probe.listen.items[0], t->listen);
}

/* Refused what is permitted: is it this permit, or is forwarding off altogether? */
static void explain_refusal(const struct verify *v, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char setting[128];
    struct buf effective = {0};
    if (sshd_effective(&v->sshd, v->probe.login, &effective) == 0) {
        sshd_setting(&effective, "disableforwarding", setting, sizeof(setting));
        if (strcmp(setting, "yes") == 0)
            (void)strlcpy(evidence, "forwarding is off in sshd: DisableForwarding yes",
                          ATTEMPT_EVIDENCE_BYTES);
        sshd_setting(&effective, "allowtcpforwarding", setting, sizeof(setting));
        if (strcmp(setting, "no") == 0)
            (void)strlcpy(evidence, "forwarding is off in sshd: AllowTcpForwarding no",
                          ATTEMPT_EVIDENCE_BYTES);
    }
    if (strncmp(evidence, "forwarding is off", 17) != 0) {
        char words[ATTEMPT_EVIDENCE_BYTES];
        (void)strlcpy(words, evidence, sizeof(words));
        (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "refused by policy: %.200s", words);
    }
    buf_release(&effective);
}

static void judge(struct verify *v, const struct attempt *a, const char *what,
                  enum attempt_verdict verdict, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    char text[ATTEMPT_EVIDENCE_BYTES + 160];
    enum outcome outcome = OUTCOME_FAIL;
    switch (verdict) {
    case ATTEMPT_ALLOWED:
        outcome = a->must_allow ? OUTCOME_PASS : OUTCOME_FAIL;
        (void)strlcpy(text, evidence, sizeof(text));
        break;
    case ATTEMPT_REFUSED:
        outcome = a->must_allow ? OUTCOME_FAIL : OUTCOME_PASS;
        if (a->must_allow)
            explain_refusal(v, evidence);
        (void)strlcpy(text, evidence, sizeof(text));
        break;
    case ATTEMPT_DOWN:
        outcome = a->must_allow ? OUTCOME_NOT_RUN : OUTCOME_FAIL;
        (void)snprintf(text, sizeof(text),
                       a->must_allow ? "permitted, but the service is down: %s"
                                     : "policy let it through: %s",
                       evidence);
        break;
    case ATTEMPT_NO_LOGIN:
        (void)snprintf(text, sizeof(text), "sshd refused the probe's key: %s", evidence);
        break;
    case ATTEMPT_UNREACHABLE:
        outcome = OUTCOME_NOT_RUN;
        (void)snprintf(text, sizeof(text), "sshd is unreachable at %s port %u: %s", v->host,
                       v->target.port, evidence);
        break;
    case ATTEMPT_UNCLEAR:
        outcome = OUTCOME_NOT_RUN;
        (void)strlcpy(text, evidence, sizeof(text));
        break;
    }
    row(v, a->check, what, outcome, text);
}

/* False when going on makes no sense: no login, no sshd. */
static bool try_one(struct verify *v, size_t i, const char *what)
{
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    progress(v, what);
    enum attempt_verdict verdict = attempt_make(i, &v->target, evidence);
    judge(v, attempt_at(i), what, verdict, evidence);
    return verdict != ATTEMPT_NO_LOGIN && verdict != ATTEMPT_UNREACHABLE;
}

/* ---- D and E: the end of it ---- */

/* A tunnel of the probe's that stays up until it is ended from the other side. */
static int hold_tunnel(struct verify *v, struct child *c)
{
    char known_hosts[160], port[8];
    const char *argv[40];
    size_t n = 0;
    (void)snprintf(known_hosts, sizeof(known_hosts), "UserKnownHostsFile=%s", v->known_hosts);
    (void)snprintf(port, sizeof(port), "%u", v->target.port);
    const char *const words[] = {"ssh",  "-v",
                                 "-N",   "-T",
                                 "-F",   "none",
                                 "-o",   "BatchMode=yes",
                                 "-o",   "IdentitiesOnly=yes",
                                 "-o",   "IdentityAgent=none",
                                 "-o",   "StrictHostKeyChecking=yes",
                                 "-o",   known_hosts,
                                 "-o",   "GlobalKnownHostsFile=none",
                                 "-o",   "ConnectTimeout=5",
                                 "-i",   v->key_file,
                                 "-p",   port,
                                 "-l",   v->probe.login,
                                 v->host};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        argv[n++] = words[i];
    argv[n] = NULL;
    if (child_start(c, argv, NULL) != 0)
        return -1;
    child_close_input(c);
    int64_t end_ms = clock_monotonic_ms() + TUNNEL_MS;
    while (!child_pump(c, 20) && clock_monotonic_ms() < end_ms) {
        const char *said = buf_text(&c->err_text);
        if (said != NULL && strstr(said, "Entering interactive session") != NULL)
            return 0;
    }
    return -1;
}

/* Whether the probe's key is let in now. evidence: sshd's last word. */
static bool login_is_refused(struct verify *v, char evidence[static ATTEMPT_EVIDENCE_BYTES])
{
    struct child c;
    bool in = hold_tunnel(v, &c) == 0;
    child_stop(&c);
    const char *said = buf_text(&c.err_text);
    const char *denied = said != NULL ? strstr(said, "Permission denied") : NULL;
    (void)snprintf(evidence, ATTEMPT_EVIDENCE_BYTES, "%.*s",
                   denied != NULL ? (int)strcspn(denied, "\r\n") : 80,
                   in               ? "the key was let in"
                   : denied != NULL ? denied
                                    : "no clear answer from sshd");
    child_release(&c);
    return !in && denied != NULL;
}

/* In one transaction: the probe is revoked; renewed: and leased again to the same key, with an end
 * that has passed. */
static int end_probe(struct verify *v, bool expired_anew)
{
    struct store_actor by = ctl_actor(v->ctl);
    struct store_conflict conflict;
    struct lease again = v->probe;
    int64_t id = 0;
    int code = ctl_open_write(v->ctl);
    if (code != EXIT_DONE)
        return code;
    by.now_s = clock_now_s();
    enum store_rc rc = store_begin(v->ctl->store);
    if (rc == STORE_OK && !expired_anew)
        rc = store_lease_revoke(v->ctl->store, &v->probe, false, &by);
    if (rc == STORE_OK && expired_anew) {
        again.expires_s = by.now_s - 1;
        rc = store_lease_delete(v->ctl->store, &v->probe, false, &by);
        if (rc == STORE_OK)
            rc = store_lease_add(v->ctl->store, &again, ctl_quarantine_s(v->ctl), &by, &id,
                                 &conflict);
    }
    if (rc == STORE_OK)
        rc = store_commit(v->ctl->store);
    store_rollback(v->ctl->store);
    if (rc != STORE_OK)
        code = ctl_store_error(v->ctl, rc);
    ctl_close(v->ctl);
    if (code == EXIT_DONE && expired_anew) {
        live_forget(v->ctl, v->probe.id);
        v->probe.id = id;
    }
    return code;
}

static void try_revoke(struct verify *v)
{
    static const char what[] = "revoking ends the live tunnel",
                      next[] = "and refuses the next login";
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    struct child c;
    progress(v, what);
    if (hold_tunnel(v, &c) != 0) {
        row(v, 'D', what, OUTCOME_NOT_RUN, "the probe's tunnel did not come up");
        child_release(&c);
        return;
    }
    int64_t start_ms = clock_monotonic_ms();
    if (end_probe(v, false) != EXIT_DONE) {
        row(v, 'D', what, OUTCOME_NOT_RUN, "the probe could not be revoked");
        child_release(&c);
        return;
    }
    const struct live_scope scope = {.lease = &v->probe};
    bool quiet = v->ctl->quiet;
    v->ctl->quiet = true;
    (void)live_enforce(v->ctl, &scope);
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
    row(v, 'D', what, gone ? OUTCOME_PASS : OUTCOME_FAIL, evidence);
    bool refused = login_is_refused(v, evidence);
    row(v, 'D', next, refused ? OUTCOME_PASS : OUTCOME_FAIL, evidence);
}

static void try_expired(struct verify *v)
{
    static const char what[] = "an expired key is refused";
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    progress(v, what);
    if (end_probe(v, true) != EXIT_DONE) {
        row(v, 'E', what, OUTCOME_NOT_RUN, "no expired lease could be made for it");
        return;
    }
    bool refused = login_is_refused(v, evidence);
    row(v, 'E', what, refused ? OUTCOME_PASS : OUTCOME_FAIL, evidence);
}

/* The probe's own tunnel and key: the holder's are not touched. */
static void try_endings(struct verify *v)
{
    try_revoke(v);
    if (interrupted == 0)
        try_expired(v);
}

/* Each permitted forward; i: its attempt. False as try_one. */
static bool try_open(struct verify *v, size_t i)
{
    char what[PERMIT_TEXT_BYTES + 64];
    bool go_on = true;
    for (size_t k = 0; go_on && interrupted == 0 && k < v->probe.open.count; k++) {
        struct permit p = v->probe.open.items[k];
        bool range = p.low != p.high;
        p.high = p.low;
        permit_format(&p, v->target.open);
        (void)snprintf(what, sizeof(what), "%s with -L%s", v->target.open,
                       range ? " (the first of its range)" : "");
        go_on = try_one(v, i, what);
    }
    for (size_t k = 0; go_on && k < v->probe.open_agent_count; k++) {
        (void)snprintf(what, sizeof(what), LEASE_AGENT_PREFIX "%s with -L",
                       v->probe.open_agents[k]);
        if (v->has_no_port[k])
            row(v, attempt_at(i)->check, what, OUTCOME_NOT_RUN,
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
            if (!v->wants_listen)
                continue;
            if (v->target.listen[0] == '\0') {
                row(v, attempt_at(i)->check, attempt_at(i)->what, OUTCOME_NOT_RUN,
                    "no port is free within AllowListen to try it with");
                continue;
            }
            (void)snprintf(what, sizeof(what), "%s with -R", v->target.listen);
            go_on = try_one(v, i, what);
        } else if (i != respelled || v->target.respelled[0] != '\0') {
            go_on = try_one(v, i, attempt_at(i)->what);
        }
    }
    if (go_on && interrupted == 0)
        try_endings(v);
    progress(v, "");
    if (interrupted != 0)
        row(v, '-', "the rest", OUTCOME_NOT_RUN, "interrupted");
}

static void clean_up(struct verify *v)
{
    char public_file[128];
    remove_probe(v);
    greeter_stop(&v->elsewhere);
    greeter_stop(&v->permitted);
    if (v->work_dir[0] != '\0') {
        (void)snprintf(public_file, sizeof(public_file), "%s.pub", v->key_file);
        (void)unlink(public_file);
        (void)unlink(v->key_file);
        (void)unlink(v->known_hosts);
        (void)unlink(v->socket);
        (void)rmdir(v->work_dir);
    }
    table_release(&v->table);
    buf_release(&v->json);
    lease_release(&v->probe);
}

int cmd_verify(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"login", required_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    static const char *const headings[] = {"CHECK", "WHAT", "RESULT", "EVIDENCE", NULL};
    struct verify v = {.ctl = ctl, .elsewhere = {.pid = -1}, .permitted = {.pid = -1}};
    const char *login = NULL;
    int opt;

    while ((opt = ctl_option(ctl, argc, argv, options)) != -1) {
        if (opt != 'l')
            return EXIT_USAGE;
        login = optarg;
    }
    if (argc - optind > 1 || (argc - optind == 1 && login != NULL))
        return ctl_usage(ctl, "verify takes one NAME, or --login LOGIN, or neither");
    if (geteuid() != 0)
        return ctl_error(ctl, EXIT_FAILED,
                         "verify asks sshd for its settings: sudo leasectl verify");
    const struct sigaction on_interrupt = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &on_interrupt, NULL);
    (void)sigaction(SIGTERM, &on_interrupt, NULL);
    (void)sigaction(SIGHUP, &on_interrupt, NULL);
    table_init(&v.table, headings);
    int code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = optind < argc ? lookup_lease(&v, argv[optind])
                             : invent_lease(&v, login != NULL ? login : ctl->conf.forward_login);
    ctl_close(ctl);
    if (code == EXIT_DONE)
        code = prepare(&v);
    if (code == EXIT_DONE)
        code = ctl_open_write(ctl);
    if (code == EXIT_DONE)
        code = add_probe(&v);
    ctl_close(ctl);
    if (code == EXIT_DONE) {
        set_target(&v);
        try_all(&v);
        if (ctl->json)
            (void)printf("[%s]\n", buf_text(&v.json) != NULL ? buf_text(&v.json) : "");
        else
            table_print(&v.table, ctl->terminal);
        code = v.not_passed == 0 ? EXIT_DONE : EXIT_FAILED;
    }
    clean_up(&v);
    return code;
}
