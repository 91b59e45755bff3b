/* SPDX-License-Identifier: ISC */
/* What a store holds, and whether all of it is sound. */
#ifndef TUNLEASE_STORE_BACKUP_CONTENTS_H
#define TUNLEASE_STORE_BACKUP_CONTENTS_H

#include "lib/store/audit_verify.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

struct store_contents {
    int64_t version;
    int64_t grants, agents, freezes; /* not revoked; expired ones, too */
    int64_t leases;                  /* all rows, freezes and revoked ones, too */
    int64_t keys, ports, tokens;
    struct audit_report audit;
};

/* ---- inside lib/store ---- */

/* Counts the rows. Does not look at the audit. */
enum store_rc contents_count(struct store *st, struct store_contents *ret);

/*
 * STORE_NONE: the tables, indices and triggers are not exactly those of a store of that version,
 * and store_error says so: whoever reads it could be led anywhere. old: of the attached store.
 */
enum store_rc contents_check_schema(struct store *st, int version, bool old);

/* Reads every page, and counts the rows. Does not look at the audit. STORE_NONE: something is
 * wrong, and store_error says what. The schema must have been checked. */
enum store_rc contents_check_pages(struct store *st, struct store_contents *ret);

/* Reads all of it: pages, audit chain, each lease. STORE_NONE: something is wrong, and store_error
 * says what. The schema must have been checked. */
enum store_rc contents_check(struct store *st, struct store_contents *ret);

#endif
