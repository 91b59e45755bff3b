/* SPDX-License-Identifier: ISC */
#include "leased/engine/page_desk.h"

#include "leased/engine/answers.h"
#include "leased/engine/http_child.h"
#include "leased/status/overview.h"
#include "leased/watch/local_peers.h"
#include "leased/watch/timer.h"
#include "lib/base/clock.h"
#include "lib/conf/conf.h"

#include <bsd/string.h>
#include <string.h>

enum { COST = 20 };

static void refuse(struct page_desk *d, const struct control_request *r, enum control_code code,
                   const char *why)
{
    static struct control_answer a;
    answers_set_unavailable(&a, why);
    a.id = r->id;
    a.action = r->action;
    a.code = (uint32_t)code;
    answers_send_report(d->answers, &a);
    answers_log_refusal(d->answers, r, &a);
}

static struct overview_query query_of(const struct control_request *r)
{
    struct overview_query query = {.filter = ""};
    (void)strlcpy(query.filter, control_request_get(r, CONTROL_FILTER), sizeof(query.filter));
    memcpy(query.offsets, r->offsets, sizeof(query.offsets));
    return query;
}

static bool asks_the_same(const struct control_request *a, const struct control_request *b)
{
    return a->action == b->action && memcmp(a->offsets, b->offsets, sizeof(a->offsets)) == 0 &&
           strcmp(control_request_get(a, CONTROL_FILTER), control_request_get(b, CONTROL_FILTER)) ==
               0;
}

static void send_overview(struct page_desk *d, const struct control_request *r, bool is_whole)
{
    if (!is_whole)
        refuse(d, r, CONTROL_UNAVAILABLE,
               buf_text(&d->text) != NULL && d->text.len < CONTROL_ERROR_BYTES
                   ? buf_text(&d->text)
                   : "this cannot be shown just now");
    else if (!long_reports_add(&d->reports, r->id, &d->text))
        refuse(d, r, CONTROL_RATE_LIMITED, "too many read the page: try again");
    else
        answers_count(d->answers, r->action, CONTROL_OK);
}

/* Answers the first overview, and all others that are the same. All that wait want one. */
static void answer_overview(struct page_desk *d)
{
    struct queued *first = queue_pop(&d->waiting), *next;
    const struct control_request *r = &first->request;
    const struct overview_query query = query_of(r);
    size_t at = 0;
    buf_clear(&d->text);
    const bool is_whole = overview_write(d->overview, &query, &d->text);
    send_overview(d, r, is_whole);
    for (struct queued *q = d->waiting.head; q != NULL; q = next) {
        next = q->next;
        if (!asks_the_same(&q->request, r)) {
            at++;
            continue;
        }
        (void)queue_remove(&d->waiting, at);
        send_overview(d, &q->request, is_whole);
        queued_free(q);
    }
    queued_free(first);
}

/* Refuses whoever is, or may be, a tunnel login; and says of the others that they need not be asked
 * for again. */
static void admit(struct page_desk *d)
{
    static struct peer peers[DESK_WAITING_MAX];
    const struct conf_listener *const l = &d->peers->conf->metrics_listen;
    const uint16_t our_port = l->unix_path[0] == '\0' ? l->address.low : 0;
    struct queued *next;
    size_t count = 0, at = 0, i = 0;
    for (const struct queued *q = d->waiting.head; q != NULL; q = q->next)
        if (q->request.is_admitted == 0)
            peers[count++] = (struct peer){.address = q->request.address,
                                           .port = q->request.peer_port,
                                           .our_port = our_port,
                                           .uid = q->request.peer_uid};
    if (count == 0)
        return;
    local_peers_judge(d->peers, peers, count);
    for (struct queued *q = d->waiting.head; q != NULL; q = next) {
        next = q->next;
        const enum peer_verdict verdict =
            q->request.is_admitted != 0 ? PEER_ADMITTED : peers[i++].verdict;
        if (verdict == PEER_ADMITTED) {
            at++;
            continue;
        }
        if (verdict == PEER_TUNNEL_LOGIN)
            refuse(d, &q->request, CONTROL_FORBIDDEN,
                   "this address answers no tunnel: no lease may open it");
        else
            refuse(d, &q->request, CONTROL_UNAVAILABLE,
                   "it cannot be told who on this host asks: try again");
        queued_free(queue_remove(&d->waiting, at));
    }
}

/* All that is no overview costs little, and need not wait for a turn of its own. */
static void answer_others(struct page_desk *d)
{
    struct queued *next;
    size_t at = 0;
    for (struct queued *q = d->waiting.head; q != NULL; q = next) {
        next = q->next;
        if (q->request.action == CONTROL_STATUS) {
            at++;
            continue;
        }
        d->answer(d->arg, &q->request);
        queued_free(queue_remove(&d->waiting, at));
    }
}

/* http was started again. Its connections may have the numbers of those that are gone, and must not
 * get their answers. */
static void forget_requests_of_the_dead(struct page_desk *d)
{
    while (d->waiting.count > 0 && d->asked_by != d->http->pid)
        queued_free(queue_pop(&d->waiting));
    d->asked_by = d->http->pid;
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct page_desk *d = arg;
    const int64_t since_us = clock_cpu_us();
    (void)fd;
    (void)what;
    forget_requests_of_the_dead(d);
    admit(d);
    answer_others(d);
    if (d->waiting.count > 0)
        answer_overview(d);
    const int64_t now_ms = clock_monotonic_ms();
    d->next_ms = now_ms + COST * (clock_cpu_us() - since_us) / 1000;
    if (d->waiting.count > 0)
        timer_arm(d->on_turn, d->next_ms - now_ms);
}

void page_desk_add(struct page_desk *d, const struct control_request *r, size_t len)
{
    forget_requests_of_the_dead(d);
    struct queued *q = d->waiting.count < DESK_WAITING_MAX ? queued_make(r, len) : NULL;
    if (q == NULL) {
        refuse(d, r, CONTROL_RATE_LIMITED, "too many read the page: try again");
        return;
    }
    queue_push(&d->waiting, q);
    const int64_t wait_ms = d->next_ms - clock_monotonic_ms();
    if (!timer_is_armed(d->on_turn))
        timer_arm(d->on_turn, wait_ms > 0 ? wait_ms : 0);
}

int page_desk_start(struct page_desk *d, struct event_base *base)
{
    queue_init(&d->waiting);
    d->reports.answers = d->answers;
    d->reports.http = d->http;
    d->on_turn = evtimer_new(base, on_turn, d);
    return d->on_turn != NULL ? long_reports_start(&d->reports, base) : -1;
}
