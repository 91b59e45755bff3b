/* SPDX-License-Identifier: ISC */
/* The keys that ssh would offer for a leg. Runs ssh, and waits: for a job. */
#ifndef TUNLEASE_AGENT_SSH_IDENTITY_H
#define TUNLEASE_AGENT_SSH_IDENTITY_H

struct leg;
struct settings;

/* The first key file of leg's that is locked by a passphrase and not in the ssh agent, to be
 * freed; NULL: none. */
char *sshidentity_locked(const struct leg *leg, const struct settings *s);

#endif
