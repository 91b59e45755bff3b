/* SPDX-License-Identifier: ISC */
/* What each version of OpenSSH understands, in one place. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_DIALECT_H
#define TUNLEASE_LEASECTL_HOST_SSHD_DIALECT_H

#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include <stdbool.h>

#define SSHD_OLDEST_MAJOR 8 /* the first with Include, and so with a place for our drop-in */
#define SSHD_OLDEST_MINOR 2

/* The sshd that the Match blocks are written for. */
struct sshd_dialect {
    struct sshd_version version;
    struct sshd_version running; /* of what answers on the port; major 0: nothing did */
    struct sshd_zone zone;       /* set only where version does not read UTC */
};

bool sshd_is_too_old(const struct sshd_version *v);

/* True when this version knows the keyword in a Match block. */
bool sshd_has_keyword(const struct sshd_version *v, const char *keyword);

/* True when expiry-time in a key line may end in Z (UTC); older versions read it in local time. */
bool sshd_reads_utc(const struct sshd_version *v);

/*
 * Queries the sshd that serves. Its version is the older of the program's and of what answers, so
 * that both understand what is written. 0, or -1 with why in out.
 */
int sshd_query_dialect(const struct sshd *s, struct sshd_dialect *ret, struct buf *out);

#endif
