/* SPDX-License-Identifier: ISC */
/* The hosts behind agents, as somebody reaches them through this gateway: those that a lease opens
 * (--open agent:NAME). */
#ifndef TUNLEASE_HANDOUT_OPENED_AGENTS_H
#define TUNLEASE_HANDOUT_OPENED_AGENTS_H

#include "lib/lease/lease.h"
#include "lib/store/store.h"

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
    enum store_rc rc; /* STORE_OK; else why one of them, or its facts, could not be looked up */
};

/*
 * Looks up the agents of l in st; NULL, no store is open: none is found. An agent that has no port
 * is left out, and so is one that cannot be looked up (ret->rc): a line that is printed shows its
 * port as any other.
 */
void opened_agents_find(struct store *st, const struct lease *l, struct opened_agents *ret);

/* The same for one agent, whose lease is l. False: it has no port. */
bool opened_agents_find_self(struct store *st, const struct lease *l, struct opened_agents *ret);

/* Adds the host keys that the agent has registered, one TYPE BASE64 a line. STORE_OK; else whether
 * it has any is not known. */
enum store_rc opened_agents_host_keys(struct store *st, const struct opened_agent *a,
                                      struct buf *out);

/* The one that p leads to, if that is an sshd; else NULL. */
const struct opened_agent *opened_agents_sshd_at(const struct opened_agents *agents,
                                                 const struct permit *p);

#endif
