/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/tunnel/traffic.h"

#include "lib/base/clock.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/connection.h"

enum {
    TRAFFIC_BYTES = 4096, /* more than our own probes within CanaryTimeout */
    SENT_AGAIN_DEAD = 10, /* how often TCP retransmits into a dead path before we find it */
};

bool traffic_has_moved(struct traffic *t, unsigned long connection)
{
    struct connection_traffic now;
    if (!connection_read_traffic(connection, &now))
        return false;
    int64_t bytes = now.read_bytes - t->read_bytes;
    if (now.unsent_bytes > 0)
        bytes += now.acked_bytes - t->acked_bytes;
    t->read_bytes = now.read_bytes;
    t->acked_bytes = now.acked_bytes;
    if (bytes > TRAFFIC_BYTES)
        t->moved_ms = clock_monotonic_ms();
    return bytes > TRAFFIC_BYTES;
}

/* How long ssh's connection may receive no segment before it counts as dead; 0: do not wait for it.
 * Where packets are lost, TCP retransmits after 0.2 s, 0.4 s and so on. A handful lost in a row is
 * seconds of silence, and a new connection would fare no better. */
static int64_t silence_allowed_ms(const struct settings *s,
                                  const struct connection_traffic *traffic)
{
    const int64_t patience_ms = s->probe_timeout_ms + s->canary_timeout_ms;
    if (traffic->sent_again == 0)
        return 0;
    return traffic->sent_again > SENT_AGAIN_DEAD ? patience_ms + s->canary_timeout_ms : patience_ms;
}

int64_t traffic_silence_left_ms(unsigned long connection, const struct settings *s)
{
    struct connection_traffic now;
    if (!connection_read_traffic(connection, &now))
        return 0;
    return silence_allowed_ms(s, &now) - now.silent_ms;
}
