/* SPDX-License-Identifier: ISC */
/* This host as friends and agents see it: what to type, and by which key to know it. */
#ifndef TUNLEASE_LEASECTL_HOST_GATEWAY_H
#define TUNLEASE_LEASECTL_HOST_GATEWAY_H

#include "lib/lease/pubkey.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conf;
struct lease;

/*
 * The one line for the holder: plain ssh, nothing that needs quoting in sh, zsh, PowerShell or cmd
 * but what stands in double quotes, which all four take.
 */
void gateway_connect_line(const struct conf *conf, const struct lease *l, struct buf *out);

/* The port to listen on at the holder's side for a permitted one: the same, unless it is one that
 * only root may bind. */
uint16_t gateway_local_port(uint16_t port);

/* The public key of the sshd that serves, ed25519 before others. 0, or -1 with why in out: an
 * invitation without it pins nothing, and is not to be handed on. */
int gateway_host_key(const struct conf *conf, struct pubkey *ret, struct buf *out);

#endif
