/* SPDX-License-Identifier: ISC */
/* The time zone in which the sshd that serves reads times. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_ZONE_H
#define TUNLEASE_LEASECTL_HOST_SSHD_ZONE_H

#include "leasectl/host/sshd.h"

#include <stdbool.h>

enum { SSHD_ZONE_BYTES = 128 };

struct sshd_zone {
    bool is_set;                     /* it has a TZ in its environment */
    char tz[SSHD_ZONE_BYTES];        /* that */
    char localtime[SSHD_ZONE_BYTES]; /* else: what /etc/localtime is */
};

/*
 * Of the sshd that runs; where none does, of one without TZ. Asked by a connection: sshd writes
 * its title over the environment that /proc shows, so it is read from the process that sshd starts
 * for that connection, before it does so. Needs root. 0, or -1 with why in out.
 */
int sshd_query_zone(const struct sshd *s, struct sshd_zone *ret, struct buf *out);

#endif
