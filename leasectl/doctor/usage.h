/* SPDX-License-Identifier: ISC */
/* What leases permit, all together. */
#ifndef TUNLEASE_LEASECTL_DOCTOR_USAGE_H
#define TUNLEASE_LEASECTL_DOCTOR_USAGE_H

#include "leasectl/ctl.h"
#include "lib/base/port_set.h"
#include "lib/lease/ceiling.h"

enum { USAGE_RULES_MAX = 64 };

/* Permits as rules of a ceiling, each with its login. Neighbouring ports are one rule. */
struct usage {
    struct ceiling_rules open, listen;
    bool too_many;                 /* there are more rules than USAGE_RULES_MAX */
    struct port_set loopback_open; /* ports of this host that active leases open */
};

/*
 * Reads all leases that are not revoked: an expired one can be renewed. Of AgentLogin, whose
 * ceiling is built in, only what listens counts. A login that opens an agent's port opens all that
 * agents may get. False: the store cannot be read, or memory ran out. The caller releases it in
 * either case.
 */
bool usage_read(struct ctl *ctl, struct usage *ret);
void usage_release(struct usage *u);

#endif
