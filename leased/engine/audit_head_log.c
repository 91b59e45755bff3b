/* SPDX-License-Identifier: ISC */
#include "leased/engine/audit_head_log.h"

#include "leased/watch/open_store.h"
#include "leased/watch/timer.h"
#include "leased/watch/events.h"
#include "lib/base/clock.h"
#include "lib/base/hex.h"
#include "lib/base/log.h"
#include "lib/store/audit.h"
#include "lib/store/connection.h"

#include <inttypes.h>

enum { DAY_S = 86400 };

static void warn(struct audit_head_log *l, const char *why)
{
    int64_t now_ms = clock_monotonic_ms();
    if (l->warned_ms != 0 && now_ms - l->warned_ms < LOG_AGAIN_MS)
        return;
    l->warned_ms = now_ms;
    log_warn("cannot read the head of the audit: %s", why);
}

void audit_head_log_daily(struct audit_head_log *l, int64_t now_s)
{
    char hash[2 * AUDIT_HASH_BYTES + 1];
    struct audit_head head;
    if (l->open_store->is_lost || (l->is_logged && l->day == now_s / DAY_S))
        return;
    if (audit_head(l->open_store->store, &head) != STORE_OK) {
        warn(l, store_error(l->open_store->store));
        return;
    }
    hex_encode(head.hash, AUDIT_HASH_BYTES, hash);
    log_event(&event_audit_head, NULL, "audit head seq=%" PRId64 " hash=%s", head.seq, hash);
    l->is_logged = true;
    l->day = now_s / DAY_S;
}

void audit_head_log_again(struct audit_head_log *l)
{
    l->is_logged = false;
}
