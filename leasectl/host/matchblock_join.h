/* SPDX-License-Identifier: ISC */
/* The Match block of JoinLogin. It admits any key while an invite is open, so nothing must be in
 * reach but one program, for a short time (docs/security.md). */
#ifndef TUNLEASE_LEASECTL_HOST_MATCHBLOCK_JOIN_H
#define TUNLEASE_LEASECTL_HOST_MATCHBLOCK_JOIN_H

struct block_writer;

/* The file for sshd's Banner: it says what joining needs. */
#define MATCHBLOCK_JOIN_BANNER TUNLEASE_SYSCONFDIR "/tunlease/join-banner"

/* The only variable that a client may set. Nothing reads it: a list cannot be empty. */
#define MATCHBLOCK_JOIN_ENV "TUNLEASE_NONE"

/* Adds all settings. */
void block_emit_join(const struct block_writer *w);

#endif
