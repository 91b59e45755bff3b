/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/local_ports.h"

#include "lib/base/log.h"
#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/job.h"
#include "tunnel-agent/host/localport.h"
#include "tunnel-agent/ssh/mux.h"
#include "tunnel-agent/tunnel/standing.h"

#include <bsd/string.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int local_ports_init(struct local_ports *p)
{
    size_t count = p->leg->forward_count != 0 ? p->leg->forward_count : 1;
    p->left_out = calloc(count, sizeof(p->left_out[0]));
    p->holder = calloc(count, sizeof(p->holder[0]));
    return p->left_out != NULL && p->holder != NULL ? 0 : -1;
}

void local_ports_scan(struct local_ports *p)
{
    char text[TUNNEL_TEXT_BYTES] = "";
    p->left_out_count = 0;
    for (size_t i = 0; i < p->leg->forward_count; i++) {
        const struct forward *f = &p->leg->forwards[i];
        p->left_out[i] =
            !localport_is_free(f->bind, f->port, p->holder[i], LOCAL_PORTS_HOLDER_BYTES);
        if (!p->left_out[i])
            continue;
        if (p->left_out_count++ == 0)
            localport_explain(f->bind, f->port, p->holder[i], text, sizeof(text));
    }
    if (p->left_out_count > 1)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       ". %zu more local ports cannot be taken", p->left_out_count - 1);
    if (p->left_out_count == 0)
        return;
    (void)strlcpy(p->standing->reason, text, sizeof(p->standing->reason));
    standing_log_trouble(p->standing, text);
}

void local_ports_set_timer(struct local_ports *p)
{
    const struct timeval tv = {.tv_sec = (time_t)(p->settings->port_retry_ms / 1000)};
    if (p->left_out_count > 0)
        (void)event_add(p->port_timer, &tv);
    else
        (void)event_del(p->port_timer);
}

struct late_forward {
    const char *mux_path;
    const struct forward *forward;
};

/* In a child. */
static int add_late_forward(void *ctx)
{
    const struct late_forward *late = ctx;
    int rc = sshmux_add_forward(late->mux_path, late->forward);
    (void)printf("%s", rc == 0 ? "ok" : "failed");
    (void)fflush(stdout);
    return 0;
}

static void on_late_forward(void *ctx, const char *text)
{
    struct local_ports *p = ctx;
    p->job = NULL;
    for (size_t i = 0; i < p->leg->forward_count; i++) {
        if (!p->left_out[i] || p->holder[i][0] != '\0')
            continue;
        if (strcmp(text, "ok") == 0) {
            p->left_out[i] = false;
            p->left_out_count--;
            log_info("%s: local port %u is free again and forwarded", p->leg->name,
                     p->leg->forwards[i].port);
        }
        break;
    }
    local_ports_set_timer(p);
}

/* A forward that is left out and has the holder "" is the one that the job adds. */
void local_ports_add_freed(struct local_ports *p)
{
    for (size_t i = 0; p->job == NULL && i < p->leg->forward_count; i++) {
        if (!p->left_out[i] ||
            !localport_is_free(p->leg->forwards[i].bind, p->leg->forwards[i].port, p->holder[i],
                               LOCAL_PORTS_HOLDER_BYTES))
            continue;
        p->holder[i][0] = '\0';
        struct late_forward late = {.mux_path = p->mux_path, .forward = &p->leg->forwards[i]};
        p->job = job_start(p->base, add_late_forward, &late, on_late_forward, p);
        return;
    }
}

void local_ports_cancel(struct local_ports *p)
{
    job_cancel(p->job);
    p->job = NULL;
}

void local_ports_release(struct local_ports *p)
{
    local_ports_cancel(p);
    free(p->left_out);
    free(p->holder);
}
