/* SPDX-License-Identifier: ISC */
/*
 * The account of JoinLogin: checks it, makes it and removes it. Any key may log in to it while an
 * invite is open, so setup makes one of its own and never takes over another
 * (lib/conf/join_login.h).
 */
#ifndef TUNLEASE_LEASECTL_HOST_JOIN_ACCOUNT_H
#define TUNLEASE_LEASECTL_HOST_JOIN_ACCOUNT_H

#include "leasectl/host/account.h"

#include <stdbool.h>

struct conf;

/* False: the name, or the group, is somebody else's; why is added to out, and to mend what is to be
 * done, as sentences. conf_file: where JoinLogin stands. */
bool join_account_is_free(const struct conf *conf, const char *conf_file, struct buf *out,
                          struct buf *mend);

/* Calls fn with each thing that is wrong with the account, as account_problems does. What
 * join_account_make mends is ACCOUNT_UNSAFE or ACCOUNT_REFUSED. */
void join_account_problems(const struct conf *conf, account_problem_fn fn, void *ctx);

/* Makes the group and the account, or mends what join_account_problems finds. 0, or -1 with why in
 * out. */
int join_account_make(const struct conf *conf, struct buf *out);

/* Calls fn with each account that setup has made, whatever JoinLogin is now, as account_each. */
int join_account_each(int (*fn)(void *ctx, const char *login), void *ctx);

/* Ends what runs as login, and removes the account and its mask. 0, or -1 with why in out. */
int join_account_remove(const char *login, struct buf *out);

/* Removes the group if it has no member left. 0, or -1 with why in out. */
int join_account_remove_group(struct buf *out);

#endif
