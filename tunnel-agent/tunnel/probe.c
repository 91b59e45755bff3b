/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/probe.h"

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/ssh/run.h"
#include "tunnel-agent/tunnel/standing.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>

enum { PROBE_ANSWER_MAX = 4096 };

static const struct forward *probed_forward(const struct probe *p)
{
    for (size_t i = 0; i < p->leg->forward_count; i++)
        if (!p->left_out[i])
            return &p->leg->forwards[i];
    return NULL;
}

bool probe_is_possible(const struct probe *p)
{
    return p->leg->probe != PROBE_NONE &&
           (p->leg->control_sock != NULL || probed_forward(p) != NULL);
}

static void judge_answer(const struct probe *p, struct standing *s)
{
    char text[TUNNEL_TEXT_BYTES];
    unsigned code = 0;
    const char *head = p->exchange.answer.data;
    if (p->leg->probe == PROBE_HTTP &&
        (strncmp(head, "HTTP/", 5) != 0 || sscanf(head, "HTTP/%*3s %3u", &code) != 1)) {
        standing_set_service(s, SERVICE_OK, "the service answers, but not in HTTP");
        return;
    }
    (void)snprintf(text, sizeof(text), "the service answers with HTTP status %u", code);
    standing_set_service(s, SERVICE_OK, code >= 500 ? text : "");
}

static void describe_forbidden(char out[static TUNNEL_TEXT_BYTES], const char *to, const char *text)
{
    (void)snprintf(out, TUNNEL_TEXT_BYTES,
                   "the far side forbids the forward to %.192s: ssh says '%.200s'. "
                   "AllowTcpForwarding or PermitOpen of its sshd, or permitopen of this key, "
                   "does not have it. 'sshd -T -C user=USER' there shows the first two; on a "
                   "gateway of tunlease 'leasectl explain' tells",
                   to, text);
}

void probe_describe_forbidden(char out[static TUNNEL_TEXT_BYTES], const struct forward *f,
                              const char *text)
{
    char to[192];
    (void)snprintf(to, sizeof(to), "%.128s:%u", f->host, (unsigned)f->host_port);
    describe_forbidden(out, to, text);
}

static void judge_close(const struct probe *p, const struct ssh_run *run, struct standing *s)
{
    char text[TUNNEL_TEXT_BYTES], probed[192];
    const struct forward *f = probed_forward(p);
    if (p->leg->control_sock != NULL)
        (void)snprintf(probed, sizeof(probed), "its control port %.128s", p->leg->control_to);
    else
        (void)snprintf(probed, sizeof(probed), "%.128s:%u", f != NULL ? f->host : "?",
                       f != NULL ? (unsigned)f->host_port : 0);
    switch (run->channel_failure) {
    case SSH_MESSAGE_FORBIDDEN:
        describe_forbidden(text, probed, run->channel_text);
        standing_set_service(s, SERVICE_FORBIDDEN, text);
        return;
    case SSH_MESSAGE_SERVICE_DOWN:
        (void)snprintf(
            text, sizeof(text),
            "nothing answers at %s of the far side: ssh says '%.200s'. Start that service "
            "there, or correct the forward",
            probed, run->channel_text);
        standing_set_service(s, SERVICE_DOWN, text);
        return;
    default:
        if (p->leg->probe == PROBE_TCP)
            standing_set_service(s, SERVICE_OK, "");
        else
            standing_set_service(s, SERVICE_SILENT, "the service closes without an answer");
        return;
    }
}

void probe_send(struct probe *p, struct event_base *base,
                void (*done)(void *ctx, enum exchange_end end), void *ctx)
{
    const struct forward *f = probed_forward(p);
    struct sockaddr_un un;
    struct sockaddr_storage inet;
    socklen_t inet_len = 0;
    char request[LEG_PROBE_PATH_BYTES + 96] = "";
    enum exchange_end end;
    struct exchange_plan plan = {.request = request,
                                 .answer_max = PROBE_ANSWER_MAX,
                                 .first_byte_will_do = true,
                                 .close_our_half = p->leg->probe == PROBE_TCP,
                                 .done = done,
                                 .ctx = ctx};
    if (p->leg->control_sock != NULL) {
        (void)exchange_unix_address(p->leg->control_sock, &un);
        plan.address = (struct sockaddr *)&un;
        plan.address_len = sizeof(un);
    } else if (f != NULL && localport_address(f->bind, f->port, true, &inet, &inet_len) == 0) {
        plan.address = (struct sockaddr *)&inet;
        plan.address_len = inet_len;
    } else {
        return;
    }
    if (p->leg->probe == PROBE_HTTP)
        (void)snprintf(request, sizeof(request),
                       "GET %s HTTP/1.0\r\nHost: localhost\r\nUser-Agent: tunnel-agent\r\n\r\n",
                       p->leg->probe_path);
    (void)exchange_start(&p->exchange, base, &plan,
                         &end); /* if it cannot start: no answer, and so the canary */
}

void probe_judge(const struct probe *p, enum exchange_end end, const struct ssh_run *run,
                 struct standing *s)
{
    if (end == EXCHANGE_CLOSED)
        judge_close(p, run, s);
    else
        judge_answer(p, s);
}
