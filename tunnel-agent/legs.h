/* SPDX-License-Identifier: ISC */
/* Legs before they are started: do they make sense together, and on this host? */
#ifndef TUNLEASE_AGENT_LEGS_H
#define TUNLEASE_AGENT_LEGS_H

#include "tunnel-agent/host/why.h"

#include <stddef.h>

struct leg;
struct settings;

/*
 * What can never work: ssh does not understand a leg's words, or two legs want one local port.
 * 0, or -1 with a sentence in why. Runs `ssh -G` for each.
 */
int legs_validate(const struct leg *legs, size_t count, const struct settings *s,
                  char why[static WHY_BYTES]);

/* `tunnel-agent check`: prints every finding (collisions between legs, with the LocalForward of a
 * leg's ssh configuration, and with what listens now). The number of findings. */
unsigned legs_report(const struct leg *legs, size_t count, const struct settings *s);

#endif
