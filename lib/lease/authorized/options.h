/* SPDX-License-Identifier: ISC */
/* The options of an authorized_keys line. Pure but for the time zone and /etc/services. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_OPTIONS_H
#define TUNLEASE_LEASE_AUTHORIZED_OPTIONS_H

#include <stdbool.h>

struct authorized_line;

/* What a line without options allows: all of it. */
void authorized_options_none(struct authorized_line *l);

/*
 * Reads the options at s, up to that blank, into l. True; also where sshd does not take them, and
 * then l is AUTHORIZED_DEAD with death, reason and cure. False: out of memory.
 */
bool authorized_options_read(const char *s, struct authorized_line *l);

#endif
