/* SPDX-License-Identifier: ISC */
/*
 * OpenSSH public keys as a person hands them over, and as sshd names them to its
 * AuthorizedKeysCommand. Pure; no cryptography beyond SHA-256 of the blob.
 *
 * The blob is looked into (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4,
 * PROTOCOL.u2f; for mldsa44-ed25519, of OpenSSH 10.4 on, the draft by Miller): the type it names
 * must be the type beside it, and its fields must fill it exactly. A key that another program could
 * read as something else never enters the store.
 */
#ifndef TUNLEASE_LEASE_PUBKEY_H
#define TUNLEASE_LEASE_PUBKEY_H

#include "lib/base/base64.h"
#include "lib/lease/name.h"

#include <stddef.h>

enum {
    PUBKEY_TYPE_BYTES = 48,
    PUBKEY_BLOB_BYTES = 2304, /* RSA of 16384 bits, sshd's largest */
    PUBKEY_BASE64_BYTES = (PUBKEY_BLOB_BYTES / 3) * 4 + 5,
    PUBKEY_COMMENT_BYTES = LEASE_NOTE_MAX + 1,
    PUBKEY_RSA_MIN_BITS = 2048,
    PUBKEY_RSA_MAX_BITS = 16384, /* sshkey.h, SSHBUF_MAX_BIGNUM */
};

struct pubkey {
    char type[PUBKEY_TYPE_BYTES];        /* ssh-ed25519, ecdsa-sha2-nistp256, ... */
    char base64[PUBKEY_BASE64_BYTES];    /* canonical: what it decodes to encodes to this again */
    char fingerprint[FINGERPRINT_BYTES]; /* as ssh-keygen -l prints it */
    char comment[PUBKEY_COMMENT_BYTES];  /* may be empty; no control characters */
};

/*
 * Exactly one key line, as in a .pub file: `TYPE BASE64 [COMMENT]`, a line end allowed, blank and
 * `#` lines around it passed over. text need not be NUL-terminated. On success NULL and *ret; else
 * why not, as one sentence for the person who handed it over.
 */
const char *pubkey_parse_file(const char *text, size_t len, struct pubkey *ret);

/* From sshd's %t and %k. The comment is left empty. NULL, or why not. */
const char *pubkey_parse(const char *type, const char *base64, struct pubkey *ret);

#endif
