/* SPDX-License-Identifier: ISC */
/* Connects to the sshd that serves, as a client does. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_CONNECT_H
#define TUNLEASE_LEASECTL_HOST_SSHD_CONNECT_H

#include "leasectl/host/sshd.h"

#include <stdbool.h>

/* Connects and sends our version line, so that sshd does not log a broken client. The socket, or
 * -1. */
int sshd_connect(const struct sshd *s);

/*
 * The version in sshd's banner, which is that of the program that serves a login: the listener
 * executes its program again for each connection, so after an upgrade this is the new version.
 * False: no OpenSSH answers.
 */
bool sshd_running_version(const struct sshd *s, struct sshd_version *ret);

#endif
