/* SPDX-License-Identifier: ISC */
/* What the gateway granted when this agent registered, and what is saved of it. */
#ifndef TUNLEASE_AGENT_GATEWAY_REGISTRATION_H
#define TUNLEASE_AGENT_GATEWAY_REGISTRATION_H

#include "lib/wire/register.h"

#include <stdbool.h>
#include <stdint.h>

struct statedir;

struct registration {
    struct register_answer answer; /* if exists is false: nothing, or only the port_b to ask for */
    bool exists;
    bool is_current; /* this process registered, and the gateway still knows it */
    char expires_at[32];
};

/* Reads the registration of an earlier run into a zeroed *r, to be released. It exists only if the
 * gateway's host key is saved, too, or host_is_pinned by --host-key. */
void registration_read(struct registration *r, const struct statedir *state, const char *agent_id,
                       bool host_is_pinned);

/* Save an answer. 0, or -1 with errno. The first saves the host keys and the login of the first
 * register, and never replaces them: later answers may be anybody's. */
int registration_save_origin(const struct statedir *state, const struct register_answer *a);
int registration_save_answer(const struct statedir *state, const struct register_answer *a);

/* Saves the host keys and the login in place of those that are there: of an answer that sshd itself
 * has brought, from a host whose key a person has confirmed. 0, or -1 with errno. */
int registration_replace_origin(const struct statedir *state, const struct register_answer *a);

/* True if host keys of the gateway are saved. */
bool registration_knows_host(const struct statedir *state);
/* True if r has the login of the first register. */
bool registration_has_first_login(const struct registration *r, const struct statedir *state);

int64_t registration_heartbeat_interval_ms(const struct registration *r);

void registration_release(struct registration *r);

#endif
