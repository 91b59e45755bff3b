/* SPDX-License-Identifier: ISC */
/* The options and variables about a gateway, parsed and checked. */
#ifndef TUNLEASE_AGENT_GATEWAY_ARGUMENTS_H
#define TUNLEASE_AGENT_GATEWAY_ARGUMENTS_H

#include "lib/lease/name.h"
#include "lib/lease/permit.h"
#include "tunnel-agent/gateway/url.h"
#include "tunnel-agent/host/why.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway_options;

struct arguments {
    const struct gateway_options *o; /* borrowed */
    struct url url; /* of --endpoint; with --gateway, of the control port that ctl.sock leads to */
    bool over_ssh;  /* --over-ssh is given, and its alias exists */
    char target[300]; /* HOST:PORT that the gateway's port leads to */
    char host[256], user[LOGIN_NAME_BYTES], port[8]; /* of --gateway; "": not given */
    char *credential; /* owned; the enrolment key or token, or NULL */
};

/* Fills a zeroed *a, to be released in any case. 0, or -1 with a sentence in why. Warnings are
 * logged. */
int arguments_read(struct arguments *a, const struct gateway_options *o,
                   char why[static WHY_BYTES]);

/* The port where leased listens on the gateway's own loopback: that of --control-port; else told,
 * the port that the gateway named (0: it named none); else a default. The port in --endpoint says
 * nothing about it: that may be the port of a proxy, or of a forward on this host. */
uint16_t arguments_control_port(const struct arguments *a, uint16_t told);

void arguments_release(struct arguments *a);

#endif
