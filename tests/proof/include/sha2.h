/* SPDX-License-Identifier: ISC */
/* SHA-256 of libmd, as sha2(3) describes it: what it reads and writes, and nothing of what it
 * computes. */
#ifndef TUNLEASE_PROOF_SHA2_H
#define TUNLEASE_PROOF_SHA2_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_DIGEST_LENGTH 32

typedef struct SHA2Context {
    uint64_t count;
} SHA2_CTX;

/*@ requires \valid(context);
    assigns *context \from \nothing;
    ensures \initialized(&context->count); */
void SHA256Init(SHA2_CTX *context);

/*@ requires \valid(context) && \initialized(&context->count);
    requires len > 0 ==> \valid_read(data + (0 .. len - 1));
    requires len > 0 ==> \initialized(data + (0 .. len - 1));
    assigns *context \from *context, data[0 .. len - 1];
    ensures \initialized(&context->count); */
void SHA256Update(SHA2_CTX *context, const uint8_t *data, size_t len);

/*@ requires \valid(context) && \initialized(&context->count);
    requires \valid(digest + (0 .. SHA256_DIGEST_LENGTH - 1));
    assigns digest[0 .. SHA256_DIGEST_LENGTH - 1] \from *context;
    ensures \initialized(digest + (0 .. SHA256_DIGEST_LENGTH - 1)); */
void SHA256Final(uint8_t digest[SHA256_DIGEST_LENGTH], SHA2_CTX *context);

#endif
