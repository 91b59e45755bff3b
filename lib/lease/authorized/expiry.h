/* SPDX-License-Identifier: ISC */
/* The value of expiry-time=. Pure but for the time zone. */
#ifndef TUNLEASE_LEASE_AUTHORIZED_EXPIRY_H
#define TUNLEASE_LEASE_AUTHORIZED_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

/* Reads `YYYYMMDD[HHMM[SS]][Z|UTC]` as sshd does. False, with *ret untouched, if sshd refuses it.
 * *ret_local: it is in the local time zone, of which sshd reads summer time an hour late. */
bool authorized_expiry_parse(const char *value, int64_t *ret_s, bool *ret_local);

#endif
