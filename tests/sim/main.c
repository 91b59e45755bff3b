/* SPDX-License-Identifier: ISC */
/*
 * The real lib/store and the decision of the login path, under a simulated clock and with processes
 * that are killed, against a reference of plain arrays. docs/simulation.md says what is real.
 *
 *     sim [--seed N] [--steps M] [--runs R] [--plant FAULT]
 *
 * Exits 0: no failure. 1: a failure; its seed and the shortest list of steps that shows it are
 * printed. 2: usage, or the simulation itself could not go on.
 */
#include "lib/lease/lease.h"
#include "lib/store/audit_verify.h"
#include "lib/store/changes.h"
#include "lib/store/connection.h"
#include "lib/store/freezes.h"
#include "lib/store/leases.h"
#include "lib/store/login.h"
#include "lib/store/open_write.h"
#include "lib/store/transaction.h"

#include "tests/made_key.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    KEYS = 6,
    LOGINS = 2,
    PORTS = 3,
    LEASES_MAX = 4096,
    STEPS_MAX = 4096,
    DAY_S = 86400,
    QUARANTINE_S = 7 * DAY_S,
    EXIT_SIM_BROKEN = 2,
};
static const int64_t start_s = 1795802400;
static const char *const logins[LOGINS] = {"gw-forward", "gw-tunnel"};

enum verb { GRANT, REVOKE, RENEW, FREEZE, THAW, CLOCK, VERB__MAX };
static const char *const verb_names[] = {"grant", "revoke", "renew", "freeze", "thaw", "clock"};
enum crash { CRASH_NONE, CRASH_BEFORE_COMMIT, CRASH_AFTER_COMMIT };
static const char *const crash_names[] = {"", " killed-before-commit", " killed-after-commit"};

struct step {
    enum verb verb;
    enum crash crash;
    unsigned key, login, port, which; /* port 0: none */
    int64_t seconds;                  /* how long a lease is, or how far the clock jumps */
};

/* Faults that are put into the adapter below, which the simulation has to find. */
static const char *const plants[] = {"grant-lost",  "revoke-lost", "renew-too-long",
                                     "freeze-lost", "thaw-lost",   "unexplained-row"};
static const char *plant = "";

/* ---- the reference: what the documents say, in arrays ---- */

struct ref_lease {
    int64_t id, expires_s;
    unsigned key, login, port, name;
    bool revoked;
};
static struct ref_lease ref[LEASES_MAX];
static size_t ref_count;
static bool ref_frozen[LOGINS + 1]; /* the last: all */
static int64_t ref_rows, now_s;
static double lease_seconds;

static bool ref_admits(unsigned login, unsigned key)
{
    if (ref_frozen[login] || ref_frozen[LOGINS])
        return false;
    for (size_t i = 0; i < ref_count; i++)
        if (!ref[i].revoked && ref[i].login == login && ref[i].key == key &&
            now_s < ref[i].expires_s)
            return true;
    return false;
}

static bool ref_key_is_taken(const struct step *s)
{
    for (size_t i = 0; i < ref_count; i++)
        if (!ref[i].revoked && ref[i].login == s->login && ref[i].key == s->key)
            return true;
    return false;
}

static bool ref_port_is_live(unsigned port, size_t but)
{
    for (size_t i = 0; port != 0 && i < ref_count; i++)
        if (i != but && !ref[i].revoked && ref[i].port == port && now_s < ref[i].expires_s)
            return true;
    return false;
}

static bool ref_port_was_used(unsigned port)
{
    for (size_t i = 0; port != 0 && i < ref_count; i++)
        if (ref[i].port == port)
            return true;
    return false;
}

/* ---- the adapter: the real store ---- */

static char dir[64], path[96];
static struct store *st;
static char failure[512];

__attribute__((format(printf, 1, 2))) static void fail(const char *format, ...)
{
    va_list args;
    if (failure[0] != '\0')
        return;
    va_start(args, format);
    (void)vsnprintf(failure, sizeof(failure), format, args);
    va_end(args);
}

static void give_up(const char *what)
{
    (void)fprintf(stderr, "sim: %s\n", what);
    exit(EXIT_SIM_BROKEN);
}

static void open_it(void)
{
    char err[STORE_ERROR_BYTES];
    if (store_open_write(path, &st, err) != STORE_OK)
        fail("the store does not open: %s", err);
}

static struct pubkey key_of(unsigned n)
{
    struct pubkey key;
    if (!made_key((unsigned char)(n + 1), &key))
        give_up("cannot make a key");
    return key;
}

static enum store_rc add(const struct step *s, const struct store_actor *by, int64_t *ret_id)
{
    struct lease l = {.expires_s = now_s + s->seconds};
    struct lease_key key = {.pub = key_of(s->key)};
    struct store_conflict conflict;
    char listen[32] = "";
    (void)snprintf(l.name, sizeof(l.name), "n%zu", ref_count);
    (void)snprintf(l.login, sizeof(l.login), "%s", logins[s->login]);
    if (s->port != 0)
        (void)snprintf(listen, sizeof(listen), "127.0.0.1:%u", 20000 + s->port);
    if (permit_list_parse(s->port != 0 ? "" : "8009", &l.open) != 0 ||
        permit_list_parse(listen, &l.listen) != 0 || lease_add_key(&l, &key) != 0)
        give_up("cannot make a lease");
    enum store_rc rc = store_lease_add(st, &l, QUARANTINE_S, by, ret_id, &conflict);
    lease_release(&l);
    return rc;
}

static const char *frozen_login(const struct step *s)
{
    unsigned n = s->which % (LOGINS + 1);
    return n == LOGINS ? "*" : logins[n];
}

/* One change in its transaction. */
static enum store_rc change(const struct step *s, int64_t *ret_id)
{
    const struct store_actor by = {.who = "uid=0", .source = "192.0.2.7", .now_s = now_s};
    struct store_conflict conflict;
    struct lease l = {.id = 0};
    bool lose = false;
    enum store_rc rc = store_begin(st);
    if (rc != STORE_OK)
        return rc;
    if (s->verb == REVOKE || s->verb == RENEW) {
        rc = store_lease_by_id(st, ref[s->which % ref_count].id, &l);
        if (rc != STORE_OK)
            goto out;
    }
    switch (s->verb) {
    case GRANT:
        rc = add(s, &by, ret_id);
        lose = strcmp(plant, "grant-lost") == 0;
        break;
    case REVOKE:
        rc = store_lease_revoke(st, &l, false, &by);
        lose = strcmp(plant, "revoke-lost") == 0;
        break;
    case RENEW:
        rc = store_lease_renew(
            st, &l, now_s + s->seconds + (strcmp(plant, "renew-too-long") == 0 ? 3 * DAY_S : 0),
            false, QUARANTINE_S, &by, &conflict);
        break;
    case FREEZE:
        rc = store_freeze(st, frozen_login(s), &by);
        lose = strcmp(plant, "freeze-lost") == 0;
        break;
    case THAW:
        rc = store_thaw(st, frozen_login(s), &by);
        lose = strcmp(plant, "thaw-lost") == 0;
        if (rc == STORE_OK && strcmp(plant, "unexplained-row") == 0) {
            (void)store_freeze(st, frozen_login(s), &by);
            (void)store_thaw(st, frozen_login(s), &by);
        }
        break;
    case CLOCK:
    case VERB__MAX:
        break;
    }
    if (rc == STORE_OK && s->crash == CRASH_BEFORE_COMMIT)
        (void)raise(SIGKILL);
    if (rc == STORE_OK && !lose)
        rc = store_commit(st);
    if (rc == STORE_OK && s->crash == CRASH_AFTER_COMMIT)
        (void)raise(SIGKILL);
out:
    store_rollback(st);
    lease_release(&l);
    return rc;
}

/* ---- one step of both ---- */

/* Whether the reference makes the change, too; fails where it disagrees with the store's answer. */
static void judge_answer(const struct step *s, enum store_rc rc, int64_t id)
{
    struct ref_lease *r = ref_count > 0 ? &ref[s->which % ref_count] : NULL;
    bool *frozen = &ref_frozen[s->which % (LOGINS + 1)];
    enum store_rc want = STORE_OK;
    bool may_conflict = false; /* a port in quarantine: the reference does not say until when */
    switch (s->verb) {
    case GRANT:
        want =
            ref_key_is_taken(s) || ref_port_is_live(s->port, SIZE_MAX) ? STORE_CONFLICT : STORE_OK;
        may_conflict = ref_port_was_used(s->port);
        break;
    case REVOKE:
        want = r->revoked ? STORE_NONE : STORE_OK;
        break;
    case RENEW:
        want = r->revoked                                        ? STORE_NONE
               : ref_port_is_live(r->port, s->which % ref_count) ? STORE_CONFLICT
                                                                 : STORE_OK;
        may_conflict = !r->revoked && r->port != 0 && now_s >= r->expires_s;
        break;
    case FREEZE:
        want = *frozen ? STORE_CONFLICT : STORE_OK;
        break;
    case THAW:
        want = *frozen ? STORE_OK : STORE_NONE;
        break;
    case CLOCK:
    case VERB__MAX:
        return;
    }
    if (rc != want && !(rc == STORE_CONFLICT && may_conflict))
        fail("the store answers %d, the reference %d: %s", rc, want, store_error(st));
    if (rc != STORE_OK)
        return;
    ref_rows++;
    switch (s->verb) {
    case GRANT:
        ref[ref_count] = (struct ref_lease){.id = id,
                                            .expires_s = now_s + s->seconds,
                                            .key = s->key,
                                            .login = s->login,
                                            .port = s->port};
        ref_count++;
        break;
    case REVOKE:
        r->revoked = true;
        break;
    case RENEW:
        r->expires_s = now_s + s->seconds;
        break;
    case FREEZE:
    case THAW:
        *frozen = s->verb == FREEZE;
        break;
    case CLOCK:
    case VERB__MAX:
        break;
    }
}

/* The change in a process that is killed. It answers through its end: a kill says that it would
 * have succeeded; what it wrote is then there if it had committed, and not if it had not. */
static void change_killed(const struct step *s)
{
    int status = 0;
    store_close(st);
    st = NULL;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("cannot fork");
    if (pid == 0) {
        int64_t id = 0;
        open_it();
        _exit(failure[0] != '\0' ? EXIT_SIM_BROKEN : change(s, &id) == STORE_OK ? 1 : 0);
    }
    if (waitpid(pid, &status, 0) != pid || (WIFEXITED(status) && WEXITSTATUS(status) != 0))
        give_up("the process that was to be killed went on");
    open_it();
    if (failure[0] == '\0' && WIFSIGNALED(status) && s->crash == CRASH_AFTER_COMMIT) {
        struct lease l = {.id = 0};
        char name[32];
        (void)snprintf(name, sizeof(name), "n%zu", ref_count);
        if (s->verb == GRANT && store_lease_by_name(st, name, &l) != STORE_OK)
            fail("a grant that was committed is lost: %s", store_error(st));
        judge_answer(s, STORE_OK, l.id);
        lease_release(&l);
    }
}

static void check_invariants(void)
{
    struct audit_report report;
    for (unsigned login = 0; login < LOGINS; login++)
        for (unsigned key = 0; key < KEYS; key++) {
            struct pubkey pub = key_of(key);
            struct key_judgement j;
            struct lease l = {.id = 0};
            if (store_judge_key(st, logins[login], pub.fingerprint, now_s, &j, &l) != STORE_OK)
                fail("key %u of %s is not judged: %s", key, logins[login], store_error(st));
            else if ((j.verdict == KEY_ADMITTED) != ref_admits(login, key))
                fail("key %u of %s: the store says %s, the reference %s", key, logins[login],
                     key_verdict_name(j.verdict), ref_admits(login, key) ? "admitted" : "refused");
            lease_release(&l);
        }
    for (size_t i = 0; i < ref_count; i++)
        if (!ref[i].revoked && now_s < ref[i].expires_s && ref_port_is_live(ref[i].port, i))
            fail("port %u has two owners", 20000 + ref[i].port);
    if (audit_verify(st, &report) != STORE_OK || report.broken_seq != 0)
        fail("the audit does not verify");
    else if (report.rows != ref_rows)
        fail("%lld changes, but %lld rows of the audit", (long long)ref_rows,
             (long long)report.rows);
}

static void do_step(const struct step *s)
{
    int64_t id = 0;
    if (s->verb == CLOCK) {
        for (size_t i = 0; i < ref_count && s->seconds > 0; i++)
            if (!ref[i].revoked && ref[i].expires_s > now_s)
                lease_seconds +=
                    (double)(ref[i].expires_s - now_s < s->seconds ? ref[i].expires_s - now_s
                                                                   : s->seconds);
        now_s += s->seconds;
    } else if ((s->verb == REVOKE || s->verb == RENEW) && ref_count == 0) {
        return;
    } else if (s->crash != CRASH_NONE) {
        change_killed(s);
    } else {
        enum store_rc rc = change(s, &id);
        judge_answer(s, rc, id);
    }
    if (failure[0] == '\0')
        check_invariants();
}

/* ---- runs, and the shortest failing list ---- */

/* Returns the number of the step that failed, or count. */
static size_t run(const struct step *steps, size_t count)
{
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    size_t i = 0;
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, sizeof(dir), "%.40s/tunlease-sim.XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(dir) == NULL)
        give_up("cannot make a directory");
    (void)snprintf(path, sizeof(path), "%s/leases.db", dir);
    ref_count = 0;
    ref_rows = 0;
    memset(ref_frozen, 0, sizeof(ref_frozen));
    failure[0] = '\0';
    now_s = start_s;
    open_it();
    while (failure[0] == '\0' && i < count) {
        do_step(&steps[i]);
        i += failure[0] == '\0';
    }
    store_close(st);
    st = NULL;
    for (size_t k = 0; k < 3; k++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[k]);
        (void)unlink(name);
    }
    (void)rmdir(dir);
    return i;
}

static uint64_t random_state;
static unsigned below(unsigned n) /* splitmix64 */
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (unsigned)((z ^ (z >> 31)) % n);
}

static void make_steps(uint64_t seed, struct step *steps, size_t count)
{
    static const enum verb often[] = {GRANT,  GRANT, GRANT, REVOKE, RENEW, RENEW,
                                      FREEZE, THAW,  THAW,  CLOCK,  CLOCK};
    random_state = seed;
    for (size_t i = 0; i < count; i++) {
        struct step *s = &steps[i];
        s->verb = often[below(sizeof(often) / sizeof(often[0]))];
        s->crash = s->verb != CLOCK && below(8) == 0 ? (enum crash)(1 + below(2)) : CRASH_NONE;
        s->key = below(KEYS);
        s->login = below(LOGINS);
        s->port = s->login == 1 ? 1 + below(PORTS) : 0;
        s->which = below(1 << 20);
        s->seconds = s->verb != CLOCK ? (int64_t)(1 + below(60)) * DAY_S
                     : below(6) == 0  ? -(int64_t)below(10 * DAY_S)
                                      : (int64_t)below(20 * DAY_S);
    }
}

static size_t shrink(struct step *steps, size_t count)
{
    static struct step fewer[STEPS_MAX];
    for (size_t piece = (count + 1) / 2; piece > 0; piece = piece > 1 ? (piece + 1) / 2 : 0)
        for (size_t at = 0; at < count;) {
            size_t cut = piece < count - at ? piece : count - at;
            memcpy(fewer, steps, at * sizeof(*steps));
            memcpy(fewer + at, steps + at + cut, (count - at - cut) * sizeof(*steps));
            size_t failed = run(fewer, count - cut);
            if (failed < count - cut) {
                count = failed + 1;
                memcpy(steps, fewer, count * sizeof(*steps));
            } else {
                at += cut;
            }
        }
    return count;
}

static void print_failure(uint64_t seed, struct step *steps, size_t all, size_t at)
{
    (void)printf("FAILED seed=%llu steps=%zu step=%zu: %s\n", (unsigned long long)seed, all, at,
                 failure);
    size_t count = shrink(steps, at + 1);
    (void)run(steps, count);
    (void)printf("shortest: %zu steps: %s\n", count, failure);
    for (size_t i = 0; i < count; i++)
        (void)printf("  %s key=%u login=%u port=%u which=%u seconds=%lld%s\n",
                     verb_names[steps[i].verb], steps[i].key, steps[i].login, steps[i].port,
                     steps[i].which, (long long)steps[i].seconds, crash_names[steps[i].crash]);
}

int main(int argc, char **argv)
{
    static struct step steps[STEPS_MAX];
    uint64_t seed = 1;
    size_t count = 200, runs = 1;
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(value, NULL, 10);
        else if (strcmp(argv[i], "--steps") == 0)
            count = strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--runs") == 0)
            runs = strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--plant") == 0)
            plant = value;
        else
            give_up("usage: sim [--seed N] [--steps M] [--runs R] [--plant FAULT]");
    }
    bool known = *plant == '\0';
    for (size_t i = 0; i < sizeof(plants) / sizeof(plants[0]); i++)
        known = known || strcmp(plant, plants[i]) == 0;
    if (!known || count == 0 || count > STEPS_MAX)
        give_up("no such fault to plant, or too many steps");
    for (size_t r = 0; r < runs; r++, seed++) {
        make_steps(seed, steps, count);
        size_t at = run(steps, count);
        if (at < count || failure[0] != '\0') {
            print_failure(seed, steps, count, at);
            return 1;
        }
    }
    (void)printf("%zu runs of %zu steps, %.0f lease-years, no failure\n", runs, count,
                 lease_seconds / (365.0 * DAY_S));
    return 0;
}
