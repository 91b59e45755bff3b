/* SPDX-License-Identifier: ISC */
/* The keys that ssh would offer for a leg. It runs ssh and blocks: call it inside a job. */
#ifndef TUNLEASE_AGENT_SSH_IDENTITY_H
#define TUNLEASE_AGENT_SSH_IDENTITY_H

struct leg;
struct settings;

/* The leg's first key file that has a passphrase and is not in the ssh agent; for the caller to
 * free. NULL: none. */
char *sshidentity_locked(const struct leg *leg, const struct settings *s);

#endif
