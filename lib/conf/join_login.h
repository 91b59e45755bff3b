/* SPDX-License-Identifier: ISC */
/*
 * Which account may be JoinLogin: the one that `leasectl setup --join` makes, and no other. Any key
 * may log in to it while an invite is open, so it must have nothing but the program that joins.
 *
 * Read from /etc/passwd and /etc/group themselves: akc is linked statically and cannot ask other
 * sources, and an account of a directory was not made by setup.
 */
#ifndef TUNLEASE_CONF_JOIN_LOGIN_H
#define TUNLEASE_CONF_JOIN_LOGIN_H

#include "lib/conf/paths.h"

#define JOIN_GROUP "_tunnel-join"
/* Its shell, and its forced command. */
#define JOIN_PROGRAM TUNLEASE_LIBEXECDIR "/tunlease/join"

/* NULL: login may be JoinLogin. Else why not, or why that cannot be told, as the end of a sentence
 * that begins with the login. */
const char *join_login_problem(const struct conf_logins *logins, const char *login);

/* The same with other files in place of /etc/passwd and /etc/group, for the tests. */
const char *join_login_problem_in(const char *passwd_file, const char *group_file,
                                  const struct conf_logins *logins, const char *login);

#endif
