/* SPDX-License-Identifier: ISC */
/* Unix accounts and groups of tunnel logins: checks them and makes them. */
#ifndef TUNLEASE_LEASECTL_HOST_ACCOUNT_H
#define TUNLEASE_LEASECTL_HOST_ACCOUNT_H

#include "lib/base/buf.h"
#include "lib/session/sight.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define NOLOGIN_SHELL "/usr/sbin/nologin"

/* The home of tunnel logins: it is there, and root's. With one that is not there, sshd tells who
 * asks for a shell "Could not chdir to home directory" before nologin(8) says no. */
#define LOGIN_HOME "/"

/* Of service users, and of the tunnel logins of former versions. */
#define NO_HOME "/nonexistent"

/* True when group is login's primary group or lists login as a member; false when either does not
 * exist. */
bool account_in_group(const char *login, const char *group);

/* Calls fn with each group of login, the primary one and those that list it, until it returns true,
 * which is then returned. fn must look up no group itself. */
struct group;
bool account_any_group(const char *login, bool (*fn)(void *ctx, const struct group *gr), void *ctx);

/* NULL when login may have leases. Else why not, as a clause that follows the login's name: it does
 * not exist, is root, or is not in the tunnel group. */
const char *account_lease_problem(const char *login, const char *tunnel_group);

/* True for ForwardLogin and AgentLogin while they are an account that setup would make a tunnel
 * login, once its keys have leases: nobody's, with nologin, and not in the tunnel group yet. */
struct conf;
bool account_setup_would_adopt(const struct conf *conf, const char *login);

/* Calls fn for each member of the group, primary or listed, once and in sorted order, until fn
 * returns other than 0. Returns what fn returned last; 0 when there is no such group. */
int account_each(const char *group, int (*fn)(void *ctx, const char *login), void *ctx);

/* EXIT_DONE; or EXIT_CONFLICT with the error printed, when a member of the tunnel group is no
 * tunnel login: the Match blocks would then apply to a person. */
struct ctl;
int account_check_members(struct ctl *ctl);

enum account_problem {
    ACCOUNT_UNSAFE,  /* good for more than a leased tunnel */
    ACCOUNT_BY_HAND, /* the same; account_make_login leaves it, since files are somebody's */
    ACCOUNT_REFUSED, /* sshd or PAM refuses it, or will: leasectl/admission judges that more finely
                      */
};

/*
 * Calls fn with each thing that makes login unsafe as a tunnel login, and with what mends it: a
 * command, unless it needs a person. Only root can read shadow(5): for others that is one of them.
 */
typedef void (*account_problem_fn)(void *ctx, enum account_problem problem, const char *what,
                                   const char *mend);
void account_problems(const char *login, const char *tunnel_group, account_problem_fn fn,
                      void *ctx);

/* Those of them that are about its password and its end. */
void account_shadow_problems(const char *login, account_problem_fn fn, void *ctx);

/*
 * Adds to out what makes login unsafe as a tunnel login, one finding a line; nothing when it is
 * safe.
 */
void account_check(const char *login, const char *tunnel_group, struct buf *out);

/* True when login's home is not there: that lets nobody in, so it is no finding of account_check.
 * And when it is the one that former versions gave their logins, which account_make_login mends. */
bool account_home_is_missing(const char *login);
bool account_home_is_former(const char *login);

/* SIGHT_IS: login has an authorized_keys file with a key in it, where sshd looks by default, and
 * path is the first such file. SIGHT_CANNOT_TELL: path is one that cannot be read, and errno says
 * why. */
enum sight account_has_authorized_keys(const char *login, char *path, size_t path_bytes);

/* Opens a file of keys as sshd reads one, without waiting. SIGHT_IS: *ret, which the caller closes.
 * SIGHT_IS_NOT: there is none, or it is no regular file, which sshd does not read. */
enum sight account_open_keys(const char *path, FILE **ret);

/* SIGHT_IS: the file has a line that is neither blank nor a comment. What is no regular file has
 * none, for sshd too. */
enum sight account_file_has_keys(const char *path);

/* False, with why added to out, when login is an account that may not become a tunnel login,
 * whatever keys it has: root's, a person's, or that of another service. */
bool account_may_adopt(const char *login, const char *tunnel_group, struct buf *out);

/*
 * Makes the login, or mends an existing one: its groups, password, ageing, masked user
 * manager, and the missing home that former versions gave it.
 * Refuses an account that somebody or another service uses. The group must exist. 0, or -1 with why
 * in out, as for those below.
 */
int account_make_login(const char *login, const char *tunnel_group, struct buf *out);
int account_make_group(const char *group, struct buf *out);

/* Makes an account whose shell is this program, or mends the password, home, ageing and mask of one
 * that is there; it asks nobody whose it is. group: its only one. */
int account_make_program_login(const char *login, const char *group, const char *program,
                               struct buf *out);
int account_make_service_user(const char *user, const char *group, struct buf *out);

/* True when shell is nologin(8) or false(1), in whatever directory. */
bool account_is_nologin(const char *shell);

/* The link to /dev/null that keeps systemd's user manager of login from starting; and whether it is
 * there. */
void account_mask_path(const char *login, char *out, size_t out_bytes);
bool account_is_masked(const char *login);

/* False: there is no such account. */
bool account_uid(const char *login, uid_t *ret);

#endif
