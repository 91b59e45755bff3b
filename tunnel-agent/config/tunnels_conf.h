/* SPDX-License-Identifier: ISC */
/* tunnels.conf: settings, and one `Tunnel NAME` block for each leg. See tunnel-agent(1). */
#ifndef TUNLEASE_AGENT_CONFIG_TUNNELS_CONF_H
#define TUNLEASE_AGENT_CONFIG_TUNNELS_CONF_H

#include "tunnel-agent/config/leg.h"
#include "tunnel-agent/config/settings.h"

enum { TUNNELS_CONF_WHY_BYTES = 640 };

struct tunnels_conf {
    struct settings settings;
    struct leg *legs; /* owned */
    size_t leg_count;
};

/* 0 and *ret, to be released; or -1 and one line in why, with file:line where a line is to blame.
 * Warnings are logged. */
int tunnels_conf_read(const char *path, struct tunnels_conf *ret,
                      char why[static TUNNELS_CONF_WHY_BYTES]);
void tunnels_conf_release(struct tunnels_conf *c);

#endif
