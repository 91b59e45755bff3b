/* SPDX-License-Identifier: ISC */
/* Base64 as OpenSSH writes keys (RFC 4648 section 4); each value has exactly one spelling. */
#ifndef TUNLEASE_BASE_BASE64_H
#define TUNLEASE_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

enum {
    FINGERPRINT_BYTES = 51, /* "SHA256:", 43 characters, a NUL */
};

/*
 * Decodes the len characters at text into out and returns the number of bytes. Returns -1 for a
 * character outside the alphabet (blanks too), missing or misplaced padding, bits set that the
 * padding hides, or more than out_bytes. A text that is accepted encodes to itself again.
 */
long base64_decode(const char *text, size_t len, uint8_t *out, size_t out_bytes);

/* The fingerprint of a key blob as ssh-keygen -l prints it: SHA256: and base64 without padding. */
void fingerprint_of_blob(const uint8_t *blob, size_t len, char out[static FINGERPRINT_BYTES]);

#endif
