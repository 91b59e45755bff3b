/* SPDX-License-Identifier: ISC */
/* What is asked of the kernel, of sshd -T, of su and of leased's ports. */
#ifndef TUNLEASE_LEASECTL_PROVE_HOST_TRIALS_H
#define TUNLEASE_LEASECTL_PROVE_HOST_TRIALS_H

#include "leasectl/host/sshd.h"
#include "leasectl/prove/proof.h"
#include "leasectl/prove/verifies.h"

/* file_trials.c: owners, modes, and what other users may read and write. sshd: NULL when none was
 * found. */
void try_files(struct proof *p, const struct sshd *sshd);

/* login_trials.c: su and sudo, and files of keys, for each login of v. */
void try_logins(struct proof *p, const struct verifies *v, const struct sshd *sshd);

/* leased_trials.c: its powers, its ports, and what it answers to strangers. */
void try_leased(struct proof *p);

#endif
