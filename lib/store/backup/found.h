/* SPDX-License-Identifier: ISC */
/* What is asked of a restore, and what it reports. */
#ifndef TUNLEASE_STORE_BACKUP_FOUND_H
#define TUNLEASE_STORE_BACKUP_FOUND_H

#include "lib/store/actor.h"
#include "lib/store/audit_hash.h"

#include <stdbool.h>
#include <stdint.h>

/* Leases that are otherwise than before the restore. */
enum restored {
    RESTORED_BACK,         /* active again */
    RESTORED_GONE,         /* was active, and the backup does not have it, or has it as ended */
    RESTORED_KEPT_REVOKED, /* active in the backup, but revoked or ended since: stays so */
    RESTORED_NARROWED,     /* as RESTORED_TERMS, and lost what was taken from it since */
    RESTORED_TERMS,        /* its terms are others than before */
    RESTORED_FROZEN,       /* a freeze that is in force now */
    RESTORED__MAX,
};

/* name and login are borrowed. Non-zero: out of memory. */
typedef int (*restore_found_fn)(void *ctx, enum restored what, int64_t id, const char *name,
                                const char *login);

struct restore_request {
    bool forget_revocations; /* what was taken away since the backup comes back, too */
    const char *file;        /* the backup's name, for the audit */
    struct store_actor by;
    restore_found_fn found;
    void *ctx;
};

struct restore_result {
    bool related;                  /* both stores have a part of their audit in common */
    int64_t kept_first, kept_last; /* rows of the old audit that were taken over; 0: none */
    int64_t lost_first, lost_last; /* that were not; 0: none */
    int64_t seq;                   /* of the row that says `restored` */
    unsigned char head[AUDIT_HASH_BYTES];
};

#endif
