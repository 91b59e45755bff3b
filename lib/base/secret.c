/* SPDX-License-Identifier: ISC */
#include "lib/base/secret.h"

#include "lib/base/hex.h"

#include <bsd/stdlib.h>
#include <sha2.h>
#include <string.h>

void secret_make(char out[static SECRET_TEXT_BYTES])
{
    uint8_t bytes[SECRET_HASH_BYTES];
    arc4random_buf(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), out);
    explicit_bzero(bytes, sizeof(bytes));
}

void secret_hash(const char *text, uint8_t out[static SECRET_HASH_BYTES])
{
    SHA2_CTX sha;
    SHA256Init(&sha);
    SHA256Update(&sha, (const uint8_t *)text, strlen(text));
    SHA256Final(out, &sha);
}

/* timingsafe_bcmp(3) by hand: Debian 12's libbsd has none. */
bool secret_equal(const uint8_t a[static SECRET_HASH_BYTES],
                  const uint8_t b[static SECRET_HASH_BYTES])
{
    volatile uint8_t difference = 0;
    for (size_t i = 0; i < SECRET_HASH_BYTES; i++)
        difference = (uint8_t)(difference | (a[i] ^ b[i]));
    return difference == 0;
}
