/* SPDX-License-Identifier: ISC */
/* A public key for tests that store keys and never sign with one. */
#ifndef TUNLEASE_TESTS_MADE_KEY_H
#define TUNLEASE_TESTS_MADE_KEY_H

#include "lib/lease/pubkey.h"

#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <string.h>

/* The ed25519 key whose bytes are all n. False: pubkey_parse refuses it. */
static inline bool made_key(unsigned char n, struct pubkey *ret)
{
    static const char type[] = "ssh-ed25519";
    unsigned char blob[51] = {0, 0, 0, 11};
    char base64[128];
    memcpy(blob + 4, type, 11);
    memcpy(blob + 15, "\0\0\0\x20", 4);
    memset(blob + 19, n, 32);
    return b64_ntop(blob, sizeof(blob), base64, sizeof(base64)) > 0 &&
           pubkey_parse(type, base64, ret) == NULL;
}

#endif
