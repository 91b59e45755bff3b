/* SPDX-License-Identifier: ISC */
#include "leasectl/prove/claims.h"

#include <string.h>

#include "security_claims.h"

const struct claim *const claims = table;
const size_t claim_count = sizeof(table) / sizeof(table[0]);

bool claim_has_trial(const struct claim *c, const char *id)
{
    const size_t len = strlen(id);
    for (const char *at = c->trials; at != NULL && *at != '\0';) {
        const size_t word = strcspn(at, " ");
        if (word == len && strncmp(at, id, len) == 0)
            return true;
        at += word + strspn(at + word, " ");
    }
    return false;
}
