/* SPDX-License-Identifier: ISC */
#include "leased/http/refused.h"

#include "lib/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { TELLS_A_SECOND = 20 };

static void tell_engine(struct refused *r, enum control_code code)
{
    struct control_request packet;
    struct refused_code *last = &r->codes[code];
    const int64_t now_s = clock_monotonic_ms() / 1000;
    if (r->told_s != now_s) {
        r->told_s = now_s;
        r->told = 0;
    }
    if (last->untold == 0 || r->told == TELLS_A_SECOND || r->engine_fd < 0)
        return;
    control_request_init(&packet, CONTROL_REFUSED);
    packet.on_metrics_listen = last->on_metrics_listen;
    packet.code = (uint32_t)code;
    packet.count = last->untold;
    memcpy(packet.address, last->address, sizeof(packet.address));
    (void)control_request_set(&packet, CONTROL_WHY, last->why, strlen(last->why));
    if (send(r->engine_fd, &packet, control_request_bytes(&packet), MSG_DONTWAIT | MSG_NOSIGNAL) <
        0)
        return;
    r->told++;
    r->untold -= last->untold;
    last->untold = 0;
}

void refused_note(struct refused *r, const struct client *client, enum control_code code,
                  const char *why)
{
    struct refused_code *last = &r->codes[code];
    last->on_metrics_listen = client->on_metrics_listen;
    memcpy(last->address, client->address, sizeof(last->address));
    (void)snprintf(last->why, sizeof(last->why), "%s", why);
    last->untold += r->untold < UINT32_MAX;
    r->untold += r->untold < UINT32_MAX;
    tell_engine(r, code);
}

bool refused_tell(struct refused *r)
{
    for (int code = CONTROL_OK; code < CONTROL_CODE__MAX && r->untold > 0; code++)
        tell_engine(r, (enum control_code)code);
    return r->untold > 0;
}
