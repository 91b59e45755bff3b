/* SPDX-License-Identifier: ISC */
#include "leased/engine/refusals.h"

#include "leased/watch/events.h"

#include "lib/base/hash.h"
#include "lib/base/log.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <string.h>

void refusals_init(struct refusals *r)
{
    memset(r, 0, sizeof(*r));
    arc4random_buf(&r->seed, sizeof(r->seed));
}

static void log_sum(struct refusal_kind *k, int64_t now_ms)
{
    if (k->more_count > 0)
        log_event(&event_request_refused,
                  LOG_FIELDS({"AGENT_ID", k->agent}, {"REASON", control_code_name(k->code)},
                             {"CLIENT", k->client}),
                  "refused %llu more action=%s client=%s code=%s in %lld s; the last agent=%s",
                  (unsigned long long)k->more_count, control_action_name(k->action), k->client,
                  control_code_name(k->code), (long long)((now_ms - k->since_ms) / 1000), k->agent);
    *k = (struct refusal_kind){.key = 0};
}

static bool is_over(const struct refusal_kind *k, int64_t now_ms)
{
    return k->key != 0 && now_ms - k->since_ms > REFUSALS_WINDOW_MS;
}

void refusals_log_sums(struct refusals *r, bool all, int64_t now_ms)
{
    for (size_t i = 0; i < REFUSALS_KINDS; i++)
        if (is_over(&r->kinds[i], now_ms) || all)
            log_sum(&r->kinds[i], now_ms);
    for (size_t i = 0; i < CONTROL_CODE__MAX; i++)
        if (is_over(&r->others[i], now_ms) || all)
            log_sum(&r->others[i], now_ms);
}

static struct refusal_kind *find_kind(struct refusals *r, enum control_action action,
                                      enum control_code code, const char *client, int64_t now_ms)
{
    const uint32_t what[] = {(uint32_t)action, (uint32_t)code};
    uint64_t key = hash_add(hash_add(r->seed, what, sizeof(what)), client, strlen(client)) | 1;
    struct refusal_kind *k = &r->kinds[(key >> 1) % REFUSALS_KINDS];
    if (is_over(k, now_ms))
        log_sum(k, now_ms);
    if (k->key != 0 && k->key != key) {
        k = &r->others[code];
        key = 1;
        client = "others";
    }
    if (is_over(k, now_ms))
        log_sum(k, now_ms);
    if (k->key == 0) {
        *k = (struct refusal_kind){.key = key, .since_ms = now_ms, .action = action, .code = code};
        (void)strlcpy(k->client, client, sizeof(k->client));
    }
    return k;
}

bool refusals_note(struct refusals *r, enum control_action action, enum control_code code,
                   const char *client, const char *agent, uint64_t count, int64_t now_ms)
{
    struct refusal_kind *k = find_kind(r, action, code, client, now_ms);
    if (now_ms - r->since_ms > REFUSALS_WINDOW_MS) {
        r->since_ms = now_ms;
        r->own_lines = 0;
    }
    const bool own = k->own_lines < REFUSALS_OWN_LINES && r->own_lines < REFUSALS_ALL_LINES;
    k->own_lines += own;
    r->own_lines += own;
    k->more_count += count - (own ? 1 : 0);
    if (count > (own ? 1 : 0))
        (void)strlcpy(k->agent, agent, sizeof(k->agent));
    return own;
}
