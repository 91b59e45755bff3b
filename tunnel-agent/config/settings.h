/* SPDX-License-Identifier: ISC */
/* How patient the supervision is (docs/design.md 6). tunnels.conf may say otherwise. */
#ifndef TUNLEASE_AGENT_CONFIG_SETTINGS_H
#define TUNLEASE_AGENT_CONFIG_SETTINGS_H

#include <stdint.h>

struct settings {
    int64_t probe_interval_ms; /* between the end of one look and the next */
    int64_t probe_timeout_ms;  /* unanswered for so long: suspect */
    int64_t canary_timeout_ms; /* then silent for so long: condemned */
    int64_t connect_timeout_s; /* ssh's ConnectTimeout */
    int64_t login_timeout_ms;  /* from ssh's start to the first proof */
    int64_t port_retry_ms;     /* a taken local port is looked at again */
    int64_t auth_retry_ms;     /* after a failed authentication, doubled up to ... */
    int64_t auth_retry_max_ms;
    int64_t retry_max_ms; /* the most that an answered refusal makes us wait */
    int64_t stable_ms;    /* up for so long: earlier failures are forgotten */
};

extern const struct settings settings_default;

/* The keyword with its one value, a duration. NULL, or why not, as a clause; *ret_known says
 * whether there is such a keyword at all. */
const char *settings_set(struct settings *s, const char *keyword, const char *value,
                         _Bool *ret_known);

#endif
