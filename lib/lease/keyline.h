/* SPDX-License-Identifier: ISC */
/*
 * Makes the authorized_keys line of a lease and one of its keys (sshd(8), AUTHORIZED_KEYS FILE
 * FORMAT).
 *
 * The line alone must be safe, on an sshd without any Match block (docs/design.md 2.1):
 *  - MUST limit both directions: one without its option is unlimited (docs/sshd-facts.md 6);
 *  - MUST start with `restrict`, then `port-forwarding`: in the other order nothing is forwarded;
 *  - MUST have command=, or internal-sftp can be used (docs/sshd-facts.md 8);
 *  - MUST be one line for one key, whatever its permits: sshd takes the first that matches
 *    (docs/sshd-facts.md 5);
 *  - MUST NOT have a byte that was not checked: sshd silently drops a line that it cannot read.
 */
#ifndef TUNLEASE_LEASE_KEYLINE_H
#define TUNLEASE_LEASE_KEYLINE_H

struct buf;
struct lease;
struct pubkey;

/* What sshd runs for a login that asks for more than a tunnel: it prints a refusal. */
#define KEYLINE_COMMAND "/usr/sbin/nologin"

/* Appends the line and its newline. The caller must have checked that the lease is active. */
void keyline_format(const struct lease *l, const struct pubkey *key, struct buf *out);

/* The same for an sshd before 9.1, which refuses a line with the Z of UTC: the end is in the local
 * time zone, which must be sshd's, too. */
void keyline_format_local(const struct lease *l, const struct pubkey *key, struct buf *out);

#endif
