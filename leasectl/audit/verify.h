/* SPDX-License-Identifier: ISC */
/* Verifies the audit chain, and compares it with a checkpoint that was kept elsewhere. */
#ifndef TUNLEASE_LEASECTL_AUDIT_VERIFY_H
#define TUNLEASE_LEASECTL_AUDIT_VERIFY_H

#include "leasectl/ctl.h"

/*
 * checkpoint: the file with one, or NULL. signers: a file of allowed signers (ssh-keygen(1)), or
 * NULL: then a signature is not checked. Prints what was found. EXIT_DONE only if the chain is
 * intact and agrees with the checkpoint, whose signature is good where signers are given;
 * EXIT_FAILED if something is wrong, or the checkpoint cannot be compared; EXIT_USAGE for a
 * file that is no checkpoint; EXIT_STORE if the audit cannot be read.
 */
int audit_verify_show(struct ctl *ctl, const char *checkpoint, const char *signers);

#endif
