/* SPDX-License-Identifier: ISC */
#include "leased/engine/answers.h"

#include "leased/engine/http_child.h"
#include "leased/requests/client.h"
#include "leased/requests/join_result.h"
#include "leased/watch/metrics.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/wire/join_exit.h"

#include <assert.h>
#include <bsd/string.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ANSWER_WAIT_MS = 20 /* for http to read some, before the rest of a batch is dropped */ };

/*
 * Sends one answer to http. If http does not read it, it is dropped: http answers 503, and the
 * client tries again. http reads all the time unless it hangs, so it is waited for only once in a
 * batch.
 */
static void send_packet(struct answers *as, const struct control_answer *a)
{
    struct pollfd room = {.fd = as->http->fd, .events = POLLOUT};
    const int flags = MSG_NOSIGNAL | MSG_DONTWAIT;
    if (as->http->fd < 0 || send(as->http->fd, a, control_answer_bytes(a), flags) >= 0 ||
        errno != EAGAIN || as->http_hangs)
        return;
    as->http_hangs = poll(&room, 1, ANSWER_WAIT_MS) <= 0 ||
                     send(as->http->fd, a, control_answer_bytes(a), flags) < 0;
}

/* An answer with a key pair: besides a report, the only kind with more than the fixed part. */
static void send_with_keys(struct answers *as, const struct queued *q,
                           const struct control_answer *a)
{
    static struct control_answer full;
    const char *public_key = control_request_get(&q->request, CONTROL_PUBLIC_KEY);
    memcpy(&full, a, offsetof(struct control_answer, report));
    int n = snprintf(full.report, sizeof(full.report), "%s%c%s", public_key, '\0', q->private_key);
    full.has_keys = 1;
    full.report_bytes = (uint32_t)n;
    send_packet(as, &full);
    explicit_bzero(full.report, (size_t)n);
}

/* An answer with the text for who joins. */
static_assert((int)JOIN_TEXT_BYTES_MAX <= (int)CONTROL_REPORT_BYTES, "a packet has room for it");
static void send_with_text(struct answers *as, const struct queued *q,
                           const struct control_answer *a)
{
    static struct control_answer full;
    const size_t bytes = strlen(q->join->text);
    memcpy(&full, a, offsetof(struct control_answer, report));
    memcpy(full.report, q->join->text, bytes);
    full.report_bytes = (uint32_t)bytes;
    send_packet(as, &full);
    explicit_bzero(full.report, bytes);
}

/* Whether more than the fixed part of an answer is sent. */
static bool is_long(const struct queued *q, const struct control_answer *a)
{
    return a->code == CONTROL_OK &&
           (q->private_key != NULL || (q->join != NULL && q->join->text != NULL));
}

/* Sends an answer that is long; false: it is not. */
static bool send_if_long(struct answers *as, const struct queued *q, const struct control_answer *a)
{
    if (!is_long(q, a))
        return false;
    if (q->private_key != NULL)
        send_with_keys(as, q, a);
    else
        send_with_text(as, q, a);
    return true;
}

/* For the log. lease_id 0: no agent is proven. */
static const char *client_of(const struct answers *as, const struct control_request *r,
                             int64_t lease_id)
{
    const char *client = request_client(as->sessions, r->address, lease_id);
    return client[0] != '\0' ? client : "unix";
}

void answers_log_refusal(struct answers *as, const struct control_request *r,
                         const struct control_answer *a)
{
    const char *client = client_of(as, r, 0);
    const struct text_clip agent = text_word(control_request_get(r, CONTROL_AGENT_ID));
    if (!refusals_note(&as->refusals, (enum control_action)a->action, (enum control_code)a->code,
                       client, agent.s, 1, clock_monotonic_ms()))
        return;
    log_event(&event_request_refused,
              LOG_FIELDS({"AGENT_ID", agent.s},
                         {"REASON", control_code_name((enum control_code)a->code)},
                         {"CLIENT", client}),
              "refused action=%s agent=%.64s client=%s request=%llu code=%s: %s",
              control_action_name((enum control_action)a->action), agent.s, client,
              (unsigned long long)a->id, control_code_name((enum control_code)a->code), a->error);
}

static void log_answer(const struct control_answer *a, const char *agent, const char *client)
{
    log_event(a->action == CONTROL_REGISTER ? &event_agent_registered : &event_heartbeat,
              LOG_FIELDS({"LEASE_NAME", agent}, {"CLIENT", client}),
              "%s agent=%.64s client=%s request=%llu port=%u",
              control_action_name((enum control_action)a->action), agent, client,
              (unsigned long long)a->id, a->port_b);
}

/* As the metrics and the log count the answer to who joins. */
static enum control_code join_code(int exit)
{
    switch (exit) {
    case JOIN_JOINED:
        return CONTROL_OK;
    case JOIN_NO_INVITE:
        return CONTROL_UNAUTHORIZED;
    case JOIN_CEILING:
        return CONTROL_FORBIDDEN;
    case JOIN_TAKEN:
        return CONTROL_CONFLICT;
    default:
        return CONTROL_UNAVAILABLE;
    }
}

/* The code that was tried is never logged. */
static void count_and_log_join(struct answers *as, const struct join_result *join)
{
    char exit[12];
    const enum control_code code = join_code(join->exit);
    const char *client = join->client[0] != '\0' ? join->client : "unknown";
    metrics_add_requests(as->metrics, CONTROL_JOIN, code, 1);
    (void)snprintf(exit, sizeof(exit), "%d", join->exit);
    if (join->exit == JOIN_JOINED)
        log_event(&event_joined,
                  LOG_FIELDS({"LEASE_NAME", join->lease}, {"CLIENT", client},
                             {"KEY_FP", join->fingerprint}),
                  "joined lease=%s id=%lld invite=%lld client=%s key=%s%s", join->lease,
                  (long long)join->lease_id, (long long)join->invite_id, client, join->fingerprint,
                  join->is_again ? " again=1" : "");
    else if (refusals_note(&as->refusals, CONTROL_JOIN, code, client, join->why, 1,
                           clock_monotonic_ms()))
        log_event(&event_join_refused, LOG_FIELDS({"EXIT", exit}, {"CLIENT", client}),
                  "refused action=join exit=%s client=%s key=%s: %s", exit, client,
                  join->fingerprint, join->why);
}

/* Counts and logs an answer. */
static void count_and_log(struct answers *as, const struct queued *q,
                          const struct control_answer *a)
{
    int64_t took_ms = clock_monotonic_ms() - q->since_ms;
    if (is_long(q, a) && q->join != NULL) {
        metrics_add_request_time(as->metrics, a->action, took_ms);
        count_and_log_join(as, q->join);
        return;
    }
    metrics_add_requests(as->metrics, a->action, a->code, 1);
    metrics_add_request_time(as->metrics, a->action, took_ms);
    const char *agent = control_request_get(&q->request, CONTROL_AGENT_ID);
    if (a->code != CONTROL_OK)
        answers_log_refusal(as, &q->request, a);
    else if (a->action == CONTROL_REGISTER || as->verbose)
        log_answer(a, agent, client_of(as, &q->request, q->lease_id));
}

static void address_answer(const struct queued *q, struct control_answer *a)
{
    a->id = q->request.id;
    a->action = q->request.action;
}

void answers_send(struct answers *as, const struct queued *q, struct control_answer *a)
{
    address_answer(q, a);
    if (!send_if_long(as, q, a))
        send_packet(as, a);
    count_and_log(as, q, a);
}

void answers_set_unavailable(struct control_answer *a, const char *why)
{
    memset(a, 0, offsetof(struct control_answer, report));
    a->code = CONTROL_UNAVAILABLE;
    (void)strlcpy(a->error, why, sizeof(a->error));
}

static struct control_answer *answer_at(const struct answers *as, size_t i)
{
    return (struct control_answer *)(void *)((char *)as->decided + i * as->decided_bytes);
}

/*
 * Sends as many packets in one call as possible: sent one by one, each would wake http.
 */
void answers_send_batch(struct answers *as, struct queue *queue, size_t count, const char *failed)
{
    static struct iovec texts[BATCH_MAX];
    static struct mmsghdr packets[BATCH_MAX];
    unsigned packed = 0;
    const struct queued *at = queue->head;
    as->http_hangs = false;
    for (size_t i = 0; i < count; i++, at = at->next) {
        struct control_answer *a = answer_at(as, i);
        if (failed != NULL)
            answers_set_unavailable(a, failed);
        address_answer(at, a);
        if (is_long(at, a))
            continue;
        texts[packed] = (struct iovec){.iov_base = a, .iov_len = control_answer_bytes(a)};
        packets[packed].msg_hdr = (struct msghdr){.msg_iov = &texts[packed], .msg_iovlen = 1};
        packed++;
    }
    int sent =
        as->http->fd < 0 ? 0 : sendmmsg(as->http->fd, packets, packed, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (unsigned i = sent > 0 ? (unsigned)sent : 0; i < packed; i++)
        send_packet(as, texts[i].iov_base);
    for (size_t i = 0; i < count; i++) {
        struct queued *q = queue_pop(queue);
        (void)send_if_long(as, q, answer_at(as, i));
        count_and_log(as, q, answer_at(as, i));
        queued_free(q);
    }
}

void answers_log_http_refusals(struct answers *as, const struct control_request *r)
{
    const enum control_code code = (enum control_code)r->code;
    const char *client = client_of(as, r, 0);
    metrics_add_requests(as->metrics, CONTROL_REFUSED, r->code, r->count);
    if (refusals_note(&as->refusals, CONTROL_REFUSED, code, client, "", r->count,
                      clock_monotonic_ms()))
        log_event(&event_request_refused,
                  LOG_FIELDS({"REASON", control_code_name(code)}, {"CLIENT", client}),
                  "refused action=http agent= client=%s request=0 code=%s: %s", client,
                  control_code_name(code), text_clip(control_request_get(r, CONTROL_WHY)).s);
}

bool answers_try_send(const struct answers *as, const struct control_answer *a)
{
    return as->http->fd < 0 ||
           send(as->http->fd, a, control_answer_bytes(a), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
           errno != EAGAIN;
}

void answers_count(struct answers *as, uint32_t action, enum control_code code)
{
    metrics_add_requests(as->metrics, action, code, 1);
}

void answers_send_report(struct answers *as, const struct control_answer *a)
{
    metrics_add_requests(as->metrics, a->action, a->code, 1);
    send_packet(as, a);
}

struct control_answer *answers_slot(struct answers *as, size_t at)
{
    struct control_answer *a = answer_at(as, at);
    memset(a, 0, as->decided_bytes);
    return a;
}

int answers_start(struct answers *as)
{
    refusals_init(&as->refusals);
    /* Only reports use the member report, so slots end before it. */
    as->decided_bytes = offsetof(struct control_answer, report) + 8;
    as->decided_bytes -= as->decided_bytes % 8;
    as->decided = calloc(BATCH_MAX, as->decided_bytes);
    return as->decided != NULL ? 0 : -1;
}
