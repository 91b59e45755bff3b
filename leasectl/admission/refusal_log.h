/* SPDX-License-Identifier: ISC */
/* The refusals that akc wrote into the system log. */
#ifndef TUNLEASE_LEASECTL_ADMISSION_REFUSAL_LOG_H
#define TUNLEASE_LEASECTL_ADMISSION_REFUSAL_LOG_H

#include "lib/base/base64.h"
#include "lib/session/sight.h"

struct buf;

/*
 * Finds the key that akc refused last on login: in the journal, else in /var/log/auth.log or
 * /var/log/secure. The keys of verify's own probes are passed over. SIGHT_IS: the fingerprint is
 * set. SIGHT_IS_NOT: what could be read has no such refusal; looked_at names it. SIGHT_CANNOT_TELL:
 * there is no log here, or none that may be read; looked_at says why.
 */
enum sight refusal_log_last(const char *login, char fingerprint[static FINGERPRINT_BYTES],
                            struct buf *looked_at);

#endif
