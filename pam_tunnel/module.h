/* SPDX-License-Identifier: ISC */
/*
 * What the parts of pam_tunnel.so share. This is root's code inside sshd, su, login, cron, sudo:
 * it changes nothing of the process it is a guest in (signals, umask, environment, directory,
 * standard descriptors), never waits without a deadline, and prints nothing.
 */
#ifndef TUNLEASE_PAM_TUNNEL_MODULE_H
#define TUNLEASE_PAM_TUNNEL_MODULE_H

#include "lib/session/sight.h"

#include <security/pam_modules.h>

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct auth_info;
struct registry;
struct session;

/* The words behind pam_tunnel.so in the stack. Borrowed from libpam for the call. */
struct module_args {
    const char *conf_file; /* NULL: the default one */
    const char *group;
    const char *service; /* sshd's PAM service name */
    const char *akc;
    const char *akc_user;
    bool debug;
    bool end_refused; /* end=no leaves a refused connection to sshd: dead, but connected */
    const char *bad;  /* the first word that is none of these: tunnel logins are refused */
};

void module_args_parse(int argc, const char **argv, struct module_args *ret);

/* ---- who is a tunnel login (membership.c) ---- */

struct tunnel_login {
    const char *name; /* PAM_USER, borrowed from pamh */
    uid_t uid;
};

/*
 * SIGHT_IS, and *ret, when the user of pamh is a member of the tunnel group and not root.
 * SIGHT_CANNOT_TELL, which is logged: the accounts' directory did not answer.
 */
enum sight membership_is_tunnel_login(pam_handle_t *pamh, const struct module_args *args,
                                      struct tunnel_login *ret);

/* ---- may this key's session open (admit.c) ---- */

/* PAM_SUCCESS, or PAM_PERM_DENIED, logged. May not return: a refused connection is ended. */
int admit_open(pam_handle_t *pamh, const struct module_args *args,
               const struct tunnel_login *login);

/* Takes the entry of admit_open away. Idempotent. */
void admit_close(pam_handle_t *pamh);

/* ---- the lease's other sessions (other_sessions.c) ---- */

/* One that is about to open. Under its lease's lock. */
struct newcomer {
    pam_handle_t *pamh; /* for the log */
    const struct registry *registry;
    const struct session *session;
    int64_t deadline_ms; /* clock_monotonic_ms */
};

/*
 * For one that listens: ends the older ones. lock is the descriptor of the lease's lock, whose file
 * holds how often it was taken over. NULL, or why the newcomer is refused; *ret_was_logged: as was
 * logged before.
 */
const char *other_sessions_end(const struct newcomer *n, int lock, bool *ret_was_logged);

/* For one that does not: whether there are fewer than max. NULL, or why it is refused. */
const char *other_sessions_check_limit(const struct newcomer *n, unsigned max);

/* ---- akc --check (helper.c) ---- */

enum { JUDGEMENT_TEXT_BYTES = 49152 };

struct judgement {
    int64_t lease_id;
    bool listens;          /* it has listen permits: one connection, the newest wins */
    unsigned max_sessions; /* 0: no limit */
    const char *name;
    const char *fingerprint;
    const char *opens, *listens_on; /* lists as lib/lease writes them */
    char text[JUDGEMENT_TEXT_BYTES];
};

enum helper_rc {
    HELPER_LEASE,     /* *ret is set */
    HELPER_NO_LEASE,  /* asked, and the key holds none */
    HELPER_COULD_NOT, /* not started, out of time, or it said nothing that can be used */
};

/* why: a clause for the log unless HELPER_LEASE. */
enum helper_rc helper_check(const struct module_args *args, const char *login,
                            const struct auth_info *key, const char *source, int64_t deadline_ms,
                            struct judgement *ret, const char **why);

/* The line that akc --check prints, in ret->text. 0, or -1: it is none. */
int judgement_parse(struct judgement *j);

#endif
