/* SPDX-License-Identifier: ISC */
/*
 * The ssh command lines for the holder of a lease. Each is one line that works in sh, zsh,
 * PowerShell and cmd: what needs quoting stands in double quotes, which all four accept.
 */
#ifndef TUNLEASE_HANDOUT_CONNECT_LINE_H
#define TUNLEASE_HANDOUT_CONNECT_LINE_H

#include "lib/handout/opened_agents.h"
#include "lib/lease/lease.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct conf;

/* One -L: a port of a permit, and the port at the holder's end, which no other forward has. */
struct forward {
    const struct permit *permit; /* of the lease */
    uint16_t port, local_port;
};

struct forwards {
    struct forward *items; /* owned */
    size_t count;
};

/* What l opens with -L: all of it, except for the ports of agents that are jumped to. 0, or -1: out
 * of memory. */
int forwards_find(const struct lease *l, const struct opened_agents *agents, struct forwards *ret);
void forwards_release(struct forwards *f);

/*
 * True if a key of l was made with the command that leasectl told the holder: then it is in the
 * file of CONNECT_KEY_FILE_FORMAT. Its comment shows it, which that command sets to
 * CONNECT_KEY_COMMENT_FORMAT. Any other key is in a file that only the holder knows.
 */
bool connect_key_is_told(const struct lease *l);
#define CONNECT_KEY_FILE_FORMAT "~/.ssh/%s_key" /* of the lease's name */
#define CONNECT_KEY_COMMENT_FORMAT "%s_key"
enum { CONNECT_KEY_FILE_BYTES = sizeof("~/.ssh/_key") + LEASE_NAME_MAX };

/* The line that holds the forwards of l open. */
void connect_add_tunnel(const struct conf *conf, const struct lease *l, const struct forwards *f,
                        struct buf *out);

/*
 * The line that logs in on the host of an agent, through this gateway. key_file: for both hops, by
 * a ProxyCommand, since ssh -J gives its -i to the last hop alone; NULL: as ssh finds its keys
 * itself, with -J.
 */
void connect_add_jump(const struct conf *conf, const struct lease *l, const struct opened_agent *a,
                      const char *key_file, struct buf *out);

/* The host to name for that login: sshd forwards to localhost wherever 127.0.0.1 is permitted. */
const char *connect_jump_host(const struct opened_agent *a);

/* The one line that stands for l in JSON: the tunnel; where l opens only agents, the jump to the
 * first of them. */
void connect_add_line(const struct conf *conf, const struct lease *l,
                      const struct opened_agents *agents, struct buf *out);

#endif
