/* SPDX-License-Identifier: ISC */
/* What the gateway granted when this agent registered, and what the state directory keeps of it. */
#ifndef TUNLEASE_AGENT_GATEWAY_REGISTRATION_H
#define TUNLEASE_AGENT_GATEWAY_REGISTRATION_H

#include "lib/wire/register.h"

#include <stdbool.h>
#include <stdint.h>

struct statedir;

struct registration {
    struct register_answer answer; /* while not exists, at most a port to ask for */
    bool exists;
    bool is_current; /* this process registered, and the gateway has not forgotten it since */
    char expires_at[32];
};

/* Of an earlier run, into a zeroed *r, to be released. host_is_pinned: the host's key need not be
 * among what is kept. */
void registration_read(struct registration *r, const struct statedir *state, const char *agent_id,
                       bool host_is_pinned);

/* Both: 0, or -1 with errno. The first keeps where the first register led, and nothing of later
 * ones: whose host keys count, and which login. */
int registration_save_origin(const struct statedir *state, const struct register_answer *a);
int registration_save_answer(const struct statedir *state, const struct register_answer *a);

bool registration_knows_host(const struct statedir *state);
bool registration_has_first_login(const struct registration *r, const struct statedir *state);

int64_t registration_heartbeat_interval_ms(const struct registration *r);

void registration_release(struct registration *r);

#endif
