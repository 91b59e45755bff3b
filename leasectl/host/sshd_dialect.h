/* SPDX-License-Identifier: ISC */
/* What each version of OpenSSH takes, in one place. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_DIALECT_H
#define TUNLEASE_LEASECTL_HOST_SSHD_DIALECT_H

#include "leasectl/host/sshd.h"
#include "leasectl/host/sshd_version.h"
#include "leasectl/host/sshd_zone.h"
#include <stdbool.h>

#define SSHD_OLDEST_MAJOR 8 /* the first that has Include, and so a place for our file */
#define SSHD_OLDEST_MINOR 2

/* For which sshd the Match blocks are written. */
struct sshd_dialect {
    struct sshd_version version;
    struct sshd_version running; /* of what answers; major 0: nothing did */
    struct sshd_zone zone;       /* only where it reads no UTC */
};

bool sshd_is_too_old(const struct sshd_version *v);

/* Whether sshd_config(5) of this version has the keyword, in a Match block. */
bool sshd_has_keyword(const struct sshd_version *v, const char *keyword);

/* Whether a key line's expiry-time may end in Z; else it is in the local time zone. */
bool sshd_reads_utc(const struct sshd_version *v);

/*
 * The dialect of the sshd that serves: the older of the program and what runs, so that both take
 * what is written. 0, or -1 with why in out.
 */
int sshd_query_dialect(const struct sshd *s, struct sshd_dialect *ret, struct buf *out);

#endif
