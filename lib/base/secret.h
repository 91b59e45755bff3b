/* SPDX-License-Identifier: ISC */
/* Credentials that a program makes: enrolment tokens, agents' secrets. Only hashes are stored. */
#ifndef TUNLEASE_BASE_SECRET_H
#define TUNLEASE_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SECRET_TEXT_BYTES = 65, /* 256 random bits in hex, and the NUL */
    SECRET_HASH_BYTES = 32, /* SHA-256; a slow hash would protect only what can be guessed */
};

void secret_make(char out[static SECRET_TEXT_BYTES]);
void secret_hash(const char *text, uint8_t out[static SECRET_HASH_BYTES]);

/* Compares in constant time. */
bool secret_equal(const uint8_t a[static SECRET_HASH_BYTES],
                  const uint8_t b[static SECRET_HASH_BYTES]);

#endif
