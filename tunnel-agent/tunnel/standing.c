/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/standing.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <bsd/string.h>
#include <stdbool.h>
#include <string.h>

enum { REPEAT_LOG_MS = 600000 }; /* the same text is logged again after this */

const char *tunnel_state_name(enum tunnel_state state)
{
    static const char *const names[TUNNEL_STATE__MAX] = {"connecting", "up", "suspect", "held"};
    return names[state];
}

const char *service_state_name(enum service_state service)
{
    static const char *const names[SERVICE__MAX] = {"unknown", "ok", "silent", "down", "forbidden"};
    return names[service];
}

void standing_set(struct standing *s, enum tunnel_state state, const char *reason)
{
    if (s->state != state) {
        s->state = state;
        s->since_s = clock_now_s();
    }
    if (reason != s->reason)
        (void)strlcpy(s->reason, reason, sizeof(s->reason));
    if (s->changed != NULL)
        s->changed(s->ctx);
}

void standing_log_trouble(struct standing *s, const char *text)
{
    int64_t now_ms = clock_monotonic_ms();
    if (strcmp(s->last_logged, text) == 0 && now_ms - s->last_logged_ms < REPEAT_LOG_MS)
        return;
    (void)strlcpy(s->last_logged, text, sizeof(s->last_logged));
    s->last_logged_ms = now_ms;
    log_warn("%s: %s", s->name, text);
}

void standing_set_service(struct standing *s, enum service_state service, const char *text)
{
    bool news = s->service != service || strcmp(s->service_text, text) != 0;
    bool first = s->service == SERVICE_UNKNOWN;
    s->service = service;
    (void)strlcpy(s->service_text, text, sizeof(s->service_text));
    if (!news || (first && service == SERVICE_OK))
        return;
    if (service == SERVICE_OK)
        log_info("%s: the service answers again", s->name);
    else
        log_warn("%s: the tunnel is up, but %s", s->name, text);
}
