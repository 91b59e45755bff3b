/* SPDX-License-Identifier: ISC */
/* What a person said about the gateway, checked: where it is, and what its port is to lead to. */
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
    struct url url;                  /* of --endpoint; of --gateway, what ctl.sock leads to */
    bool over_ssh;                   /* the alias exists */
    char target[300];                /* HOST:PORT */
    char host[256], user[LOGIN_NAME_BYTES], port[8]; /* of --gateway; "": not said */
    char *credential; /* owned; the enrolment key or token, or NULL */
};

/* Into a zeroed *a, to be released. 0, or -1 with a sentence in why. Warnings are logged. */
int arguments_read(struct arguments *a, const struct gateway_options *o,
                   char why[static WHY_BYTES]);

/* Where leased listens on the gateway's own loopback. The endpoint's port may be that of a proxy,
 * or of a forward on this side. told: what the gateway said, 0: nothing. */
uint16_t arguments_control_port(const struct arguments *a, uint16_t told);

void arguments_release(struct arguments *a);

#endif
