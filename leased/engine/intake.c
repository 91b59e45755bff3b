/* SPDX-License-Identifier: ISC */
#include "leased/engine/intake.h"

#include "leased/engine/answers.h"
#include "leased/engine/batch.h"
#include "leased/engine/http_child.h"
#include "leased/engine/page_desk.h"
#include "leased/engine/report.h"
#include "leased/requests/api_keys.h"
#include "leased/requests/issue.h"
#include "leased/requests/limiter.h"
#include "leased/requests/requests.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/conf/conf.h"

#include <bsd/string.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { REQUESTS_AT_ONCE = 16 };

/* ---- requests that need no commit: reports ---- */

/* Whether the sender may read a report: sets *a to CONTROL_OK or to a refusal. */
static void check_reader(struct intake *intake, const struct control_request *r,
                         struct control_answer *a)
{
    const char *credential = control_request_get(r, CONTROL_CREDENTIAL);
    uint8_t hash[SECRET_HASH_BYTES];
    secret_hash(credential, hash);
    a->code = CONTROL_OK;
    if (r->on_metrics_listen != 0 || api_keys_have(intake->keys, hash))
        return;
    a->code = CONTROL_UNAUTHORIZED;
    (void)strlcpy(a->error, "a credential is needed: an enrolment key", sizeof(a->error));
    if (*credential != '\0' &&
        limiter_failed(intake->limiter, r->address, "", hash, clock_monotonic_ms())) {
        a->code = CONTROL_RATE_LIMITED;
        (void)strlcpy(a->error, "too many wrong credentials: wait a minute", sizeof(a->error));
    }
    answers_log_refusal(intake->answers, r, a);
}

void intake_answer_report(void *arg, const struct control_request *r)
{
    struct intake *intake = arg;
    struct buf text = {0};
    struct control_answer *a = calloc(1, sizeof(*a));
    if (a == NULL)
        return;
    a->id = r->id;
    a->action = r->action;
    a->code = CONTROL_OK;
    if (r->action == CONTROL_HEALTH) {
        a->code = report_health(intake->report, &text) ? CONTROL_OK : CONTROL_UNAVAILABLE;
    } else {
        check_reader(intake, r, a);
        if (a->code == CONTROL_OK && r->action == CONTROL_METRICS)
            report_metrics(intake->report, &text);
    }
    a->is_admitted = a->code == CONTROL_OK && r->on_metrics_listen != 0;
    if (buf_text(&text) != NULL && text.len <= CONTROL_REPORT_BYTES) {
        memcpy(a->report, buf_text(&text), text.len);
        a->report_bytes = (uint32_t)text.len;
    }
    answers_send_report(intake->answers, a);
    free(a);
    buf_release(&text);
}

/* ---- requests that wait for a commit: registers, heartbeats, joins ---- */

static void queue_request(struct intake *intake, const struct control_request *r, size_t len)
{
    struct queued *q = batch_has_room(intake->batch, r->action) ? queued_make(r, len) : NULL;
    if (q == NULL)
        return; /* http answers 503 when it gets no answer */
    if (!requests_wants_key(intake->requests, r)) {
        batch_add(intake->batch, q);
    } else if (issue_start(intake->base, control_request_get(r, CONTROL_AGENT_ID),
                           control_request_get(r, CONTROL_CREDENTIAL), q) != 0) {
        struct control_answer a;
        memset(&a, 0, offsetof(struct control_answer, report));
        a.code = errno == EAGAIN ? CONTROL_RATE_LIMITED : CONTROL_UNAVAILABLE;
        (void)strlcpy(a.error, "no key can be made just now: try again", sizeof(a.error));
        answers_send(intake->answers, q, &a);
        queued_free(q);
    }
}

void intake_child_ended(struct intake *intake, pid_t pid, bool good)
{
    struct issued issued;
    if (!issue_done(pid, good, &issued))
        return;
    struct queued *q = issued.owner;
    struct queued *keyed = issued.private_key != NULL
                               ? queued_with_keys(q, issued.public_key, issued.private_key)
                               : NULL;
    if (keyed != NULL) {
        queued_free(q);
        batch_add(intake->batch, keyed);
        batch_commit_soon(intake->batch);
        return;
    }
    struct control_answer a;
    free(issued.private_key);
    answers_set_unavailable(&a, "ssh-keygen made no key: see the gateway's log");
    log_error("ssh-keygen made no key (%s)", good ? "nothing to read" : "it failed");
    answers_send(intake->answers, q, &a);
    queued_free(q);
}

static void dispatch_request(struct intake *intake, const struct control_request *r, size_t len)
{
    switch ((enum control_action)r->action) {
    case CONTROL_READY:
        http_child_ready(intake->http);
        break;
    case CONTROL_REFUSED:
        answers_log_http_refusals(intake->answers, r);
        break;
    case CONTROL_REGISTER:
    case CONTROL_HEARTBEAT:
    case CONTROL_JOIN:
        queue_request(intake, r, len);
        break;
    default:
        if (r->on_metrics_listen != 0)
            page_desk_add(intake->desk, r, len);
        else
            intake_answer_report(intake, r);
        break;
    }
}

static const char *request_problem(const struct intake *intake, const struct control_request *r,
                                   size_t len)
{
    const char *problem = control_request_problem(r, len);
    if (problem == NULL && r->on_metrics_listen != 0 && !intake->conf->has_metrics_listen)
        problem = "a request from MetricsListen, which is not configured";
    return problem;
}

void intake_read(int fd, short what, void *arg)
{
    struct intake *intake = arg;
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
            const char *problem = len > 0 ? request_problem(intake, &requests[k], len) : NULL;
            if (len > 0 && problem == NULL) {
                dispatch_request(intake, &requests[k], len);
                continue;
            }
            http_child_kill(intake->http, problem);
            n = 0;
        }
    }
    batch_commit(intake->batch);
}
