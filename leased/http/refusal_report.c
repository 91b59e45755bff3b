/* SPDX-License-Identifier: ISC */
#include "leased/http/refusal_report.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { REPORTS_A_SECOND = 20 };

static void send_report(struct refusal_report *r, enum control_code code)
{
    struct control_request packet;
    struct unreported_refusals *last = &r->codes[code];
    const int64_t now_s = clock_monotonic_ms() / 1000;
    if (r->reported_s != now_s) {
        r->reported_s = now_s;
        r->reports = 0;
    }
    if (last->unreported == 0 || r->reports == REPORTS_A_SECOND || r->engine_fd < 0)
        return;
    control_request_init(&packet, CONTROL_REFUSED);
    packet.on_metrics_listen = last->on_metrics_listen;
    packet.code = (uint32_t)code;
    packet.count = last->unreported;
    memcpy(packet.address, last->address, sizeof(packet.address));
    (void)control_request_set(&packet, CONTROL_WHY, last->why, strlen(last->why));
    if (send(r->engine_fd, &packet, control_request_bytes(&packet), MSG_DONTWAIT | MSG_NOSIGNAL) <
        0)
        return;
    r->reports++;
    r->unreported -= last->unreported;
    last->unreported = 0;
}

void refusal_report_add(struct refusal_report *r, const struct client *client,
                        enum control_code code, const char *why)
{
    struct unreported_refusals *last = &r->codes[code];
    last->on_metrics_listen = client->on_metrics_listen;
    memcpy(last->address, client->address, sizeof(last->address));
    (void)snprintf(last->why, sizeof(last->why), "%s", why);
    last->unreported += r->unreported < UINT32_MAX;
    r->unreported += r->unreported < UINT32_MAX;
    send_report(r, code);
}

bool refusal_report_send(struct refusal_report *r)
{
    for (int code = CONTROL_OK; code < CONTROL_CODE__MAX && r->unreported > 0; code++)
        send_report(r, (enum control_code)code);
    return r->unreported > 0;
}
