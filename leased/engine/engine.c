/* SPDX-License-Identifier: ISC */
#include "leased/engine/engine.h"

#include "leased/engine/issue.h"
#include "leased/engine/notify.h"
#include "leased/engine/pace.h"
#include "leased/engine/timer.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/store/audit.h"

#include <bsd/string.h>
#include <errno.h>
#include <event2/event.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
    RESTART_MS = 200,
    RESTART_MAX_MS = 10000,
    LIVED_MS = 1000,
    LAST_MS = 1000,
    STATUS_BYTES = 160,
    REQUESTS_AT_ONCE = 16,
    SETTLES_A_REQUEST = 4, /* more than a request adds, so that it comes to an end, */
    SETTLES_LEAST = 64,    /* and not so few that each needs a page of its own */
    SETTLE_AGAIN_MS = 1000,
};

/* ---- requests and their commit ---- */

static void free_queued(struct queued *q)
{
    if (q->private_key != NULL)
        explicit_bzero(q->private_key, strlen(q->private_key));
    free(q->private_key);
    free(q);
}

/*
 * To http. One that is not taken is an answer lost: http says 503, and the client asks again. It
 * takes them all the time, unless it hangs; then one wait a batch is enough.
 */
static void send_packet(struct engine *e, const struct control_answer *a)
{
    struct pollfd room = {.fd = e->http_fd, .events = POLLOUT};
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (e->http_fd < 0 || send(e->http_fd, a, control_answer_bytes(a), flags) >= 0 ||
        errno != EAGAIN || e->http_hangs)
        return;
    e->http_hangs = poll(&room, 1, ANSWER_WAIT_MS) <= 0 ||
                    send(e->http_fd, a, control_answer_bytes(a), flags) < 0;
}

/* The one kind of answer that has more than its fixed part. */
static void send_with_keys(struct engine *e, const struct queued *q, const struct control_answer *a)
{
    static struct control_answer full;
    const char *public_key = control_request_get(&q->request, CONTROL_PUBLIC_KEY);
    memcpy(&full, a, offsetof(struct control_answer, report));
    int n = snprintf(full.report, sizeof(full.report), "%s%c%s", public_key, '\0', q->private_key);
    full.has_keys = 1;
    full.report_bytes = (uint32_t)n;
    send_packet(e, &full);
    explicit_bzero(full.report, (size_t)n);
}

/* Where a request came from, for the log. Who came through ssh has the address that its session
 * has, if it has proven to be that lease's agent; with 0 only that it is from here is said. */
static const char *client_of(const struct engine *e, const struct control_request *r,
                             int64_t lease_id)
{
    const struct session *s = lease_id != 0 && address_is_loopback(r->address)
                                  ? sessions_of(&e->sessions, lease_id)
                                  : NULL;
    if (s != NULL && s->source[0] != '\0')
        return s->source;
    return r->address[0] != '\0' ? r->address : "unix";
}

static void log_refusal(struct engine *e, const struct control_request *r,
                        const struct control_answer *a)
{
    const char *client = client_of(e, r, 0);
    const struct text_clip agent = text_word(control_request_get(r, CONTROL_AGENT_ID));
    if (!refusals_note(&e->refusals, (enum control_action)a->action, (enum control_code)a->code,
                       client, agent.s, 1, clock_monotonic_ms()))
        return;
    log_info("refused action=%s agent=%.64s client=%s request=%llu code=%s: %s",
             control_action_name((enum control_action)a->action), agent.s, client,
             (unsigned long long)a->id, control_code_name((enum control_code)a->code), a->error);
}

/* Its numbers, and its line in the log. */
static void note_answer(struct engine *e, const struct queued *q, const struct control_answer *a)
{
    int64_t took_ms = clock_monotonic_ms() - q->since_ms;
    metrics_add_requests(&e->metrics, a->action, a->code, 1);
    metrics_add_request_time(&e->metrics, a->action, took_ms);
    const char *agent = control_request_get(&q->request, CONTROL_AGENT_ID);
    if (a->code != CONTROL_OK)
        log_refusal(e, &q->request, a);
    else if (a->action == CONTROL_REGISTER || e->verbose)
        log_info("%s agent=%.64s client=%s request=%llu port=%u",
                 control_action_name((enum control_action)a->action), agent,
                 client_of(e, &q->request, q->lease_id), (unsigned long long)a->id, a->port_b);
}

static void address_answer(const struct queued *q, struct control_answer *a)
{
    a->id = q->request.id;
    a->action = q->request.action;
}

static void send_answer(struct engine *e, const struct queued *q, struct control_answer *a)
{
    address_answer(q, a);
    if (q->private_key != NULL && a->code == CONTROL_OK)
        send_with_keys(e, q, a);
    else
        send_packet(e, a);
    note_answer(e, q, a);
}

static void unavailable(struct control_answer *a, const char *why)
{
    memset(a, 0, offsetof(struct control_answer, report));
    a->code = CONTROL_UNAVAILABLE;
    (void)strlcpy(a->error, why, sizeof(a->error));
}

static void push(struct engine *e, struct queued *q)
{
    *e->queue_tail = q;
    e->queue_tail = &q->next;
    e->queue_count++;
}

static struct queued *pop(struct engine *e)
{
    struct queued *q = e->queue_head;
    e->queue_head = q->next;
    if (e->queue_head == NULL)
        e->queue_tail = &e->queue_head;
    e->queue_count--;
    return q;
}

static struct control_answer *answer_at(const struct engine *e, size_t i)
{
    return (struct control_answer *)(void *)((char *)e->answers + i * e->answer_bytes);
}

/*
 * Answers the first count of the queue: decided[i], or all the same. As many packets a call as can
 * be: each by itself would wake http for one.
 */
static void answer_batch(struct engine *e, size_t count, const char *failed)
{
    static struct iovec texts[BATCH_MAX];
    static struct mmsghdr packets[BATCH_MAX];
    unsigned packed = 0;
    const struct queued *at = e->queue_head;
    e->http_hangs = false;
    for (size_t i = 0; i < count; i++, at = at->next) {
        struct control_answer *a = answer_at(e, i);
        if (failed != NULL)
            unavailable(a, failed);
        address_answer(at, a);
        if (at->private_key != NULL && a->code == CONTROL_OK)
            continue;
        texts[packed] = (struct iovec){.iov_base = a, .iov_len = control_answer_bytes(a)};
        packets[packed].msg_hdr = (struct msghdr){.msg_iov = &texts[packed], .msg_iovlen = 1};
        packed++;
    }
    int sent =
        e->http_fd < 0 ? 0 : sendmmsg(e->http_fd, packets, packed, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (unsigned i = sent > 0 ? (unsigned)sent : 0; i < packed; i++)
        send_packet(e, texts[i].iov_base);
    for (size_t i = 0; i < count; i++) {
        struct queued *q = pop(e);
        if (q->private_key != NULL && answer_at(e, i)->code == CONTROL_OK)
            send_with_keys(e, q, answer_at(e, i));
        note_answer(e, q, answer_at(e, i));
        free_queued(q);
    }
}

static const char failed_text[] = "the store failed: try again";

/* The one at that place of the queue; those before and after it stay there. */
static void answer_failed(struct engine *e, size_t at)
{
    struct control_answer a;
    struct queued **link = &e->queue_head;
    for (; at > 0; at--)
        link = &(*link)->next;
    struct queued *q = *link;
    *link = q->next;
    if (*link == NULL)
        e->queue_tail = link;
    e->queue_count--;
    unavailable(&a, failed_text);
    send_answer(e, q, &a);
    free_queued(q);
}

/* Those that have waited for the store's lock for too long. */
static void give_up_old(struct engine *e)
{
    int64_t now_ms = clock_monotonic_ms();
    size_t old = 0;
    for (const struct queued *q = e->queue_head;
         q != NULL && old < BATCH_MAX && now_ms - q->since_ms > LOCKED_GIVE_UP_MS; q = q->next)
        old++;
    if (old > 0)
        answer_batch(e, old, "the store is locked by another program: try again");
}

/* What is to be written down waits, as long as there is room. */
static void answer_lost(struct engine *e)
{
    while (e->queue_count > 0)
        answer_batch(e, e->queue_count < BATCH_MAX ? e->queue_count : BATCH_MAX,
                     "the store is missing or was replaced: try again");
}

/* For what is due, or will be: a timer fires a little before the clock that beats_due is told says
 * so, and has to be set again then. */
static void await_beats(struct engine *e, bool failed)
{
    int64_t wait_ms = beats_wait_ms(&e->beats, clock_monotonic_ms());
    if (e->settles_alone && timer_is_armed(e->on_beats))
        return; /* or commit after commit would put it off */
    if (wait_ms >= 0)
        timer_arm(e->on_beats, wait_ms > 0 && failed ? SETTLE_AGAIN_MS : wait_ms);
}

static void commit_batch(struct engine *e)
{
    size_t count = 0;
    enum store_rc rc;
    const int64_t pending = e->pending.count;
    const size_t records = e->records.count; /* deciding may add one */
    /* No more than half: the answers to these keep http busy while the others are decided. */
    size_t most = (e->queue_count + 1) / 2;
    most = most < BATCH_MIN ? BATCH_MIN : most > BATCH_MAX ? BATCH_MAX : most;
    if (e->queue_head == NULL && e->records.count == 0)
        return;
    if (e->place.is_lost) {
        answer_lost(e);
        return;
    }
    const bool settles = !e->settles_alone && beats_due(&e->beats, clock_monotonic_ms());
    rc = store_begin(e->place.store);
    if (rc == STORE_BUSY) {
        give_up_old(e);
        timer_arm(e->on_retry, LOCKED_RETRY_MS);
        return;
    }
    if (rc == STORE_OK)
        rc = roster_refresh(&e->roster, e->place.store);
    if (rc == STORE_OK && e->records.count > 0)
        rc = records_write(&e->records, e->place.store);
    int64_t now_ms = clock_now_ms();
    for (struct queued *q = e->queue_head; rc == STORE_OK && q != NULL && count < most;
         q = q->next, count++) {
        struct control_answer *a = answer_at(e, count);
        memset(a, 0, e->answer_bytes);
        rc = request_decide(e, q, now_ms, a);
    }
    /* One request that the store does not take is not the fault of the others. */
    const bool one_failed = rc != STORE_OK && count > 0 && store_goes_on(e->place.store);
    bool settling_failed = false;
    if (rc == STORE_OK && settles) {
        rc = beats_settle(&e->beats, e->place.store, SETTLES_LEAST + SETTLES_A_REQUEST * count,
                          false, clock_monotonic_ms());
        settling_failed = rc != STORE_OK && store_goes_on(e->place.store);
    }
    if (rc == STORE_OK)
        rc = store_commit(e->place.store);
    store_rollback(e->place.store);
    if (rc == STORE_OK) {
        beats_committed(&e->beats);
        records_written(&e->records, records);
        answer_batch(e, count, NULL);
    } else {
        beats_undone(&e->beats);
        e->settles_alone = e->settles_alone || settles;
        roster_distrust(&e->roster);
        metrics_add_store_error(&e->metrics);
        e->pending.count = pending; /* those that it counted are not there */
        log_error("the store failed: %s", store_error(e->place.store));
        if (one_failed)
            answer_failed(e, count - 1);
        else if (!settling_failed) /* else: once more without it */
            answer_batch(e, e->queue_count < BATCH_MAX ? e->queue_count : BATCH_MAX, failed_text);
        (void)place_look(&e->place);
        if (e->records.count > 0)
            records_flush_in(&e->records, 1000);
    }
    if (e->queue_head != NULL)
        timer_arm(e->on_retry, 0);
    await_beats(e, rc != STORE_OK);
}

static void on_commit(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    commit_batch(arg);
}

/* ---- heartbeats that wait for their leases ---- */

/* In a commit of their own: where nobody asks, and after one with requests failed, since a lease
 * that cannot be written must not keep all others from being answered. */
static enum store_rc settle_alone(struct engine *e)
{
    if (!place_look(&e->place))
        return STORE_FAIL;
    enum store_rc rc = store_begin(e->place.store);
    if (rc == STORE_BUSY)
        return rc;
    if (rc == STORE_OK)
        rc = beats_settle(&e->beats, e->place.store, BEATS_STEP, true, clock_monotonic_ms());
    if (rc == STORE_OK)
        rc = store_commit(e->place.store);
    store_rollback(e->place.store);
    if (rc == STORE_OK) {
        beats_committed(&e->beats);
        /* With requests again once a whole list went through. */
        if (e->beats.settling == NULL)
            e->settles_alone = e->beats.put_back > 0;
    } else {
        e->settles_alone = true;
        beats_undone(&e->beats);
        metrics_add_store_error(&e->metrics);
        log_error("heartbeats cannot be put into their leases: %s", store_error(e->place.store));
    }
    return rc;
}

static void on_beats(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    (void)fd;
    (void)what;
    bool failed = beats_due(&e->beats, clock_monotonic_ms()) && settle_alone(e) != STORE_OK;
    await_beats(e, failed);
}

/*
 * All at once, as far as the store lets us: before sessions are judged by leases that may not know
 * what their agents were told, and when we go, who knows for how long.
 */
static void settle_all(struct engine *e)
{
    const int64_t until_ms = clock_monotonic_ms() + LOCKED_GIVE_UP_MS;
    enum store_rc rc = STORE_OK;
    while (beats_are_behind(&e->beats) && clock_monotonic_ms() < until_ms) {
        (void)beats_due(&e->beats, INT64_MAX / 2); /* however short they have waited */
        rc = settle_alone(e);
        if (rc == STORE_BUSY)
            (void)poll(NULL, 0, LOCKED_RETRY_MS);
        else if (rc != STORE_OK)
            return;
    }
}

/* All that is known of the store before. */
static enum store_rc forget_store(void *arg)
{
    struct engine *e = arg;
    roster_distrust(&e->roster);
    agent_port_forget(&e->ports);
    e->settles_alone = false;
    e->count.is_on = e->walk.is_on = false;
    (void)event_del(e->on_count);
    (void)event_del(e->on_walk);
    beats_release(&e->beats);
    enum store_rc rc = beats_start(&e->beats, e->place.store);
    if (rc == STORE_OK)
        rc = store_agents_pending(e->place.store, &e->pending.count);
    if (rc == STORE_OK)
        settle_all(e);
    if (rc == STORE_OK && e->records.count > 0) /* noted while there was none to write it to */
        records_flush_in(&e->records, 0);
    return rc;
}

static void use_store(void *arg)
{
    struct engine *e = arg;
    store_watch_use_new(&e->store_watch);
}

/* ---- what needs no commit ---- */

/* CONTROL_OK, or the refusal in *a. */
static void judge_reader(struct engine *e, const struct control_request *r,
                         struct control_answer *a)
{
    const char *credential = control_request_get(r, CONTROL_CREDENTIAL);
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(credential, hash);
    a->code = CONTROL_OK;
    if (r->on_metrics_listen != 0 || api_keys_have(&e->keys, hash))
        return;
    a->code = CONTROL_UNAUTHORIZED;
    (void)strlcpy(a->error, "a credential is needed: an enrolment key", sizeof(a->error));
    if (*credential != '\0' &&
        limiter_failed(&e->limiter, r->address, "", hash, clock_monotonic_ms())) {
        a->code = CONTROL_RATE_LIMITED;
        (void)strlcpy(a->error, "too many wrong credentials: wait a minute", sizeof(a->error));
    }
    log_refusal(e, r, a);
}

static void answer_report(struct engine *e, const struct control_request *r)
{
    struct buf text = {0};
    struct control_answer *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return;
    a->id = r->id;
    a->action = r->action;
    a->code = CONTROL_OK;
    if (r->action == CONTROL_HEALTH) {
        a->code = report_health(e, &text) ? CONTROL_OK : CONTROL_UNAVAILABLE;
    } else {
        judge_reader(e, r, a);
        if (a->code == CONTROL_OK && r->action == CONTROL_METRICS)
            report_metrics(e, &text);
    }
    if (buf_text(&text) != NULL && text.len <= CONTROL_REPORT_BYTES) {
        memcpy(a->report, buf_text(&text), text.len);
        a->report_bytes = (uint32_t)text.len;
    }
    metrics_add_requests(&e->metrics, a->action, a->code, 1);
    send_packet(e, a);
    free(a);
    buf_release(&text);
}

/* ---- the other process ---- */

static void stop_http(struct engine *e)
{
    if (e->on_http != NULL)
        event_free(e->on_http);
    e->on_http = NULL;
    if (e->http_fd >= 0)
        (void)close(e->http_fd);
    e->http_fd = -1;
}

/* One that says what http never says is not ours any more: no further word of it is read. Nor is
 * one that has closed its end and lives on. problem NULL: what it said was that. */
static void condemn_http(struct engine *e, const char *problem)
{
    if (problem != NULL)
        log_error("http sent %s: it is started anew", problem);
    stop_http(e);
    if (e->http_pid > 0)
        (void)kill(e->http_pid, SIGKILL); /* not reaped yet, so it is no other's number */
}

static const char *request_problem(const struct engine *e, const struct control_request *r,
                                   size_t len)
{
    const char *problem = control_request_problem(r, len);
    if (problem == NULL && r->on_metrics_listen != 0 && !e->conf.has_metrics_listen)
        problem = "a request of MetricsListen, which there is none of";
    return problem;
}

/* Whoever waits for us may come. Once: another http process finds the socket as this one left it.
 */
static void become_ready(struct engine *e)
{
    if (e->is_ready)
        return;
    e->is_ready = true;
    notify_send("READY=1");
    timer_arm(e->on_lasted, PACE_LASTED_MS);
}

/* What http answered itself, to requests that were none. */
static void note_refused(struct engine *e, const struct control_request *r)
{
    const enum control_code code = (enum control_code)r->code;
    const char *client = client_of(e, r, 0);
    metrics_add_requests(&e->metrics, CONTROL_REFUSED, r->code, r->count);
    if (refusals_note(&e->refusals, CONTROL_REFUSED, code, client, "", r->count,
                      clock_monotonic_ms()))
        log_info("refused action=http agent= client=%s request=0 code=%s: %s", client,
                 control_code_name(code), text_clip(control_request_get(r, CONTROL_WHY)).s);
}

static void take_request(struct engine *e, const struct control_request *r, size_t len)
{
    if (r->action == CONTROL_READY) {
        become_ready(e);
        return;
    }
    if (r->action == CONTROL_REFUSED) {
        note_refused(e, r);
        return;
    }
    if (r->action != CONTROL_REGISTER && r->action != CONTROL_HEARTBEAT) {
        answer_report(e, r);
        return;
    }
    struct queued *q =
        e->queue_count < QUEUE_MAX ? malloc(offsetof(struct queued, request) + len) : NULL;
    if (q == NULL)
        return; /* http answers 503 when nothing comes */
    q->next = NULL;
    q->private_key = NULL;
    q->lease_id = 0;
    q->since_ms = clock_monotonic_ms();
    memcpy(&q->request, r, len);
    if (!request_wants_key(e, r)) {
        push(e, q);
    } else if (issue_start(e->base, control_request_get(r, CONTROL_AGENT_ID),
                           control_request_get(r, CONTROL_CREDENTIAL), q) != 0) {
        struct control_answer a;
        memset(&a, 0, offsetof(struct control_answer, report));
        a.code = errno == EAGAIN ? CONTROL_RATE_LIMITED : CONTROL_UNAVAILABLE;
        (void)strlcpy(a.error, "no key can be made just now: try again", sizeof(a.error));
        send_answer(e, q, &a);
        free_queued(q);
    }
}

static void on_http(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    static struct control_request requests[REQUESTS_AT_ONCE];
    static struct iovec texts[REQUESTS_AT_ONCE];
    static struct mmsghdr packets[REQUESTS_AT_ONCE];
    int n = REQUESTS_AT_ONCE;
    (void)what;
    for (int i = 0; i < BATCH_MAX && n == REQUESTS_AT_ONCE; i += n) {
        for (int k = 0; k < REQUESTS_AT_ONCE; k++) {
            texts[k] = (struct iovec){.iov_base = &requests[k], .iov_len = sizeof(requests[k])};
            packets[k].msg_hdr = (struct msghdr){.msg_iov = &texts[k], .msg_iovlen = 1};
        }
        n = recvmmsg(fd, packets, REQUESTS_AT_ONCE, MSG_DONTWAIT, NULL);
        for (int k = 0; k < n; k++) {
            const size_t len = packets[k].msg_len;
            const char *problem = len > 0 ? request_problem(e, &requests[k], len) : NULL;
            if (len > 0 && problem == NULL) {
                take_request(e, &requests[k], len);
                continue;
            }
            condemn_http(e, problem);
            n = 0;
        }
    }
    if (!timer_is_armed(e->on_retry))
        commit_batch(e);
}

static int start_http(struct engine *e)
{
    e->http_started_ms = clock_monotonic_ms();
    e->http_pid = e->program.start_http(e->program.arg, &e->conf, &e->http_fd);
    if (e->http_pid < 0)
        return -1;
    e->on_http = event_new(e->base, e->http_fd, EV_READ | EV_PERSIST, on_http, e);
    return e->on_http != NULL && event_add(e->on_http, NULL) == 0 ? 0 : -1;
}

static void on_restart(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    (void)fd;
    (void)what;
    if (start_http(e) != 0) {
        log_error("cannot start the http process: %s", strerror(errno));
        e->exit_status = EXIT_FAILURE;
        (void)event_base_loopbreak(e->base);
    }
}

/* The request anew, with the public key in it and the private one, which is its own then, beside
 * it. NULL: no memory, or no room for the key. */
static struct queued *with_keys(const struct queued *q, const struct issued *issued)
{
    struct queued *keyed = calloc(1, sizeof(*keyed));
    if (keyed == NULL)
        return NULL;
    memcpy(keyed, q, offsetof(struct queued, request) + control_request_bytes(&q->request));
    if (control_request_set(&keyed->request, CONTROL_PUBLIC_KEY, issued->public_key,
                            strlen(issued->public_key)) != 0) {
        free(keyed);
        return NULL;
    }
    keyed->private_key = issued->private_key;
    return keyed;
}

static void take_issued(struct engine *e, pid_t pid, bool good)
{
    struct issued issued;
    if (!issue_done(pid, good, &issued))
        return;
    struct queued *q = issued.owner;
    struct queued *keyed = issued.private_key != NULL ? with_keys(q, &issued) : NULL;
    if (keyed != NULL) {
        free_queued(q);
        push(e, keyed);
        timer_arm(e->on_retry, 0);
        return;
    }
    struct control_answer a;
    free(issued.private_key);
    unavailable(&a, "ssh-keygen made no key: see the gateway's log");
    log_error("ssh-keygen made no key (%s)", good ? "nothing to read" : "it failed");
    send_answer(e, q, &a);
    free_queued(q);
}

/* One that could not even start has said why. The first time that is the answer to who starts
 * leased; later, sessions are ended all the same, and it is tried less and less often. */
static void http_ended(struct engine *e, int status)
{
    bool failed = WIFEXITED(status) && WEXITSTATUS(status) != 0;
    bool gave_up = failed && clock_monotonic_ms() - e->http_started_ms < LIVED_MS;
    e->http_pid = -1;
    stop_http(e);
    if (failed && !e->is_ready) {
        /* In one line, where http has said what a person has to decide. */
        if (WEXITSTATUS(status) != EX_CONFIG)
            log_error("the http process cannot start: leased ends");
        e->exit_status = WEXITSTATUS(status) == EX_CONFIG ? EX_CONFIG : EXIT_FAILURE;
        (void)event_base_loopbreak(e->base);
        return;
    }
    e->http_pause_ms = !gave_up ? RESTART_MS : e->http_pause_ms * 2;
    if (e->http_pause_ms > RESTART_MAX_MS)
        e->http_pause_ms = RESTART_MAX_MS;
    log_error("the http process ended (%s %d): started anew",
              WIFSIGNALED(status) ? "signal" : "status",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    metrics_add_http_restart(&e->metrics);
    const struct timeval pause = {.tv_sec = e->http_pause_ms / 1000,
                                  .tv_usec = e->http_pause_ms % 1000 * 1000};
    (void)event_base_once(e->base, -1, EV_TIMEOUT, on_restart, e, &pause);
}

static void on_child(evutil_socket_t sig, short what, void *arg)
{
    struct engine *e = arg;
    int status;
    pid_t pid;
    (void)sig;
    (void)what;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == e->http_pid)
            http_ended(e, status);
        else
            take_issued(e, pid, WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

/* ---- the clock's work ---- */

static int say_soon(void *arg, int64_t id, const char *name, int64_t expires_s)
{
    (void)arg;
    log_info("expires_soon lease=%s id=%lld expires_s=%lld", name, (long long)id,
             (long long)expires_s);
    return 0;
}

/* An hour after the end: a lease may be behind what its agent was told, but not by that. */
static enum store_rc free_expired(struct engine *e, int64_t now_s)
{
    const unsigned low = e->walk.next_port, high = low + WALK_PORTS - 1;
    if (low > UINT16_MAX || beats_are_behind(&e->beats))
        return STORE_OK;
    e->walk.next_port = high + 1;
    return store_ports_free_expired(e->place.store, (uint16_t)low,
                                    high < UINT16_MAX ? (uint16_t)high : UINT16_MAX,
                                    now_s - EXPIRED_PORT_S, now_s);
}

/*
 * A walk through all leases: the dead are deleted, and which ones end soon is said. In pieces,
 * since a request waits for the one that is under way (facts/sqlite-and-performance.md 1.8), and
 * each goes on where the last one ended: what it costs does not grow with the store. An index of
 * the ends would save the walk, and cost akc as much as a table does at every login.
 */
static enum store_rc prune_piece(struct engine *e, bool has_range, int64_t *ret_leases,
                                 int64_t *ret_rows)
{
    int64_t now_s = clock_now_s(), unused_before_s = now_s - UNUSED_AGENT_S;
    const struct store_actor by = {.who = "leased", .source = "", .now_s = now_s};
    const struct lease_range *at = &e->walk.at;
    enum store_rc rc = STORE_NONE;
    if (has_range)
        rc = store_agents_unused(e->place.store, at, unused_before_s);
    if (rc == STORE_OK) { /* one that has just opened its first session is not one that never did */
        bool swept = sessions_sweep(&e->sessions);
        rc = records_write(&e->records, e->place.store);
        if (rc == STORE_OK && swept) /* else it cannot be told which never did */
            rc = store_agents_forget_unused(e->place.store, at, unused_before_s, &by);
    } else if (rc == STORE_NONE) {
        rc = records_write(&e->records, e->place.store);
    }
    if (rc == STORE_OK && has_range)
        rc = store_prune_dead(e->place.store, at, now_s - e->conf.keep_expired_s, &by, ret_leases);
    if (rc == STORE_OK && has_range)
        rc = control_port_move(e, at, &by);
    if (rc == STORE_OK && !has_range)
        rc = free_expired(e, now_s);
    if (rc == STORE_OK)
        rc = audit_prune(e->place.store, &by, now_s - e->conf.audit_keep_s, e->walk.size, ret_rows);
    if (rc == STORE_OK)
        rc = store_commit(e->place.store);
    agent_port_forget(&e->ports); /* theirs are, from now on */
    if (rc == STORE_OK)
        records_written(&e->records, e->records.count);
    return rc;
}

/* True: there is more to do. */
static bool walk_piece(struct engine *e)
{
    struct walk *w = &e->walk;
    const int64_t since_ms = clock_monotonic_ms();
    int64_t leases = 0, rows = 0;
    if (!place_look(&e->place)) {
        w->soon_until_s = w->soon_after_s; /* once more at the next walk, rather than never */
        return false;
    }
    const bool may_delete = !clock_jumps_caution(&e->clock_jumps);
    const int64_t changed = store_rows_changed(e->place.store);
    enum store_rc rc = may_delete ? store_begin(e->place.store) : STORE_OK;
    if (rc == STORE_BUSY)
        return true; /* the same piece again */
    if (rc == STORE_OK && !w->saw_all)
        rc = store_range_next(e->place.store, w->size, &w->at);
    if (rc == STORE_NONE)
        w->saw_all = true;
    if (rc == STORE_OK && !w->saw_all)
        rc = store_leases_ending(e->place.store, &w->at, w->soon_after_s, w->soon_until_s, say_soon,
                                 NULL);
    if (may_delete && (rc == STORE_OK || rc == STORE_NONE))
        rc = prune_piece(e, !w->saw_all, &leases, &rows);
    store_rollback(e->place.store);
    if (store_rows_changed(e->place.store) != changed)
        roster_distrust(&e->roster);
    if (rc != STORE_OK && rc != STORE_NONE) {
        metrics_add_store_error(&e->metrics);
        log_error("cannot prune: %s", store_error(e->place.store));
        w->soon_until_s = w->soon_after_s; /* once more at the next walk, rather than never */
        return false;
    }
    int64_t took_ms = clock_monotonic_ms() - since_ms;
    if (took_ms > 2 * WALK_PIECE_MS && w->size / 2 >= WALK_LEAST)
        w->size /= 2;
    else if (took_ms < WALK_PIECE_MS / 2 && leases + rows > 0 && w->size * 2 <= WALK_MOST)
        w->size *= 2;
    return !w->saw_all || rows > 0 ||
           (may_delete && w->next_port > 0 && w->next_port <= UINT16_MAX);
}

static void on_walk(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    const int64_t since_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;
    e->walk.is_on = walk_piece(e);
    int64_t took_ms = clock_monotonic_ms() - since_ms;
    if (e->walk.is_on)
        timer_arm(e->on_walk, took_ms > WALK_PAUSE_MS ? took_ms : WALK_PAUSE_MS);
}

static void on_walk_again(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    struct walk *w = &e->walk;
    const int64_t soon_s = clock_now_s() + SOON_S;
    (void)fd;
    (void)what;
    timer_arm(e->on_walk_again, WALK_MS);
    if (w->is_on)
        return;
    /* What ends soon at our start was said by the one before us. */
    *w = (struct walk){.is_on = true,
                       .size = w->size != 0 ? w->size : WALK_FIRST,
                       .soon_after_s = w->soon_until_s != 0 ? w->soon_until_s : soon_s,
                       .soon_until_s = soon_s};
    timer_arm(e->on_walk, 0);
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    char status[STATUS_BYTES];
    int64_t before_ms = clock_monotonic_ms();
    (void)fd;
    (void)what;
    clock_jumps_look(&e->clock_jumps);
    (void)sessions_sweep(&e->sessions);
    refusals_say(&e->refusals, false, clock_monotonic_ms());
    /* The sign of life comes from a sweep that was finished: one that hangs restarts the service.
     */
    (void)snprintf(status, sizeof(status), "%sSTATUS=%zu live sessions, %zu being ended%s\n",
                   e->sessions.swept_ms >= before_ms || e->place.is_lost ? "WATCHDOG=1\n" : "",
                   e->sessions.live.count, e->sessions.endings.count,
                   e->place.is_lost ? "; the store cannot be used" : "");
    notify_send(status);
    timer_arm(e->on_sweep, e->sweep_ms);
}

static void on_lasted(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    pace_forget();
}

/* ---- the log ---- */

static void log_waits(void *arg)
{
    struct engine *e = arg;
    e->log_pause_ms = LOG_RETRY_MS;
    timer_arm(e->on_log, e->log_pause_ms);
}

static void on_log(evutil_socket_t fd, short what, void *arg)
{
    struct engine *e = arg;
    (void)fd;
    (void)what;
    if (log_flush())
        return;
    e->log_pause_ms =
        e->log_pause_ms * 2 < LOG_RETRY_MAX_MS ? e->log_pause_ms * 2 : LOG_RETRY_MAX_MS;
    timer_arm(e->on_log, e->log_pause_ms);
}

/* ---- signals ---- */

static void on_stop(evutil_socket_t sig, short what, void *arg)
{
    struct engine *e = arg;
    (void)what;
    log_info("stopping: signal %d; tunnels stay up", (int)sig);
    (void)event_base_loopbreak(e->base);
}

/* Where there is no memory, those that were known before. */
static void find_logins(struct engine *e)
{
    const struct group *gr = getgrnam(e->conf.tunnel_group);
    const bool has_group = gr != NULL;
    const gid_t gid = has_group ? gr->gr_gid : 0;
    size_t members = 0, count = 0;
    while (has_group && gr->gr_mem[members] != NULL)
        members++;
    uid_t *uids = calloc(members + 2, sizeof(*uids));
    if (uids == NULL)
        return;
    for (size_t i = 0; i < members + 2; i++) {
        const char *name = i < members    ? gr->gr_mem[i]
                           : i == members ? e->conf.forward_login
                                          : e->conf.agent_login;
        const struct passwd *pw = getpwnam(name);
        if (pw != NULL)
            uids[count++] = pw->pw_uid;
    }
    free(e->login_uids);
    e->login_uids = uids;
    e->logins = (struct stray_logins){
        .uids = uids, .uid_count = count, .has_gid = has_group && gid != 0, .gid = gid};
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
    struct engine *e = arg;
    (void)sig;
    (void)what;
    notify_reloading();
    e->program.reload(e->program.arg, &e->conf, &e->keys);
    find_logins(e);
    sessions_soon(&e->sessions);
    if (e->is_ready)
        notify_send("READY=1");
}

static int add_signal(struct engine *e, int sig, event_callback_fn fn)
{
    struct event *ev = evsignal_new(e->base, sig, fn, e);
    return ev != NULL && event_add(ev, NULL) == 0 ? 0 : -1;
}

static int set_up(struct engine *e)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    e->sweep_ms = watchdog_ms != 0 && watchdog_ms / 3 < SWEEP_MS ? watchdog_ms / 3 : SWEEP_MS;
    e->queue_tail = &e->queue_head;
    /* Up to the report, which only answer_report sends. */
    e->answer_bytes = offsetof(struct control_answer, report) + 8;
    e->answer_bytes -= e->answer_bytes % 8;
    e->answers = calloc(BATCH_MAX, e->answer_bytes);
    e->base = event_base_new();
    if (e->answers == NULL || e->base == NULL)
        return -1;
    e->on_sweep = evtimer_new(e->base, on_sweep, e);
    e->on_retry = evtimer_new(e->base, on_commit, e);
    e->on_beats = evtimer_new(e->base, on_beats, e);
    e->on_walk = evtimer_new(e->base, on_walk, e);
    e->on_walk_again = evtimer_new(e->base, on_walk_again, e);
    e->on_lasted = evtimer_new(e->base, on_lasted, e);
    e->on_log = evtimer_new(e->base, on_log, e);
    if (e->on_log == NULL || e->on_sweep == NULL || e->on_retry == NULL || e->on_beats == NULL ||
        e->on_walk == NULL || e->on_walk_again == NULL || report_start(e) != 0 ||
        records_start(&e->records, e->base, on_commit, e) != 0 ||
        listening_start(&e->listening, e->base, e->foreign_network) != 0 ||
        place_start(&e->place, e->base, &e->clock_jumps,
                    &(struct place_change){
                        .arg = e, .forget_old = forget_store, .use_new = use_store}) != 0 ||
        roster_init(&e->roster) != 0)
        return -1;
    log_never_wait(log_waits, e);
    limiter_init(&e->limiter);
    refusals_init(&e->refusals);
    find_logins(e);
    if (add_signal(e, SIGTERM, on_stop) != 0 || add_signal(e, SIGINT, on_stop) != 0 ||
        add_signal(e, SIGHUP, on_reload) != 0 || add_signal(e, SIGCHLD, on_child) != 0)
        return -1;
    return sessions_start(&e->sessions, e->base, &e->conf, &e->place, &e->records, &e->metrics) ==
                       0 &&
                   store_watch_start(&e->store_watch, e->base, &e->place, &e->sessions,
                                     &e->metrics) == 0
               ? 0
               : -1;
}

/* What was asked is answered, once. */
static void answer_last(struct engine *e)
{
    (void)event_del(e->on_retry);
    if (e->on_http != NULL)
        on_http(e->http_fd, 0, e);
    for (size_t before = SIZE_MAX; e->queue_count < before && e->queue_count > 0;) {
        before = e->queue_count;
        commit_batch(e);
    }
    while (e->queue_count > 0) /* the store is locked */
        answer_batch(e, e->queue_count < BATCH_MAX ? e->queue_count : BATCH_MAX,
                     "the gateway is stopping: try again");
    if (e->records.count > 0)
        commit_batch(e);
}

/*
 * It passes on what it was sent and ends by itself: the end of our words tells it to. A socket with
 * unread requests would take back what is on its way to http when it is closed, so not before.
 */
static void end_http(struct engine *e)
{
    const int64_t until_ms = clock_monotonic_ms() + LAST_MS;
    bool ended = e->http_pid <= 0;
    if (!ended)
        (void)shutdown(e->http_fd, SHUT_WR);
    while (!ended && clock_monotonic_ms() < until_ms) {
        (void)poll(NULL, 0, LADDER_STEP_MS);
        ended = waitpid(e->http_pid, NULL, WNOHANG) != 0;
    }
    if (!ended)
        (void)kill(e->http_pid, SIGTERM);
    stop_http(e);
}

int engine_run(struct engine *e)
{
    e->http_fd = -1;
    e->http_pid = -1;
    if (beats_start(&e->beats, e->place.store) != STORE_OK) {
        log_error("cannot read the store: %s", store_error(e->place.store));
        return EXIT_FAILURE;
    }
    if (set_up(e) != 0 || start_http(e) != 0) {
        log_error("cannot start: %s", strerror(errno));
        return EXIT_FAILURE;
    }
    clock_jumps_start(&e->clock_jumps, &e->records, e->place.lock_fd);
    settle_all(e);
    on_sweep(-1, 0, e);
    control_port_start(e);
    timer_arm(e->on_walk_again, 1000);
    if (beats_wait_ms(&e->beats, clock_monotonic_ms()) >= 0)
        timer_arm(e->on_beats, 0);
    (void)store_agents_pending(e->place.store, &e->pending.count);
    (void)listening_has(&e->listening, 0, 0); /* the first takes as long as it takes */
    int rc = event_base_dispatch(e->base);
    notify_send("STOPPING=1");
    answer_last(e);
    end_http(e);
    issue_end(free);
    settle_all(e);
    beats_release(&e->beats);
    roster_release(&e->roster);
    store_close(e->place.store);
    refusals_say(&e->refusals, true, clock_monotonic_ms());
    log_end();
    if (rc < 0)
        e->exit_status = EXIT_FAILURE;
    if (e->exit_status == EXIT_SUCCESS)
        pace_forget();
    return e->exit_status;
}
