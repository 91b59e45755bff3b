/* SPDX-License-Identifier: ISC */
/* Unix accounts and groups of tunnel logins: what is, and making what should be. */
#ifndef TUNLEASE_LEASECTL_HOST_ACCOUNT_H
#define TUNLEASE_LEASECTL_HOST_ACCOUNT_H

#include "lib/base/buf.h"

#include <stdbool.h>
#include <sys/types.h>

#define NOLOGIN_SHELL "/usr/sbin/nologin"

/* Whether login is a member of group, as its primary group or by name. "No such" is no. */
bool account_in_group(const char *login, const char *group);

/* NULL when leases may be given on login; else why not, as a clause: it is root, it does not
 * exist, it is outside the tunnel group. */
const char *account_lease_problem(const char *login, const char *tunnel_group);

/* Calls fn with each login of the group: primary members and members by name, each once, sorted. */
int account_each(const char *group, int (*fn)(void *ctx, const char *login), void *ctx);

/* EXIT_CONFLICT, printed, when the tunnel group has a member who is no tunnel login: to adopt it
 * would put the Match blocks upon a person. */
struct ctl;
int account_check_members(struct ctl *ctl);

/*
 * What keeps login from being a safe tunnel login, one finding a line in out; none: out is empty.
 * Needs root to read shadow; without it says so as a finding.
 */
void account_check(const char *login, const char *tunnel_group, struct buf *out);

/* The first authorized_keys file of login that holds a line, into path; false when there is none.
 */
bool account_has_authorized_keys(const char *login, char *path, size_t path_bytes);

/*
 * Makes the login, or brings an existing one to what account_check wants. 0, or -1 with why in
 * out. The group must exist.
 */
int account_make_login(const char *login, const char *tunnel_group, struct buf *out);
int account_make_group(const char *group, struct buf *out);
int account_make_service_user(const char *user, const char *group, struct buf *out);

/* False: there is no such account. */
bool account_uid(const char *login, uid_t *ret);

#endif
