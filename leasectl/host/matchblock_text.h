/* SPDX-License-Identifier: ISC */
/* What is always the same in a drop-in's text: matchblock.c and its parts write it, and
 * matchblock_read.c recognises a drop-in by it. */
#ifndef TUNLEASE_LEASECTL_HOST_MATCHBLOCK_TEXT_H
#define TUNLEASE_LEASECTL_HOST_MATCHBLOCK_TEXT_H

/* The AuthorizedKeysCommand of the blocks, without its arguments. */
#define MATCHBLOCK_AKC TUNLEASE_LIBEXECDIR "/tunlease/akc"

#define MATCHBLOCK_VERSION_LABEL "# Tunnel logins: made by 'leasectl setup' for OpenSSH "
#define MATCHBLOCK_HASH_LABEL "# sha256 of what follows: "

/* Begins a comment that names the time zone which akc is told: doctor compares it with sshd's. */
#define MATCHBLOCK_ZONE_LABEL "# Times are local, since sshd reads no UTC: "

#define MATCHBLOCK_EXPIRY_OPTION " --expiry-local"

enum { MATCHBLOCK_HASH_CHARS = 64 };

/* The SHA-256 of text in lower-case hexadecimal digits. */
void matchblock_hash(const char *text, char out[static MATCHBLOCK_HASH_CHARS + 1]);

#endif
