/* SPDX-License-Identifier: ISC */
/*
 * The keeper of `exec`: the process that has the tunnel, and the key of an invite, while a command
 * runs (lib/base/keeper.h).
 */
#ifndef TUNLEASE_AGENT_EXEC_TUNNEL_KEEPER_H
#define TUNLEASE_AGENT_EXEC_TUNNEL_KEEPER_H

#include "lib/lease/invite_code.h"
#include "tunnel-agent/config/options.h"
#include "tunnel-agent/config/settings.h"
#include "tunnel-agent/host/statedir.h"

#include <stdbool.h>
#include <sys/types.h>

/* All set before the keeper is started. */
struct tunnel_keeper {
    struct options *options; /* its leg: local ports are filled in */
    const struct settings *settings;
    const struct statedir *state;
    bool has_invite;
    char code[INVITE_CODE_BYTES]; /* of the invite */
    pid_t program;                /* whose keeper it is */
};

/*
 * The keeper's function; arg is a struct tunnel_keeper. Until the tunnel answers it dies with the
 * program. Then it sends TUNNEL_KEEPER_UP through the tie, and keeps the tunnel up until the
 * command has ended. It ends before that when the tunnel cannot be had, or cannot be had again,
 * and logs why.
 */
enum { TUNNEL_KEEPER_UP = 1 };
int tunnel_keep(void *arg, int tie);

#endif
