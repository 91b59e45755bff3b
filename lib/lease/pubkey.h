/* SPDX-License-Identifier: ISC */
/*
 * OpenSSH public keys, as a person sends them and as sshd passes them to its AuthorizedKeysCommand.
 * Pure; the only cryptography is the SHA-256 of the blob.
 *
 * The blob is parsed (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4,
 * PROTOCOL.u2f; for mldsa44-ed25519, of OpenSSH 10.4 on, the draft by Miller): it must name the
 * type that the key line names, and its fields must fill it exactly. So no key gets into the store
 * that another program could read as a different one.
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
    char base64[PUBKEY_BASE64_BYTES];    /* canonical: decoding and encoding gives it again */
    char fingerprint[FINGERPRINT_BYTES]; /* as ssh-keygen -l prints it */
    char comment[PUBKEY_COMMENT_BYTES];  /* may be empty; no control characters */
};

/*
 * Parses the len bytes of a .pub file: exactly one line `TYPE BASE64 [COMMENT]`; blank lines, `#`
 * lines and a UTF-8 byte order mark are skipped. text need not end with a NUL. Returns NULL and
 * *ret; or why not, as a sentence for the person who sent the key: what it is instead, where that
 * is known, and the command that converts it.
 */
const char *pubkey_parse_file(const char *text, size_t len, struct pubkey *ret);

/* The type of key that the len bytes of text end with, such as ssh-ed25519; NULL: none. */
const char *pubkey_type_at_end(const char *text, size_t len);

/* Parses sshd's %t and %k. The comment is empty. NULL and *ret, or why not, as above. */
const char *pubkey_parse(const char *type, const char *base64, struct pubkey *ret);

#endif
