/* SPDX-License-Identifier: ISC */
#include "tunnel-agent/join/member.h"

#include "lib/wire/register.h"
#include "tunnel-agent/gateway/registration.h"
#include "tunnel-agent/join/join_key.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* True if the directory belongs to another agent, which is or was registered. */
static bool is_anothers(const struct statedir *state, const char *agent_id,
                        char why[static WHY_BYTES])
{
    char *kept = statedir_read(state, "agent_id");
    bool is = kept != NULL && strcmp(kept, agent_id) != 0 &&
              (statedir_has(state, "agent_secret") || statedir_has(state, "session.json"));
    if (is)
        (void)snprintf(
            why, WHY_BYTES,
            "the state directory '%.250s' is of another agent, '%.64s'. To be both, copy "
            "the key that joined to agent.pem (mode 0600) in a second directory, and run "
            "the same line with STATE_DIR=DIRECTORY, without -i, within ten minutes of "
            "the first answer",
            state->path, kept);
    free(kept);
    return is;
}

int member_save(const struct statedir *state, const struct join_key *key,
                const struct register_answer *a, bool host_is_pinned, char why[static WHY_BYTES])
{
    if (is_anothers(state, a->agent_id, why))
        return -1;
    if (a->host_key_count == 0 && !host_is_pinned) {
        (void)snprintf(why, WHY_BYTES,
                       "the gateway does not tell its host keys: run the same line within ten "
                       "minutes with --host-key SHA256:...");
        return -1;
    }
    if (a->agent_secret[0] == '\0') {
        (void)snprintf(
            why, WHY_BYTES,
            "the gateway's answer has no agent_secret, without which an agent is nobody");
        return -1;
    }
    if (join_key_adopt(key, state, a->agent_id, why) != 0)
        return -1;
    /* The secret comes last: with it, an agent that starts is a member. */
    if (statedir_write(state, "agent_id", a->agent_id) == 0 &&
        registration_replace_origin(state, a) == 0 && registration_save_answer(state, a) == 0 &&
        statedir_write(state, "agent_secret", a->agent_secret) == 0)
        return 0;
    (void)snprintf(
        why, WHY_BYTES,
        "cannot save the gateway's answer in '%.200s': %s. Run the same line again within "
        "ten minutes",
        state->path, strerror(errno));
    return -1;
}
