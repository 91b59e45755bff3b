/* SPDX-License-Identifier: ISC */
/* Checks of all legs before any of them is started. */
#ifndef TUNLEASE_AGENT_LEGS_H
#define TUNLEASE_AGENT_LEGS_H

#include "tunnel-agent/host/why.h"

#include <stddef.h>

struct leg;
struct settings;

/*
 * Refuses what can never work: options that ssh does not accept, or two legs that want one local
 * port. Runs `ssh -G` for each leg. 0, or -1 with a sentence in why.
 */
int legs_validate(const struct leg *legs, size_t count, const struct settings *s,
                  char why[static WHY_BYTES]);

/* For `tunnel-agent check`: prints every collision of local ports, between legs, with a
 * LocalForward of the ssh configuration, and with what listens now; and every leg that ssh refuses.
 * Returns the number of findings. */
unsigned legs_report(const struct leg *legs, size_t count, const struct settings *s);

#endif
