/* SPDX-License-Identifier: ISC */
#include "lib/base/base64.h"

#include <sha2.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

long base64_decode(const char *text, size_t len, uint8_t *out, size_t out_bytes)
{
    size_t padding = 0, used = 0;
    uint32_t bits = 0;

    if (len % 4 != 0)
        return -1;
    while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
        padding++;
    size_t digits = len - padding;
    for (size_t i = 0; i < digits; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 0)
            continue;
        /* The second, third and fourth digit each complete a byte. */
        if (used == out_bytes)
            return -1;
        out[used++] = (uint8_t)(bits >> (6 - 2 * (i % 4)) & 0xff);
    }
    /* One padding character hides two bits of the last digit, two hide four. */
    if (padding > 0 && (bits & ((1U << 2 * padding) - 1)) != 0)
        return -1;
    return (long)used;
}

void fingerprint_of_blob(const uint8_t *blob, size_t len, char out[static FINGERPRINT_BYTES])
{
    static const char prefix[] = "SHA256:";
    SHA2_CTX sha;
    uint8_t digest[SHA256_DIGEST_LENGTH + 1] = {0}; /* 33 bytes: eleven groups of three */

    SHA256Init(&sha);
    SHA256Update(&sha, blob, len);
    SHA256Final(digest, &sha);
    memcpy(out, prefix, sizeof(prefix) - 1);
    char *at = out + sizeof(prefix) - 1;
    for (size_t i = 0; i < sizeof(digest); i += 3) {
        uint32_t group =
            (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | (uint32_t)digest[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *at++ = alphabet[group >> shift & 63];
    }
    out[FINGERPRINT_BYTES - 1] = '\0'; /* replaces the last digit, which is padding */
}
