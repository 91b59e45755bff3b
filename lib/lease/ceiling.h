/* SPDX-License-Identifier: ISC */
/* The permits that the configuration allows at most (docs/design.md 12, tunlease.conf(5)). No lease
 * can exceed them. Pure. */
#ifndef TUNLEASE_LEASE_CEILING_H
#define TUNLEASE_LEASE_CEILING_H

#include "lib/lease/name.h"
#include "lib/lease/permit.h"

struct ceiling_rule {
    char login[LOGIN_NAME_BYTES]; /* "": all logins without a rule of their own */
    struct permit permit;
};

struct ceiling_rules {
    struct ceiling_rule *items; /* owned */
    size_t count;
};

struct ceiling {
    struct ceiling_rules open;
    struct ceiling_rules listen;
    char forward_login[LOGIN_NAME_BYTES]; /* it may not listen */
    char agent_login[LOGIN_NAME_BYTES];   /* it may open only the control port */
    struct permit control; /* where agents reach leased; low 0: leased has no TCP port */
    struct permit page;    /* where leased serves its page and metrics; low 0: on no TCP port */
    char own_name[PERMIT_HOST_BYTES]; /* a name of this host; "": none is known */
};

/* Adds a rule for login, or for all (""). 0, or -1: out of memory. */
int ceiling_rules_add(struct ceiling_rules *rules, const char *login, const struct permit *p);
void ceiling_rules_release(struct ceiling_rules *rules);

/*
 * True if the rule at index i applies to login: it names the login; or it names none, and neither
 * does any other rule name this login.
 */
bool ceiling_rule_applies(const struct ceiling_rules *rules, size_t i, const char *login);

/*
 * Whether p reaches the port of the page by an address or a name of this host: loopback, the
 * address that it listens on, or own_name. No lease may, whatever a rule allows.
 */
bool ceiling_reaches_page(const struct ceiling *c, const struct permit *p);

/*
 * The first rule whose words in sshd's Match block open the page: sshd has no port ranges, so any
 * rule for more than one port opens all ports of its host (docs/design.md 2.2). NULL: there is
 * none.
 */
const struct ceiling_rule *ceiling_page_rule(const struct ceiling *c);

/*
 * NULL if p is within the ceiling. Otherwise the reason, with the keyword to change, as a clause
 * ("AllowOpen does not cover it"). The text is static.
 */
const char *ceiling_open_problem(const struct ceiling *c, const char *login,
                                 const struct permit *p);
const char *ceiling_listen_problem(const struct ceiling *c, const char *login,
                                   const struct permit *p);

/* True for a problem that one more rule of AllowOpen or AllowListen removes; false: it is built in.
 * problem: as one of both returned it. */
bool ceiling_rule_would_help(const char *problem);

#endif
