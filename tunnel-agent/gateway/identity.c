/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/gateway/identity.h"

#include "tunnel-agent/gateway/agent_id.h"
#include "tunnel-agent/ssh/key.h"

#include <bsd/string.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The user of a service, such as _tunnel-agent, is nobody whom a person can log in as. */
static bool has_shell(const struct passwd *pw)
{
    const char *slash = strrchr(pw->pw_shell, '/');
    const char *base = slash != NULL ? slash + 1 : pw->pw_shell;
    return strcmp(base, "nologin") != 0 && strcmp(base, "false") != 0;
}

int identity_read(struct identity *i, const struct statedir *state, const char *wanted_id,
                  char why[static WHY_BYTES])
{
    if ((i->agent_id = agent_id_get(state, wanted_id, why)) == NULL ||
        (i->public_key = key_public(state, i->agent_id, why)) == NULL)
        return -1;
    (void)gethostname(i->hostname, sizeof(i->hostname) - 1);
    const struct passwd *me = getpwuid(getuid());
    if (me != NULL && has_shell(me))
        (void)strlcpy(i->user, me->pw_name, sizeof(i->user));
    return 0;
}

void identity_reread(struct identity *i, const struct statedir *state)
{
    char why[WHY_BYTES], *line = key_public(state, i->agent_id, why);
    if (line == NULL)
        return;
    free(i->public_key);
    i->public_key = line;
}

void identity_release(struct identity *i)
{
    free(i->agent_id);
    free(i->public_key);
}
