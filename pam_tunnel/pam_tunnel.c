/* SPDX-License-Identifier: ISC */
/*
 * pam_tunnel.so: keeps tunnel logins out of every session that is not a leased tunnel.
 *
 * Whoever is no tunnel login gets PAM_IGNORE before anything else is looked at. A tunnel login is
 * refused everywhere but in sshd, and there its key has to hold an active lease when the session
 * opens: only then does SSH_AUTH_INFO_0 say which key it was (docs/sshd-facts.md 2).
 *
 * JoinLogin, the member of the join group, is refused everywhere but in sshd, too. There its
 * connection is registered with its key, without a lease.
 *
 * Refusal is PAM_PERM_DENIED from every entry point: sudo carries on after PAM_SESSION_ERR.
 */
#include "pam_tunnel/admit.h"
#include "pam_tunnel/args.h"
#include "pam_tunnel/connection.h"
#include "pam_tunnel/join_admit.h"
#include "pam_tunnel/membership.h"

#include <security/pam_ext.h>
#include <string.h>
#include <syslog.h>

enum stage { STAGE_AUTH, STAGE_CREDENTIALS, STAGE_ACCOUNT, STAGE_SESSION, STAGE_PASSWORD };

/* Parses the arguments and looks up the user. False: neither a tunnel login nor JoinLogin, so the
 * module has no opinion. */
static bool is_ours(pam_handle_t *pamh, int argc, const char **argv, struct module_args *args,
                    struct tunnel_login *login)
{
    module_args_parse(argc, argv, args);
    switch (membership_find(pamh, args, login)) {
    case SIGHT_IS:
        return true;
    case SIGHT_IS_NOT:
        return false;
    case SIGHT_CANNOT_TELL:
        /* A broken directory service must not lock people out, and the key options and the Match
         * block hold without this module. */
        return false;
    }
    return false;
}

static bool is_sshd(pam_handle_t *pamh, const struct module_args *args, const char **ret_service)
{
    const void *service = NULL;
    if (pam_get_item(pamh, PAM_SERVICE, &service) != PAM_SUCCESS || service == NULL)
        service = "";
    *ret_service = service;
    return strcmp(service, args->service) == 0;
}

static int refuse(pam_handle_t *pamh, const struct tunnel_login *login, const char *service,
                  const char *why)
{
    pam_syslog(pamh, LOG_NOTICE, "refused login=%s service=%s: %s", login->name, service, why);
    return PAM_PERM_DENIED;
}

static int judge(pam_handle_t *pamh, enum stage stage, int argc, const char **argv)
{
    struct module_args args;
    struct tunnel_login login;
    const char *service;

    if (!is_ours(pamh, argc, argv, &args, &login))
        return PAM_IGNORE;
    if (args.bad != NULL) {
        pam_syslog(pamh, LOG_ERR, "unknown argument '%.64s': every tunnel login is refused",
                   args.bad);
        return PAM_PERM_DENIED;
    }
    bool sshd = is_sshd(pamh, &args, &service);
    if (login.leases && login.joins)
        return refuse(
            pamh, &login, service,
            "it is a member of the tunnel group and of the join group, whose rules differ");
    if (!sshd)
        return refuse(pamh, &login, service,
                      login.joins ? "JoinLogin has no session but the one that joins"
                                  : "a tunnel login has no session but its tunnel");
    switch (stage) {
    case STAGE_AUTH:
        return refuse(pamh, &login, service, "a tunnel login has no password, only its key");
    case STAGE_PASSWORD:
        return refuse(pamh, &login, service, "a tunnel login has no password");
    case STAGE_SESSION:
        return login.joins ? join_admit(pamh, &args, &login) : admit_open(pamh, &args, &login);
    case STAGE_CREDENTIALS:
    case STAGE_ACCOUNT: /* which key it was is not known yet */
        return PAM_IGNORE;
    }
    return PAM_PERM_DENIED;
}

PAM_EXTERN int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return judge(pamh, STAGE_AUTH, argc, argv);
}

PAM_EXTERN int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return judge(pamh, STAGE_CREDENTIALS, argc, argv);
}

PAM_EXTERN int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return judge(pamh, STAGE_ACCOUNT, argc, argv);
}

PAM_EXTERN int pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return judge(pamh, STAGE_SESSION, argc, argv);
}

PAM_EXTERN int pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    struct module_args args;
    struct tunnel_login login;
    const char *service;
    (void)flags;
    /* First, and whatever PAM_USER is by now: the entry is found by the pid of this process. */
    connection_forget(pamh);
    if (!is_ours(pamh, argc, argv, &args, &login))
        return PAM_IGNORE;
    if (login.leases && login.joins)
        return PAM_PERM_DENIED;
    return args.bad == NULL && is_sshd(pamh, &args, &service) ? PAM_SUCCESS : PAM_PERM_DENIED;
}

PAM_EXTERN int pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)flags;
    return judge(pamh, STAGE_PASSWORD, argc, argv);
}
