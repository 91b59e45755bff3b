/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/config/settings.h"

#include "lib/lease/duration.h"

#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

const struct settings settings_default = {
    .probe_interval_ms = 10000,
    .probe_timeout_ms = 5000,
    .canary_timeout_ms = 3000,
    .connect_timeout_s = 4,
    .login_timeout_ms = 20000,
    .port_retry_ms = 20000,
    .auth_retry_ms = 60000,
    .auth_retry_max_ms = 900000,
    .retry_max_ms = 60000,
    .stable_ms = 60000,
};

static const struct {
    const char *keyword;
    size_t offset;
    int64_t unit; /* a second in units of the field */
} keywords[] = {
    {"ProbeInterval", offsetof(struct settings, probe_interval_ms), 1000},
    {"ProbeTimeout", offsetof(struct settings, probe_timeout_ms), 1000},
    {"CanaryTimeout", offsetof(struct settings, canary_timeout_ms), 1000},
    {"ConnectTimeout", offsetof(struct settings, connect_timeout_s), 1},
    {"LoginTimeout", offsetof(struct settings, login_timeout_ms), 1000},
    {"PortRetry", offsetof(struct settings, port_retry_ms), 1000},
    {"AuthRetry", offsetof(struct settings, auth_retry_ms), 1000},
    {"AuthRetryMax", offsetof(struct settings, auth_retry_max_ms), 1000},
    {"RetryMax", offsetof(struct settings, retry_max_ms), 1000},
    {"StableAfter", offsetof(struct settings, stable_ms), 1000},
};

const char *settings_set(struct settings *s, const char *keyword, const char *value,
                         bool *ret_known)
{
    enum { DAY_S = 86400 };
    int64_t seconds;
    *ret_known = false;
    for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
        if (strcasecmp(keyword, keywords[i].keyword) != 0)
            continue;
        *ret_known = true;
        if (duration_parse(value, &seconds) != 0 || seconds > DAY_S)
            return "is not a duration like 5s, 90s or 15m, of a day at most";
        *(int64_t *)(void *)((char *)s + keywords[i].offset) = seconds * keywords[i].unit;
        return NULL;
    }
    return NULL;
}
