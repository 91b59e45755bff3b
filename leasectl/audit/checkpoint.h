/* SPDX-License-Identifier: ISC */
/*
 * A checkpoint: the head of the audit as a short text, to be kept on another machine. Its form does
 * not change: the first line, and then lines `key value`; a reader skips keys that it does not
 * know.
 *
 *   tunlease audit checkpoint 1
 *   host gateway.example.com
 *   database /var/lib/tunlease/leases.db
 *   at 2026-11-30T04:05:00Z
 *   seq 57
 *   hash 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
 *   row-at 2026-11-30T04:00:00Z
 *
 * at: when it was made. seq, hash, row-at: the newest row, and when that was written. Of an empty
 * audit seq is 0, hash 64 zeros, and there is no row-at.
 */
#ifndef TUNLEASE_LEASECTL_AUDIT_CHECKPOINT_H
#define TUNLEASE_LEASECTL_AUDIT_CHECKPOINT_H

#include "leasectl/ctl.h"
#include "lib/store/audit.h"

#include <stdint.h>

struct buf;

enum { AUDIT_HEX_BYTES = 2 * AUDIT_HASH_BYTES + 1, CHECKPOINT_FILE_MAX = 64 * 1024 };

struct checkpoint {
    char host[256];
    char at[32];
    int64_t seq;
    char hash[AUDIT_HEX_BYTES];
};

void checkpoint_add_text(const struct ctl *ctl, const struct audit_head *head, struct buf *out);

/* Writes the head to the system log (authpriv), as leased does each day (leased(8)). */
void checkpoint_log(const struct audit_head *head);

/* Reads one, without its signature (leasectl/sign/sign.h). NULL, or what is wrong with it. */
const char *checkpoint_parse(const char *text, struct checkpoint *ret);

#endif
