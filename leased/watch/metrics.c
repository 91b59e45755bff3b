/* SPDX-License-Identifier: ISC */
#include "leased/watch/metrics.h"

#include "lib/store/session_verdict.h"

void metrics_add_requests(struct metrics *m, uint32_t action, uint32_t code, uint64_t count)
{
    m->requests[action][code] += count;
}

void metrics_add_request_time(struct metrics *m, uint32_t action, int64_t took_ms)
{
    histogram_add(&m->request_s[action], (double)took_ms / 1000);
}

void metrics_add_opened(struct metrics *m)
{
    m->opened++;
}

void metrics_add_ended(struct metrics *m, enum session_verdict why, int64_t after_ms)
{
    m->ended[why]++;
    histogram_add(&m->revocation_s, (double)after_ms / 1000);
}

void metrics_add_store_error(struct metrics *m)
{
    m->store_errors++;
}

void metrics_add_http_restart(struct metrics *m)
{
    m->http_restarts++;
}

void metrics_set_last_sweep(struct metrics *m, int64_t now_s)
{
    m->last_sweep_s = now_s;
}

void metrics_set_last_heartbeat(struct metrics *m, int64_t now_s)
{
    m->last_heartbeat_s = now_s;
}
