/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/agent_id.h"

#include "lib/lease/name.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 9562 section 5.4. */
static void random_uuid(char out[static 37])
{
    uint8_t b[16];
    arc4random_buf(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    (void)snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                   b[13], b[14], b[15]);
}

char *agent_id_get(const struct statedir *state, const char *wanted, char why[static WHY_BYTES])
{
    char made[37], *kept = statedir_read(state, "agent_id");
    const char *problem = kept != NULL ? lease_name_problem(kept) : NULL;
    if (problem != NULL) {
        (void)snprintf(why, WHY_BYTES, "'%.400s/agent_id' holds no name: the name %s", state->path,
                       problem);
        free(kept);
        return NULL;
    }
    if (kept != NULL && (wanted == NULL || strcmp(kept, wanted) == 0))
        return kept;
    free(kept);
    random_uuid(made);
    if (statedir_write(state, "agent_id", wanted != NULL ? wanted : made) != 0) {
        (void)snprintf(why, WHY_BYTES, "cannot write '%.400s/agent_id': %s", state->path,
                       strerror(errno));
        return NULL;
    }
    return strdup(wanted != NULL ? wanted : made);
}
