/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/identity.h"

#include "tunnel-agent/gateway/agent_id.h"
#include "tunnel-agent/ssh/key.h"

#include <bsd/string.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

int identity_read(struct identity *i, const struct statedir *state, const char *wanted_id,
                  char why[static WHY_BYTES])
{
    if ((i->agent_id = agent_id_get(state, wanted_id, why)) == NULL ||
        (i->public_key = key_public(state, i->agent_id, why)) == NULL)
        return -1;
    (void)gethostname(i->hostname, sizeof(i->hostname) - 1);
    const struct passwd *me = getpwuid(getuid());
    if (me != NULL)
        (void)strlcpy(i->user, me->pw_name, sizeof(i->user));
    return 0;
}

void identity_release(struct identity *i)
{
    free(i->agent_id);
    free(i->public_key);
}
