/* SPDX-License-Identifier: ISC */
/* The permits that configuration allows at most (docs/design.md 12, tunlease.conf(5)); no lease can
 * exceed it. Pure. */
#ifndef TUNLEASE_LEASE_CEILING_H
#define TUNLEASE_LEASE_CEILING_H

#include "lib/lease/name.h"
#include "lib/lease/permit.h"

struct ceiling_rule {
    char login[LOGIN_NAME_BYTES]; /* "": for every login that has no rule of its own */
    struct permit permit;
};

struct ceiling_rules {
    struct ceiling_rule *items; /* owned */
    size_t count;
};

struct ceiling {
    struct ceiling_rules open;
    struct ceiling_rules listen;
    char forward_login[LOGIN_NAME_BYTES]; /* on it nothing may listen */
    char agent_login[LOGIN_NAME_BYTES];   /* on it only the control port may be opened */
    struct permit control;                /* where agents reach leased; low 0: over no TCP port */
};

/* A rule without a login, or for one. 0, or -1 when memory ran out. */
int ceiling_rules_add(struct ceiling_rules *rules, const char *login, const struct permit *p);
void ceiling_rules_release(struct ceiling_rules *rules);

/*
 * Which rules hold for login: the indexes i, from 0 up, for which this is true. Rules that name
 * the login hold for it alone; where there are none, those without a login do.
 */
bool ceiling_rule_applies(const struct ceiling_rules *rules, size_t i, const char *login);

/*
 * NULL when p is within the ceiling, else the reason with the keyword to change, as a clause
 * ("AllowOpen does not cover it"). Static text.
 */
const char *ceiling_open_problem(const struct ceiling *c, const char *login,
                                 const struct permit *p);
const char *ceiling_listen_problem(const struct ceiling *c, const char *login,
                                   const struct permit *p);

#endif
