/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/own_lease.h"

#include "leasectl/ctl_store.h"
#include "leasectl/probe/destination.h"
#include "leasectl/probe/files.h"
#include "leasectl/probe/lease.h"
#include "leasectl/probe/tunnel.h"
#include "leasectl/sessions/enforce.h"
#include "lib/base/clock.h"
#include "lib/store/changes.h"
#include "lib/store/probes.h"
#include "lib/store/transaction.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    GONE_MS = 6000,     /* a session that is to end is watched for so long */
    STAYS_MS = 500,     /* and one that is to stay */
    EXPIRE_IN_S = 2,    /* the lease's end, when its session is to end with it */
    SESSIONS_LIMIT = 2, /* max_sessions of the lease */
};

/* The network of the lease's --from, without its last byte, and one that it does not name: both are
 * of 127.0.0.0/8, where all addresses are ours. */
struct sources {
    char net[16], other_net[16]; /* "127.4.5.": "": there is none */
    char last[32];
    unsigned used;
};

struct own_lease {
    struct proof *proof;
    struct ctl *ctl;
    struct verifies *others;
    const struct verify_run *same_login; /* NULL: ForwardLogin is no tunnel login */
    struct probe probe;
    struct probe_files files;
    struct destination to;
    struct attempt_target target;
    struct sources sources;
};

static const char *const ids[] = {
    "no-lease",   "other-address",     "max-sessions",     "removed-key-session",
    "ends-alone", "removed-key-login", "narrowed-session", "expired-session",
    NULL};

/* ---- the lease ---- */

/* Where sshd does not listen on loopback, the kernel may not connect from there. */
static bool can_connect_from(const char *source, const struct destination *to)
{
    struct sockaddr_in from = {.sin_family = AF_INET},
                       at = {.sin_family = AF_INET, .sin_port = htons(to->port)};
    const struct timeval limit = {.tv_sec = 1};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool can = fd >= 0 && inet_pton(AF_INET, source, &from.sin_addr) == 1 &&
                     inet_pton(AF_INET, to->host, &at.sin_addr) == 1 &&
                     setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
                     bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0 &&
                     connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0;
    if (fd >= 0)
        (void)close(fd);
    return can;
}

static void choose_networks(struct own_lease *o)
{
    const unsigned a = 1 + arc4random_uniform(254), b = arc4random_uniform(250);
    if (o->to.source[0] == '\0' || !can_connect_from(o->to.source, &o->to))
        return;
    (void)snprintf(o->sources.net, sizeof(o->sources.net), "127.%u.%u.", a, b);
    (void)snprintf(o->sources.other_net, sizeof(o->sources.other_net), "127.%u.%u.", a, b + 1);
}

/* Another address each time: sshd shuts out who is refused several times (PerSourcePenalties). */
static const char *next_source(struct own_lease *o, const char *net)
{
    if (*net == '\0')
        return "";
    (void)snprintf(o->sources.last, sizeof(o->sources.last), "%s%u", net, 1 + o->sources.used++);
    return o->sources.last;
}

static void set_from(const struct own_lease *o, struct source_list *ret)
{
    char text[DESTINATION_HOST_BYTES + 32];
    *ret = (struct source_list){.count = 0};
    if (o->sources.net[0] == '\0')
        return;
    (void)snprintf(text, sizeof(text), "%s0/24", o->sources.net);
    if (source_list_parse(text, ret) != NULL)
        *ret = (struct source_list){.count = 0};
}

static int make_files(struct own_lease *o)
{
    struct lease *l = &o->probe.lease;
    int code = files_make(o->ctl, &o->files);
    if (code == EXIT_DONE)
        code = files_make_key(o->ctl, o->files.key_file, l);
    if (code == EXIT_DONE)
        code = files_make_key(o->ctl, o->files.more_key_files[0], l);
    if (code == EXIT_DONE)
        code = files_make_key(o->ctl, o->files.more_key_files[1], NULL);
    if (code == EXIT_DONE)
        code = files_pin_host_keys(o->ctl, &o->files, &o->to.sshd, o->to.host, o->to.port);
    return code;
}

/* One of its own, or those of a lease where the ceiling has no port of this host. */
static int choose_permits(struct own_lease *o)
{
    char number[24];
    const int64_t lease_id = o->same_login != NULL ? o->same_login->lease_id : 0;
    int code = ctl_open_write(o->ctl);
    if (code == EXIT_DONE) {
        o->ctl->muted = lease_id != 0;
        code = probe_for_login(&o->probe, o->ctl->conf.forward_login);
        o->ctl->muted = false;
    }
    if (code == EXIT_CEILING && lease_id != 0) {
        (void)snprintf(number, sizeof(number), "#%" PRId64, lease_id);
        code = probe_copy_lease(&o->probe, number);
    }
    ctl_close(o->ctl);
    return code;
}

static int make_lease(struct own_lease *o)
{
    struct lease *l = &o->probe.lease;
    int code = choose_permits(o);
    if (code == EXIT_DONE)
        code = destination_find(o->ctl, NULL, 0, &o->to);
    if (code == EXIT_DONE)
        code = make_files(o);
    if (code != EXIT_DONE)
        return code;
    choose_networks(o);
    set_from(o, &l->from);
    probe_name_format(arc4random(), l->name);
    l->max_sessions = SESSIONS_LIMIT;
    l->expires_s = clock_now_s() + PROBE_TTL_S;
    code = ctl_open_write(o->ctl);
    if (code == EXIT_DONE)
        code = probe_add(&o->probe);
    ctl_close(o->ctl);
    return code;
}

static void set_target(struct own_lease *o)
{
    o->target.host = o->to.host;
    o->target.port = o->to.port;
    o->target.login = o->probe.lease.login;
    o->target.known_hosts = o->files.known_hosts;
    o->target.work_dir = o->files.work_dir;
}

/* Changes the lease in one transaction, and ends what may not stay. True: it was changed. */
typedef enum store_rc (*change_fn)(struct own_lease *o, const struct store_actor *by);

static bool change(struct own_lease *o, change_fn fn)
{
    struct store_actor by = ctl_actor(o->ctl);
    by.now_s = clock_now_s();
    if (ctl_open_write(o->ctl) != EXIT_DONE)
        return false;
    enum store_rc rc = store_begin(o->ctl->store);
    if (rc == STORE_OK)
        rc = fn(o, &by);
    if (rc == STORE_OK)
        rc = store_commit(o->ctl->store);
    store_rollback(o->ctl->store);
    ctl_close(o->ctl);
    return rc == STORE_OK;
}

static void enforce(struct own_lease *o)
{
    const struct enforce_scope scope = {.lease = &o->probe.lease};
    const bool quiet = o->ctl->quiet;
    o->ctl->quiet = true;
    (void)sessions_enforce(o->ctl, &scope);
    o->ctl->quiet = quiet;
}

static enum store_rc remove_first_key(struct own_lease *o, const struct store_actor *by)
{
    return store_key_remove(o->ctl->store, &o->probe.lease, o->probe.lease.keys[0].pub.fingerprint,
                            by);
}

static enum store_rc set_sources(struct own_lease *o, const struct store_actor *by)
{
    struct store_conflict conflict;
    return store_lease_set(o->ctl->store, &o->probe.lease, ctl_quarantine_s(o->ctl), by, &conflict);
}

static enum store_rc expire_soon(struct own_lease *o, const struct store_actor *by)
{
    struct store_conflict conflict;
    return store_lease_renew(o->ctl->store, &o->probe.lease, by->now_s + EXPIRE_IN_S, false,
                             ctl_quarantine_s(o->ctl), by, &conflict);
}

/* ---- logins ---- */

static void try_refused(struct own_lease *o, const char *id, const char *what, const char *key_file,
                        const char *source)
{
    char evidence[ATTEMPT_EVIDENCE_BYTES];
    (void)verifies_go_on(o->others, 0);
    if (!proof_has_time(o->proof))
        return;
    proof_show_progress(o->proof, what);
    o->target.key_file = key_file;
    o->target.source = source;
    const enum sight refused = tunnel_is_refused(&o->target, evidence);
    proof_add(o->proof, id, what,
              refused == SIGHT_IS       ? OUTCOME_PASS
              : refused == SIGHT_IS_NOT ? OUTCOME_FAIL
                                        : OUTCOME_NOT_RUN,
              "%s%s%s%s", *source != '\0' ? "from " : "", source, *source != '\0' ? ": " : "",
              evidence);
}

/* True: it is up. The caller releases c in any case. */
static bool open_tunnel(struct own_lease *o, const char *key_file, struct child *c)
{
    *c = CHILD_NONE;
    (void)verifies_go_on(o->others, 0);
    if (!proof_has_time(o->proof))
        return false;
    o->target.key_file = key_file;
    o->target.source = next_source(o, o->sources.net);
    return tunnel_open(&o->target, c) == 0;
}

/* How long after start_ms the session was gone; -1: it is still up. */
static int64_t gone_after_ms(struct child *c, int64_t start_ms, int64_t wait_ms)
{
    while (!child_pump(c, 5) && clock_monotonic_ms() < start_ms + wait_ms)
        ;
    return c->pid <= 0 ? clock_monotonic_ms() - start_ms : -1;
}

static void judge_gone(struct own_lease *o, const char *id, const char *what, struct child *c,
                       int64_t start_ms)
{
    const int64_t after_ms = gone_after_ms(c, start_ms, GONE_MS);
    if (after_ms >= 0)
        proof_add(o->proof, id, what, OUTCOME_PASS, "gone after %lld ms", (long long)after_ms);
    else
        proof_add(o->proof, id, what, OUTCOME_FAIL, "still up after %d s", GONE_MS / 1000);
}

static bool change_failed(struct own_lease *o, bool changed, const char *id)
{
    if (!changed)
        proof_add(o->proof, id, o->probe.lease.login, OUTCOME_NOT_RUN,
                  "the lease of the trial could not be changed");
    return !changed;
}

static void try_removed_key(struct own_lease *o, struct child *first, struct child *second)
{
    static const char what[] = "the session of the key that was removed",
                      other[] = "the session of the lease's other key";
    const int64_t start_ms = clock_monotonic_ms();
    proof_show_progress(o->proof, what);
    if (change_failed(o, change(o, remove_first_key), "removed-key-session"))
        return;
    enforce(o);
    judge_gone(o, "removed-key-session", what, first, start_ms);
    const int64_t after_ms = gone_after_ms(second, clock_monotonic_ms(), STAYS_MS);
    if (after_ms < 0)
        proof_add(o->proof, "ends-alone", other, OUTCOME_PASS, "still up");
    else
        proof_add(o->proof, "ends-alone", other, OUTCOME_FAIL, "it ended, too");
    try_refused(o, "removed-key-login", "the key that was removed", o->files.key_file,
                next_source(o, o->sources.net));
}

static void try_narrowed(struct own_lease *o, struct child *second)
{
    static const char what[] = "the session from an address that --from no longer names";
    const struct source_list from = o->probe.lease.from;
    const int64_t start_ms = clock_monotonic_ms();
    if (!proof_has_time(o->proof))
        return;
    if (child_pump(second, 0)) {
        proof_add(o->proof, "narrowed-session", what, OUTCOME_NOT_RUN, "it was gone before");
        return;
    }
    proof_show_progress(o->proof, what);
    (void)source_list_parse("192.0.2.1", &o->probe.lease.from);
    const bool changed = change(o, set_sources);
    if (!change_failed(o, changed, "narrowed-session")) {
        enforce(o);
        judge_gone(o, "narrowed-session", what, second, start_ms);
    }
    o->probe.lease.from = from;
    (void)change(o, set_sources);
}

/* With leased alone: nothing here ends that session. */
static void try_expired(struct own_lease *o)
{
    static const char what[] = "the session of a lease that expires";
    struct child c;
    if (!proof_has_time(o->proof))
        return;
    if (!ctl_leased_is_running(o->ctl)) {
        proof_add(o->proof, "expired-session", what, OUTCOME_NOT_RUN, "leased does not run");
        return;
    }
    proof_show_progress(o->proof, what);
    if (!open_tunnel(o, o->files.more_key_files[0], &c))
        proof_add(o->proof, "expired-session", what, OUTCOME_NOT_RUN, "no session came up for it");
    else if (!change_failed(o, change(o, expire_soon), "expired-session"))
        judge_gone(o, "expired-session", what, &c, clock_monotonic_ms());
    child_release(&c);
}

static void try_other_address(struct own_lease *o)
{
    static const char what[] = "a key whose --from is another network";
    const struct source_list from = o->probe.lease.from;
    if (o->sources.net[0] != '\0') {
        try_refused(o, "other-address", what, o->files.key_file,
                    next_source(o, o->sources.other_net));
        return;
    }
    /* We have no other address: the lease gets one that is nobody's (RFC 5737). */
    (void)source_list_parse("192.0.2.1", &o->probe.lease.from);
    if (!change_failed(o, change(o, set_sources), "other-address"))
        try_refused(o, "other-address", what, o->files.key_file, "");
    o->probe.lease.from = from;
    (void)change(o, set_sources);
}

static void try_sessions(struct own_lease *o)
{
    struct child first, second = CHILD_NONE;
    const bool up = open_tunnel(o, o->files.key_file, &first) &&
                    open_tunnel(o, o->files.more_key_files[0], &second);
    if (up) {
        try_refused(o, "max-sessions", "a third session of a lease with --max-sessions 2",
                    o->files.key_file, next_source(o, o->sources.net));
        if (proof_has_time(o->proof))
            try_removed_key(o, &first, &second);
        try_narrowed(o, &second);
    } else if (proof_has_time(o->proof)) {
        char why[256];
        const char *said = child_text(&(second.err_text.len > 0 ? &second : &first)->err_text);
        const char *denied = strstr(said, "Permission denied");
        (void)snprintf(
            why, sizeof(why), "its session did not come up%s%.*s", denied != NULL ? ": " : "",
            denied != NULL ? (int)strcspn(denied, "\r\n") : 0, denied != NULL ? denied : "");
        proof_not_run(o->proof, ids, why);
    }
    child_release(&first);
    child_release(&second);
}

void try_own_lease(struct proof *p, struct verifies *v, int64_t *ret_lease_id)
{
    struct own_lease o = {.proof = p,
                          .ctl = p->ctl,
                          .others = v,
                          .same_login = verifies_find(v, p->ctl->conf.forward_login),
                          .probe = {.ctl = p->ctl, .permitted = {.pid = -1}},
                          .files = PROBE_FILES_NONE};
    *ret_lease_id = 0;
    if (o.same_login != NULL && o.same_login->frozen) {
        proof_not_run(p, ids, "ForwardLogin is frozen: nobody is let in");
        return;
    }
    proof_show_progress(p, "a lease of its own");
    if (make_lease(&o) == EXIT_DONE) {
        set_target(&o);
        try_refused(&o, "no-lease", "a key that holds no lease", o.files.more_key_files[1],
                    next_source(&o, o.sources.net));
        try_other_address(&o);
        try_sessions(&o);
        try_expired(&o);
    } else {
        proof_not_run(p, ids, "the lease for it could not be made: see the error that was printed");
    }
    *ret_lease_id = o.probe.lease.id;
    probe_remove(&o.probe);
    probe_release(&o.probe);
    files_remove(&o.files);
}
