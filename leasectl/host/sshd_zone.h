/* SPDX-License-Identifier: ISC */
/* The time zone in which the sshd that serves reads times. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_ZONE_H
#define TUNLEASE_LEASECTL_HOST_SSHD_ZONE_H

#include "leasectl/host/sshd.h"

#include <stdbool.h>

enum { SSHD_ZONE_BYTES = 128 };

struct sshd_zone {
    bool is_set;                     /* it has a TZ in its environment */
    char tz[SSHD_ZONE_BYTES];        /* its value */
    char localtime[SSHD_ZONE_BYTES]; /* what /etc/localtime is, which counts without TZ */
};

/*
 * Reads the zone of the sshd that runs; where none runs, that of an sshd without TZ. sshd
 * overwrites the environment that /proc shows with its process title. So this connects to sshd, and
 * reads the environment of the process that sshd starts for the connection before it sets its
 * title. Needs root. 0, or -1 with why in out.
 */
int sshd_query_zone(const struct sshd *s, struct sshd_zone *ret, struct buf *out);

/* Adds it as a clause: "TZ=Europe/Berlin". */
void sshd_zone_format(const struct sshd_zone *zone, struct buf *out);

#endif
