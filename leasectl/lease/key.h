/* SPDX-License-Identifier: ISC */
/* The key of a lease from the command line. Each returns EXIT_DONE, or the exit code with the error
 * printed and nothing set. */
#ifndef TUNLEASE_LEASECTL_LEASE_KEY_H
#define TUNLEASE_LEASECTL_LEASE_KEY_H

#include "leasectl/ctl.h"
#include "lib/lease/lease.h"

#include <stddef.h>

/* Reads one public key from a file, or from standard input ("-"). */
int key_read_file(struct ctl *ctl, const char *file, struct lease_key *ret);

/* Parses one public key. from names the source of text in the error. */
int key_parse(struct ctl *ctl, const char *from, const char *text, size_t len,
              struct lease_key *ret);

/*
 * Checks that OpenSSH accepts the key, before it is stored. A lease with a damaged key would let
 * nobody in, and some damage only ssh-keygen's arithmetic finds, such as an ECDSA point that is not
 * on its curve. A type with '@' in its name (sk-, mldsa) must be known to the OpenSSH of the sshd
 * that serves; if that sshd is configured not to accept it, this warns.
 */
int key_check(struct ctl *ctl, const struct pubkey *key);

#endif
