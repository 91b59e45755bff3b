/* SPDX-License-Identifier: ISC */
/* The hosts behind agents, as somebody reaches them through this gateway: those that a lease opens
 * (--open agent:NAME). */
#ifndef TUNLEASE_LEASECTL_SHOW_OPENED_AGENTS_H
#define TUNLEASE_LEASECTL_SHOW_OPENED_AGENTS_H

#include "leasectl/ctl.h"
#include "lib/lease/lease.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct opened_agent {
    int64_t id;
    char name[LEASE_NAME_BYTES];
    struct permit permit;        /* where its port is reached from the gateway */
    char user[LOGIN_NAME_BYTES]; /* the user that it named for logins there; "": none */
    bool is_sshd;                /* what it leads to is an sshd, as far as is known */
};

struct opened_agents {
    struct opened_agent items[LEASE_OPEN_AGENTS_MAX];
    size_t count;
};

/*
 * Looks up the agents of l in the store, if it is open. Only for what is printed: an agent that has
 * no port, or that cannot be looked up, is left out, and its port is shown as any other.
 */
void opened_agents_find(struct ctl *ctl, const struct lease *l, struct opened_agents *ret);

/* The same for one agent, whose lease is l. False: it has no port. */
bool opened_agents_find_self(struct ctl *ctl, const struct lease *l, struct opened_agents *ret);

/* Adds the host keys that the agent has registered, one TYPE BASE64 a line. */
void opened_agents_host_keys(struct ctl *ctl, const struct opened_agent *a, struct buf *out);

/* The one that p leads to, if that is an sshd; else NULL. */
const struct opened_agent *opened_agents_sshd_at(const struct opened_agents *agents,
                                                 const struct permit *p);

#endif
