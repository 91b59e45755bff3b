/* SPDX-License-Identifier: ISC */
/* The engine's counters for /metrics. Each module adds what it did. */
#ifndef TUNLEASE_LEASED_WATCH_METRICS_H
#define TUNLEASE_LEASED_WATCH_METRICS_H

#include "leased/watch/prometheus.h"
#include "lib/store/session_verdict.h"
#include "lib/wire/control.h"

#include <stdint.h>

struct metrics {
    uint64_t requests[CONTROL_ACTION__MAX][CONTROL_CODE__MAX];
    struct histogram request_s[CONTROL_ACTION__MAX];
    uint64_t ended[SESSION_VERDICT__MAX], opened;
    struct histogram revocation_s;
    uint64_t store_errors, http_restarts;
    int64_t last_sweep_s, last_heartbeat_s;
};

/* Counts answered requests by action (enum control_action) and code (enum control_code), and the
 * time that one took. */
void metrics_add_requests(struct metrics *m, uint32_t action, uint32_t code, uint64_t count);
void metrics_add_request_time(struct metrics *m, uint32_t action, int64_t took_ms);

void metrics_add_opened(struct metrics *m);
/* after_ms: from the sweep that judged the session dead to its end. */
void metrics_add_ended(struct metrics *m, enum session_verdict why, int64_t after_ms);
void metrics_add_store_error(struct metrics *m);
void metrics_add_http_restart(struct metrics *m);

/* Times of the last sweep and of the newest heartbeat, in Unix seconds. */
void metrics_set_last_sweep(struct metrics *m, int64_t now_s);
void metrics_set_last_heartbeat(struct metrics *m, int64_t now_s);

#endif
