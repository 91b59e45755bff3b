/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/report.h"

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/lease/duration.h"
#include "lib/wire/agent_status.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/host/endpoint.h"
#include "tunnel-agent/tunnel/tunnel.h"

#include <bsd/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REVERSE_BYTES = 600 };

static void format_json(const struct report *r, const struct tunnel *t, struct buf *out)
{
    const struct leg *leg = t->leg;
    struct agent_status_forward forwards[LEG_FORWARDS_MAX + 1];
    char(*text)[2][ENDPOINT_BYTES] = calloc(leg->forward_count + 1, sizeof(*text));
    char reverse[REVERSE_BYTES] = "";
    size_t n = 0;
    if (text == NULL) {
        out->failed = true;
        return;
    }
    for (; n < leg->forward_count; n++) {
        endpoint_format(leg->forwards[n].bind, leg->forwards[n].port, text[n][0]);
        endpoint_format(leg->forwards[n].host, leg->forwards[n].host_port, text[n][1]);
        forwards[n] = (struct agent_status_forward){
            .listen = text[n][0],
            .to = text[n][1],
            .direction = "local",
            .open = t->has_answered && !t->ports.left_out[n],
            .holder = t->ports.left_out[n] ? t->ports.holder[n] : NULL};
    }
    if (leg->reverse != NULL) { /* BIND:PORT:HOST:PORT, where BIND has no colon outside brackets */
        (void)strlcpy(reverse, leg->reverse, sizeof(reverse));
        char *p = reverse[0] == '[' ? strchr(reverse, ']') : reverse;
        p = p != NULL ? strchr(p, ':') : NULL;
        p = p != NULL ? strchr(p + 1, ':') : NULL;
        if (p != NULL) {
            *p = '\0';
            forwards[n++] = (struct agent_status_forward){
                .listen = reverse, .to = p + 1, .direction = "reverse", .open = t->has_answered};
        }
    }
    struct agent_status status = {.name = leg->name,
                                  .to = leg->to,
                                  .pid = getpid(),
                                  .state = tunnel_state_name(t->standing.state),
                                  .reason = t->standing.reason,
                                  .since_s = t->standing.since_s,
                                  .restarts = t->standing.restarts,
                                  .probe_ms = t->standing.probe_ms,
                                  .service = service_state_name(t->standing.service),
                                  .service_detail = t->standing.service_text,
                                  .forwards = forwards,
                                  .forward_count = n};
    if (r->fill != NULL)
        r->fill(r->fill_ctx, &status);
    if (agent_status_json(&status, out) != 0)
        out->failed = true;
    free(text);
}

static void format_line(const struct report *r, const struct tunnel *t, struct buf *out)
{
    struct agent_status status = {.is_copied = false};
    char since[DURATION_TEXT_BYTES], probe[32] = "-";
    const char *note = t->standing.reason;
    duration_format(clock_now_s() - t->standing.since_s, since);
    if (t->standing.probe_ms >= 0)
        (void)snprintf(probe, sizeof(probe), "%lld ms", (long long)t->standing.probe_ms);
    bool all_open = t->standing.state == TUNNEL_UP && t->ports.left_out_count == 0;
    if (all_open && t->standing.service_text[0] != '\0')
        note = t->standing.service_text;
    if (r->fill != NULL)
        r->fill(r->fill_ctx, &status);
    if (status.is_copied)
        note = "another host has the state of this agent: see 'leasectl agents' on the gateway";
    /* A tunnel that is up again still shows why it was down last. */
    buf_addf(out, "%s\t%s\t%s\t%u\t%s\t%s\t%s", t->leg->name, tunnel_state_name(t->standing.state),
             since, t->standing.restarts, probe, service_state_name(t->standing.service),
             all_open && note == t->standing.reason && note[0] != '\0' ? "last: " : "");
    text_add_escaped(out, note);
    buf_add(out, "\n");
}

void report_format(const struct report *r, bool json, struct buf *out)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!json) {
            format_line(r, r->tunnels[i], out);
            continue;
        }
        if (i > 0)
            buf_add(out, ",\n");
        format_json(r, r->tunnels[i], out);
    }
}
