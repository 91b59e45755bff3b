/* SPDX-License-Identifier: ISC */
/* Names for leases whose holders have only the comment of a key (leasectl import). Pure. */
#ifndef TUNLEASE_LEASE_MADE_NAME_H
#define TUNLEASE_LEASE_MADE_NAME_H

#include "lib/lease/name.h"

#include <stddef.h>

/*
 * Makes a name of the len bytes of a comment: each run of characters that a name cannot have
 * becomes one `-`, none of them at the ends, and the name is cut at LEASE_NAME_MAX. A comment that
 * is a name stays as it is. "" if nothing is left.
 */
void made_name(const char *comment, size_t len, char out[static LEASE_NAME_BYTES]);

/* NAME-NUMBER, with as much of name as there is room for. */
void made_name_numbered(const char *name, unsigned long number, char out[static LEASE_NAME_BYTES]);

#endif
