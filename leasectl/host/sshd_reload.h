/* SPDX-License-Identifier: ISC */
/* Making the sshd that serves read its configuration again. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_RELOAD_H
#define TUNLEASE_LEASECTL_HOST_SSHD_RELOAD_H

#include "leasectl/host/sshd.h"
#include "lib/base/buf.h"

#include <stdbool.h>

/* Makes the running sshd read its configuration again; live connections stay. 0, or -1 with why.
 * *ret_running: false when there was none to tell. */
int sshd_reload(const struct sshd *s, struct buf *out, bool *ret_running);

#endif
