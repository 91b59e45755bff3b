/* SPDX-License-Identifier: ISC */
/* What people and agents need to reach this gateway: the ssh command line, and sshd's host key. */
#ifndef TUNLEASE_LEASECTL_HOST_GATEWAY_H
#define TUNLEASE_LEASECTL_HOST_GATEWAY_H

#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conf;
struct lease;

/*
 * The ssh command line for the holder of l. It works in sh, zsh, PowerShell and cmd: what needs
 * quoting stands in double quotes, which all four accept.
 */
void gateway_connect_line(const struct conf *conf, const struct lease *l, struct buf *out);

/* The port to listen on at the holder's end for a permitted port: the same, or 10000 more where
 * only root may bind it (below 1024). */
uint16_t gateway_local_port(uint16_t port);

/* A public host key of the sshd that serves, ed25519 if it has one. 0, or -1 with why in out: then
 * give out no invitation, since it would pin no key. */
int gateway_host_key(const struct conf *conf, struct pubkey *ret, struct buf *out);

#endif
