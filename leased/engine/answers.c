/* SPDX-License-Identifier: ISC */
#include "leased/engine/answers.h"

#include "leased/engine/http_child.h"
#include "leased/requests/limiter.h"
#include "leased/watch/metrics.h"
#include "leased/watch/sessions.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

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

/* Where a request came from, for the log. A request through ssh comes from loopback: if it has
 * proven to be from the agent of lease_id, the address of that lease's session is logged instead.
 * lease_id 0: no agent is proven. */
static const char *client_of(const struct answers *as, const struct control_request *r,
                             int64_t lease_id)
{
    const struct session *s = lease_id != 0 && address_is_loopback(r->address)
                                  ? sessions_find_open(as->sessions, lease_id)
                                  : NULL;
    if (s != NULL && s->source[0] != '\0')
        return s->source;
    return r->address[0] != '\0' ? r->address : "unix";
}

void answers_log_refusal(struct answers *as, const struct control_request *r,
                         const struct control_answer *a)
{
    const char *client = client_of(as, r, 0);
    const struct text_clip agent = text_word(control_request_get(r, CONTROL_AGENT_ID));
    if (!refusals_note(&as->refusals, (enum control_action)a->action, (enum control_code)a->code,
                       client, agent.s, 1, clock_monotonic_ms()))
        return;
    log_info("refused action=%s agent=%.64s client=%s request=%llu code=%s: %s",
             control_action_name((enum control_action)a->action), agent.s, client,
             (unsigned long long)a->id, control_code_name((enum control_code)a->code), a->error);
}

/* Counts and logs an answer. */
static void count_and_log(struct answers *as, const struct queued *q,
                          const struct control_answer *a)
{
    int64_t took_ms = clock_monotonic_ms() - q->since_ms;
    metrics_add_requests(as->metrics, a->action, a->code, 1);
    metrics_add_request_time(as->metrics, a->action, took_ms);
    const char *agent = control_request_get(&q->request, CONTROL_AGENT_ID);
    if (a->code != CONTROL_OK)
        answers_log_refusal(as, &q->request, a);
    else if (a->action == CONTROL_REGISTER || as->verbose)
        log_info("%s agent=%.64s client=%s request=%llu port=%u",
                 control_action_name((enum control_action)a->action), agent,
                 client_of(as, &q->request, q->lease_id), (unsigned long long)a->id, a->port_b);
}

static void address_answer(const struct queued *q, struct control_answer *a)
{
    a->id = q->request.id;
    a->action = q->request.action;
}

void answers_send(struct answers *as, const struct queued *q, struct control_answer *a)
{
    address_answer(q, a);
    if (q->private_key != NULL && a->code == CONTROL_OK)
        send_with_keys(as, q, a);
    else
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
        if (at->private_key != NULL && a->code == CONTROL_OK)
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
        if (q->private_key != NULL && answer_at(as, i)->code == CONTROL_OK)
            send_with_keys(as, q, answer_at(as, i));
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
        log_info("refused action=http agent= client=%s request=0 code=%s: %s", client,
                 control_code_name(code), text_clip(control_request_get(r, CONTROL_WHY)).s);
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
