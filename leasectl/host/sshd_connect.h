/* SPDX-License-Identifier: ISC */
/* Talking to the sshd that serves, as a client does. */
#ifndef TUNLEASE_LEASECTL_HOST_SSHD_CONNECT_H
#define TUNLEASE_LEASECTL_HOST_SSHD_CONNECT_H

#include "leasectl/host/sshd.h"

#include <stdbool.h>

/* A connection to it, where we have said who we are, so that it logs no broken client. -1: none. */
int sshd_connect(const struct sshd *s);

/*
 * The version of what serves a login, which is its banner's: the listener starts its program anew
 * for each connection, so after an upgrade this is the new one. False: nobody answers so.
 */
bool sshd_running_version(const struct sshd *s, struct sshd_version *ret);

#endif
