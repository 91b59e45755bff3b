/* SPDX-License-Identifier: ISC */
/* Makes the sshd that serves read its configuration again. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_RELOAD_H
#define TUNLEASE_LEASECTL_HOST_SSHD_RELOAD_H

#include "leasectl/host/sshd.h"
#include "lib/base/buf.h"

#include <stdbool.h>

/* Live connections stay up. *ret_running: false when no sshd listens, and so none had to be told.
 * 0, or -1 with why in out. */
int sshd_reload(const struct sshd *s, struct buf *out, bool *ret_running);

#endif
