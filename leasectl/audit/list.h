/* SPDX-License-Identifier: ISC */
/* Prints rows of the audit, oldest first. */
#ifndef TUNLEASE_LEASECTL_AUDIT_LIST_H
#define TUNLEASE_LEASECTL_AUDIT_LIST_H

#include "leasectl/ctl.h"
#include "lib/store/audit_list.h"

/*
 * A table on a terminal, tab-separated when piped, with --json an array. However many rows there
 * are, it holds a few hundred at most: a long table comes in pieces, each with its heading. Needs
 * the store open. EXIT_DONE, also where there is none; or the exit code with the error printed:
 * JSON that breaks off is left unfinished, so that nobody takes it for all.
 */
int audit_list_show(struct ctl *ctl, const struct audit_filter *filter, size_t *ret_count);

#endif
