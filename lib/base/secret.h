/* SPDX-License-Identifier: ISC */
/* Credentials that a program makes: enrolment tokens, agents' secrets. Only their hash is kept. */
#ifndef TUNLEASE_BASE_SECRET_H
#define TUNLEASE_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SECRET_TEXT_BYTES = 65, /* 256 random bits in hex, and the NUL */
    SECRET_HASH_BYTES = 32, /* SHA-256: no slow hash is needed for what nobody could guess */
};

void secret_make(char out[static SECRET_TEXT_BYTES]);
void secret_hash(const char *text, uint8_t out[static SECRET_HASH_BYTES]);

/* In a time that says nothing about where they differ. */
bool secret_equal(const uint8_t a[static SECRET_HASH_BYTES],
                  const uint8_t b[static SECRET_HASH_BYTES]);

#endif
