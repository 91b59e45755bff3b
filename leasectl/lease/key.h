/* SPDX-License-Identifier: ISC */
/* The key of a lease from the command line. Each returns EXIT_DONE, or the exit code with the error
 * printed and nothing set. */
#ifndef TUNLEASE_LEASECTL_LEASE_KEY_H
#define TUNLEASE_LEASECTL_LEASE_KEY_H

#include "leasectl/ctl.h"
#include "lib/lease/lease.h"

#include <stddef.h>

/* One public key from a file, or from standard input ("-"); from a text, named for the error. */
int key_read_file(struct ctl *ctl, const char *file, struct lease_key *ret);
int key_parse(struct ctl *ctl, const char *from, const char *text, size_t len,
              struct lease_key *ret);

/*
 * Whether OpenSSH itself takes the key, before it is stored: an ECDSA point may lie off its curve,
 * which only the big numbers of ssh-keygen can tell, and such a lease would never let anybody in.
 * Types of OpenSSH's own (sk-, mldsa) only where the installation of the sshd that serves has them.
 */
int key_check(struct ctl *ctl, const struct pubkey *key);

#endif
