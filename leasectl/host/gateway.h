/* SPDX-License-Identifier: ISC */
/* What people and agents need to know this gateway by: sshd's host key. */
#ifndef TUNLEASE_LEASECTL_HOST_GATEWAY_H
#define TUNLEASE_LEASECTL_HOST_GATEWAY_H

#include "lib/lease/pubkey.h"

struct buf;
struct conf;

/* A public host key of the sshd that serves, ed25519 if it has one. 0, or -1 with why in out: then
 * give out no invitation, since it would pin no key. */
int gateway_host_key(const struct conf *conf, struct pubkey *ret, struct buf *out);

#endif
