/* SPDX-License-Identifier: ISC */
/*
 * What the parts of pam_tunnel.so share. This code runs as root inside sshd, su, login, cron and
 * sudo. It changes nothing in its host process (signals, umask, environment, directory, standard
 * descriptors), never waits without a deadline, and prints nothing.
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

/* The arguments of pam_tunnel.so in the PAM stack. libpam owns the texts, for this call. */
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
 * SIGHT_IS: the user of pamh is a member of the tunnel group and not root; sets *ret.
 * SIGHT_CANNOT_TELL: the lookup of the user or the group failed, which is logged.
 */
enum sight membership_is_tunnel_login(pam_handle_t *pamh, const struct module_args *args,
                                      struct tunnel_login *ret);

/* ---- may this key's session open (admit.c) ---- */

/* Returns PAM_SUCCESS or PAM_PERM_DENIED, and logs it. May not return: a refused connection is
 * ended by a signal to this process. */
int admit_open(pam_handle_t *pamh, const struct module_args *args,
               const struct tunnel_login *login);

/* Removes the entry that admit_open made. May be called again. */
void admit_close(pam_handle_t *pamh);

/* ---- the lease's other sessions (other_sessions.c) ---- */

/* A session that is about to open. The lock of its lease is held. */
struct newcomer {
    pam_handle_t *pamh; /* for the log */
    const struct registry *registry;
    const struct session *session;
    int64_t deadline_ms; /* clock_monotonic_ms */
};

/*
 * For a lease that listens: ends its older sessions. lock is the descriptor of the lease's lock
 * file, which counts the takeovers. Returns NULL, or why the newcomer is refused; then
 * *ret_was_logged says whether an earlier login has logged this.
 */
const char *other_sessions_end(const struct newcomer *n, int lock, bool *ret_was_logged);

/* For a lease that does not listen. Returns NULL if it has fewer than max sessions, else why the
 * newcomer is refused. */
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
    HELPER_NO_LEASE,  /* akc answered: the key holds no active lease */
    HELPER_COULD_NOT, /* akc was not started, took too long, or gave no usable answer */
};

/* Sets *ret with HELPER_LEASE, else *why, a clause for the log. */
enum helper_rc helper_check(const struct module_args *args, const char *login,
                            const struct auth_info *key, const char *source, int64_t deadline_ms,
                            struct judgement *ret, const char **why);

/* Parses, and changes, the line of akc --check in j->text. Returns 0, or -1: it is no such line. */
int judgement_parse(struct judgement *j);

#endif
