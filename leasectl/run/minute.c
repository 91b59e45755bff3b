/* SPDX-License-Identifier: ISC */
#include "leasectl/run/minute.h"

#include "leasectl/ctl_store.h"
#include "leasectl/sessions/enforce.h"
#include "lib/base/clock.h"
#include "lib/base/keeper.h"
#include "lib/store/changes.h"
#include "lib/store/leases.h"
#include "lib/store/prolong.h"
#include "lib/store/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t minute_end_s(const struct minute *m, int64_t now_s)
{
    int64_t end_s = now_s + MINUTE_LEASE_S;
    return end_s < m->limit_s ? end_s : m->limit_s;
}

/* ---- one attempt, in a child: opening a store may hang or end the process ---- */

enum attempt {
    ATTEMPT_DONE,
    ATTEMPT_REFUSED, /* and one more byte: an enum prolong_refusal */
    ATTEMPT_FAILED,  /* the store did not answer: try again */
};

/* What an attempt writes to its pipe. */
struct answer {
    enum attempt attempt;
    enum prolong_refusal why;
    int64_t end_s;
};

/* What an attempt is for. */
enum purpose { PROLONG, LOOK };

static enum store_rc prolong(struct minute *m, struct answer *a)
{
    struct ctl *ctl = m->ctl;
    enum store_rc rc = store_begin(ctl->store);
    a->end_s = minute_end_s(m, ctl->now_s);
    if (rc == STORE_OK)
        rc = store_lease_prolong(ctl->store, &m->lease, a->end_s, ctl_quarantine_s(ctl), ctl->now_s,
                                 &a->why);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    return rc;
}

/* Not ctl_open_write, which makes a store where there is none. */
static void attempt_in_child(struct minute *m, enum purpose purpose, int out)
{
    char why[STORE_ERROR_BYTES];
    struct answer a = {.attempt = ATTEMPT_FAILED};
    m->ctl->now_s = clock_now_s();
    enum store_rc rc = ctl_open_to_replace(m->ctl, why);
    if (rc == STORE_OK) {
        rc = purpose == LOOK ? store_lease_may_prolong(m->ctl->store, &m->lease, &a.why)
                             : prolong(m, &a);
        if (rc == STORE_OK)
            a.attempt = ATTEMPT_DONE;
        else if (rc == STORE_NONE)
            a.attempt = ATTEMPT_REFUSED;
        else
            (void)ctl_store_error(m->ctl, rc);
        ctl_close(m->ctl);
    } else {
        (void)ctl_error(m->ctl, EXIT_STORE, "%s", why);
    }
    (void)!write(out, &a, sizeof(a));
}

/* Waits for the child's answer or end, and no longer than the lease has. */
static void read_answer(const struct minute *m, int in, struct answer *ret)
{
    struct pollfd p = {.fd = in, .events = POLLIN};
    int64_t left_ms = m->over_ms - clock_boot_ms();
    struct answer a;
    if (left_ms > 0 && poll(&p, 1, (int)left_ms) == 1 && read(in, &a, sizeof(a)) == sizeof(a))
        *ret = a;
}

static struct answer make_attempt(struct minute *m, enum purpose purpose)
{
    struct answer a = {.attempt = ATTEMPT_FAILED};
    int ends[2], status;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return a;
    pid_t pid = fork();
    if (pid == 0) {
        attempt_in_child(m, purpose, ends[1]);
        _exit(EXIT_DONE);
    }
    (void)close(ends[1]);
    if (pid > 0) {
        read_answer(m, ends[0], &a);
        (void)kill(pid, SIGKILL); /* it has answered, or it hangs */
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    (void)close(ends[0]);
    return a;
}

/* ---- the keeper ---- */

static int lost(const struct minute *m, const char *why)
{
    m->ctl->muted = false;
    return ctl_error(m->ctl, MINUTE_LOST, "'%s' (#%" PRId64 ") %s: ending the command",
                     m->lease.name, m->lease.id, why);
}

static const char *refusal_text(enum prolong_refusal why)
{
    switch (why) {
    case PROLONG_DELETED:
        return "is not in the store any more";
    case PROLONG_REVOKED:
        return "was revoked";
    case PROLONG_FROZEN:
        return "is on a login that was frozen";
    case PROLONG_ANOTHER_END:
        return "was given another end";
    case PROLONG_CHANGED:
        return "was changed";
    }
    return "may not be prolonged";
}

/* When the store's log was written last: another value means that somebody wrote since. A log that
 * is away has none. */
static struct timespec last_write(const struct minute *m)
{
    char log[CONF_PATH_BYTES + 8];
    struct stat st = {.st_size = 0};
    (void)snprintf(log, sizeof(log), "%s-wal", m->ctl->conf.paths.database);
    return stat(log, &st) == 0 ? st.st_mtim : (struct timespec){.tv_sec = 0};
}

/* The state of a keeper. */
struct keeping {
    struct minute *minute;
    int64_t due_ms;         /* the next prolongation, by clock_boot_ms */
    struct timespec looked; /* last_write at the last look */
};

/* EXIT_DONE: it goes on. */
static int prolong_once(struct keeping *k)
{
    struct minute *m = k->minute;
    const int64_t began_ms = clock_boot_ms();
    if (began_ms >= m->over_ms)
        return lost(m, "could not be prolonged for a minute");
    const struct answer a = make_attempt(m, PROLONG);
    if (a.attempt == ATTEMPT_REFUSED)
        return lost(m, refusal_text(a.why));
    m->ctl->muted = a.attempt == ATTEMPT_FAILED; /* one word about a store that is away */
    k->due_ms = clock_boot_ms() + MINUTE_RETRY_MS;
    if (a.attempt == ATTEMPT_DONE) {
        m->lease.expires_s = a.end_s;
        m->over_ms = began_ms + MINUTE_LEASE_S * 1000;
        k->due_ms = began_ms + MINUTE_PROLONG_MS;
    }
    return EXIT_DONE;
}

static int look_once(struct keeping *k)
{
    const struct timespec written = last_write(k->minute);
    if (written.tv_sec == k->looked.tv_sec && written.tv_nsec == k->looked.tv_nsec)
        return EXIT_DONE;
    const bool was_muted = k->minute->ctl->muted;
    k->minute->ctl->muted = true; /* a failure is that of the next prolongation, too */
    const struct answer a = make_attempt(k->minute, LOOK);
    k->minute->ctl->muted = was_muted;
    if (a.attempt == ATTEMPT_DONE)
        k->looked = written;
    return a.attempt == ATTEMPT_REFUSED ? lost(k->minute, refusal_text(a.why)) : EXIT_DONE;
}

static int do_what_is_due(struct keeping *k)
{
    if (clock_now_s() >= k->minute->limit_s)
        return lost(k->minute, "is over: that is the end of --for or --until");
    return clock_boot_ms() >= k->due_ms ? prolong_once(k) : look_once(k);
}

int minute_keep(void *arg, int tie)
{
    struct keeping k = {.minute = arg, .due_ms = clock_boot_ms() + MINUTE_PROLONG_MS};
    int number, group = 0, code = EXIT_DONE;
    while (code == EXIT_DONE) {
        enum tie_word word = tie_read(tie, MINUTE_LOOK_MS, &number);
        if (word == TIE_NUMBER && number != 0) {
            group = number;
        } else if (word != TIE_LATE) {
            if (word == TIE_CUT)
                keeper_kill_group(group);
            k.minute->ctl->muted = false;
            return minute_give_back(k.minute);
        } else {
            code = do_what_is_due(&k);
        }
    }
    return code;
}

/* ---- the end ---- */

static int revoke_in_store(struct minute *m, struct lease *ret_now)
{
    struct ctl *ctl = m->ctl;
    const struct store_actor by = ctl_actor(ctl);
    enum store_rc rc = store_begin(ctl->store);
    if (rc == STORE_OK)
        rc = store_lease_by_id(ctl->store, m->lease.id, ret_now);
    /* Whoever gave it a later end wants it to last. Within the minute it can be our own: leasectl
     * does not know which one a keeper that was killed gave it last. */
    if (rc == STORE_OK && (ret_now->created_s != m->lease.created_s ||
                           (ret_now->expires_s != m->lease.expires_s &&
                            ret_now->expires_s > ctl->now_s + MINUTE_LEASE_S)))
        rc = STORE_NONE;
    if (rc == STORE_OK)
        rc = store_lease_revoke(ctl->store, ret_now, false, &by);
    if (rc == STORE_OK)
        rc = store_commit(ctl->store);
    store_rollback(ctl->store);
    if (rc == STORE_NONE)
        return EXIT_NO_SUCH;
    return rc == STORE_OK ? EXIT_DONE : ctl_store_error(ctl, rc);
}

int minute_give_back(struct minute *m)
{
    char why[STORE_ERROR_BYTES];
    struct lease now = {0};
    struct ctl *ctl = m->ctl;
    int code;
    ctl->now_s = clock_now_s();
    if (ctl_open_to_replace(ctl, why) != STORE_OK) {
        code = ctl_error(ctl, EXIT_STORE,
                         "'%s' (#%" PRId64 ") is not revoked, and ends within a minute: %s",
                         m->lease.name, m->lease.id, why);
    } else {
        code = revoke_in_store(m, &now);
        if (code == EXIT_DONE) {
            const struct enforce_scope scope = {.lease = &now};
            ctl->quiet = true;
            code = sessions_enforce(ctl, &scope);
        } else if (code == EXIT_NO_SUCH) {
            code = EXIT_DONE;
        }
        ctl_close(ctl);
    }
    lease_release(&now);
    return code;
}
