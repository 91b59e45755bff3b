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

/* 0, and *ret is the caller's to release; or -1 with a sentence in why, which names FILE:LINE if
 * one line is at fault. Warnings are logged. */
int tunnels_conf_read(const char *path, struct tunnels_conf *ret,
                      char why[static TUNNELS_CONF_WHY_BYTES]);
void tunnels_conf_release(struct tunnels_conf *c);

/* The settings of a file alone, and how many tunnels it has; path NULL: the default ones. As
 * above; nothing is to be released. */
int tunnels_conf_read_settings(const char *path, struct settings *ret, size_t *ret_leg_count,
                               char why[static TUNNELS_CONF_WHY_BYTES]);

#endif
