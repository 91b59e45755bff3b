/* SPDX-License-Identifier: ISC */
/* What is wrong with the audit chain, in words. */
#ifndef TUNLEASE_LEASECTL_AUDIT_FAULT_H
#define TUNLEASE_LEASECTL_AUDIT_FAULT_H

#include "lib/store/audit_verify.h"

struct buf;

/* One word for JSON: changed, missing, inserted, moved, anchor; NULL: the chain is intact. */
const char *audit_fault_name(enum audit_fault fault);

/* Adds a clause such as "row 5 is not as it was written". Only for a chain that is broken. */
void audit_fault_describe(const struct audit_report *r, struct buf *out);

#endif
