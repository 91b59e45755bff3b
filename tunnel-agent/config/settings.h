/* SPDX-License-Identifier: ISC */
/* The intervals and timeouts of the supervision (docs/design.md 6). tunnels.conf can set them. */
#ifndef TUNLEASE_AGENT_CONFIG_SETTINGS_H
#define TUNLEASE_AGENT_CONFIG_SETTINGS_H

#include <stdint.h>

struct settings {
    int64_t probe_interval_ms; /* from the end of one probe to the next */
    int64_t probe_timeout_ms;  /* a tunnel whose probe has no answer for so long is suspect */
    int64_t canary_timeout_ms; /* and then silent for so long: its path is dead */
    int64_t connect_timeout_s; /* ssh's ConnectTimeout */
    int64_t login_timeout_ms;  /* from ssh's start to the first answer */
    int64_t port_retry_ms;     /* a local port that was taken is tried again */
    int64_t auth_retry_ms;     /* after a failed authentication; doubled, up to the next */
    int64_t auth_retry_max_ms;
    int64_t retry_max_ms; /* the longest wait after other refusals */
    int64_t stable_ms;    /* once it was up for so long, earlier failures are forgotten */
};

extern const struct settings settings_default;

/* Sets the field of a keyword from its value, a duration. NULL, or the problem as the predicate of
 * a sentence. *ret_known: there is such a keyword. */
const char *settings_set(struct settings *s, const char *keyword, const char *value,
                         _Bool *ret_known);

#endif
