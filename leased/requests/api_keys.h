/* SPDX-License-Identifier: ISC */
/* The enrolment keys of the configuration. */
#ifndef TUNLEASE_LEASED_REQUESTS_API_KEYS_H
#define TUNLEASE_LEASED_REQUESTS_API_KEYS_H

#include "lib/base/secret.h"
#include "lib/conf/conf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { API_KEYS_MAX = 64, API_KEY_SHORT = 20 };

/* Only hashes, so that neither a core file nor a stray read shows a key. */
struct api_keys {
    uint8_t hashes[API_KEYS_MAX][SECRET_HASH_BYTES];
    size_t count;
};

/*
 * Reads API_KEY, API_KEYS and ApiKeyFile. Returns 0; or -1 with a line in err: a file that cannot
 * be read or that others can read, too many keys, the key `change-me`. Short keys are added to
 * warnings.
 */
int api_keys_load(const struct conf *conf, struct api_keys *ret, char err[static CONF_ERROR_BYTES],
                  struct buf *warnings);
bool api_keys_have(const struct api_keys *keys, const uint8_t hash[static SECRET_HASH_BYTES]);

#endif
