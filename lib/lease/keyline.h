/* SPDX-License-Identifier: ISC */
/*
 * One lease and one key -> one authorized_keys line (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
 *
 * The line alone must be safe on an sshd with no Match block at all (docs/design.md 2.1):
 *  - MUST name both directions: each is open unless its own option is there (docs/sshd-facts.md 6);
 *  - MUST start with `restrict`, then `port-forwarding`: the other way round forwards nothing;
 *  - MUST carry command=, or internal-sftp is reachable (docs/sshd-facts.md 8);
 *  - MUST be one line for one key, whatever its permits: sshd takes the first that matches
 *    (docs/sshd-facts.md 5);
 *  - MUST NOT hold a byte that was not checked: sshd drops a line it cannot read, silently.
 */
#ifndef TUNLEASE_LEASE_KEYLINE_H
#define TUNLEASE_LEASE_KEYLINE_H

struct buf;
struct lease;
struct pubkey;

/* What answers a login that is not a tunnel: the words that nologin(8) prints. */
#define KEYLINE_COMMAND "/usr/sbin/nologin"

/* Appends the line with its newline. Whether the lease is active is the caller's question. */
void keyline_format(const struct lease *l, const struct pubkey *key, struct buf *out);

/* For an sshd before 9.1, which refuses the whole line for the Z of UTC: the end is in the local
 * time zone, which must be sshd's. */
void keyline_format_local(const struct lease *l, const struct pubkey *key, struct buf *out);

#endif
