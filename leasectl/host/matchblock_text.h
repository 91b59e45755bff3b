/* SPDX-License-Identifier: ISC */
/* The marks in a drop-in's text by which it is recognised: matchblock.c writes and
 * matchblock_read.c reads them. */
#ifndef TUNLEASE_LEASECTL_HOST_MATCHBLOCK_TEXT_H
#define TUNLEASE_LEASECTL_HOST_MATCHBLOCK_TEXT_H

#define MATCHBLOCK_VERSION_LABEL "# Tunnel logins: made by 'leasectl setup' for OpenSSH "
#define MATCHBLOCK_HASH_LABEL "# sha256 of what follows: "

/* Begins a comment that names the time zone which akc is told: doctor compares it with sshd's. */
#define MATCHBLOCK_ZONE_LABEL "# Times are local, since sshd reads no UTC: "

#define MATCHBLOCK_EXPIRY_OPTION " --expiry-local"

enum { MATCHBLOCK_HASH_CHARS = 64 };

/* The SHA-256 of text in lower-case hexadecimal digits. */
void matchblock_hash(const char *text, char out[static MATCHBLOCK_HASH_CHARS + 1]);

#endif
