/* SPDX-License-Identifier: ISC */
/* Makes a line dead, with the reason and the cure. Pure. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_DEAD_H
#define TUNLEASE_LEASE_AUTHORIZED_DEAD_H

#include "lib/lease/authorized/authorized.h"

/* reason: a clause, escaped here; cure: what to do, or NULL, not copied. */
void authorized_dead(struct authorized_line *l, enum authorized_death death, const char *cure,
                     const char *reason, ...) __attribute__((format(printf, 4, 5)));

/* The line at text has no key that sshd finds; says what it is instead. */
void authorized_dead_without_key(struct authorized_line *l, const char *text);

#endif
