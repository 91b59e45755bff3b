/* SPDX-License-Identifier: ISC */
#include "pam_tunnel/membership.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <security/pam_ext.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

/* A group with a hundred thousand members still fits. If an entry does not, the lookup has
 * failed. */
enum { LOOKUP_BYTES = 4096, LOOKUP_BYTES_MAX = 16 * 1024 * 1024 };

struct lookup {
    char *text; /* what the result points into; owned */
    size_t bytes;
};

/* Makes more room after ERANGE. False: there is no more. */
static bool grow(struct lookup *l)
{
    size_t bytes = l->bytes == 0 ? LOOKUP_BYTES : l->bytes * 4;
    char *text = bytes <= LOOKUP_BYTES_MAX ? realloc(l->text, bytes) : NULL;
    if (text == NULL)
        return false;
    l->text = text;
    l->bytes = bytes;
    return true;
}

/* 0 and *ret (NULL: there is no such user), or an errno. */
static int find_user(const char *name, struct lookup *l, struct passwd *pw, struct passwd **ret)
{
    int rc = ERANGE;
    while (rc == ERANGE && grow(l))
        do
            rc = getpwnam_r(name, pw, l->text, l->bytes, ret);
        while (rc == EINTR);
    return rc == ENOENT || rc == ESRCH ? 0 : rc; /* getpwnam_r(3), NOTES */
}

static int find_group(const char *name, struct lookup *l, struct group *gr, struct group **ret)
{
    int rc = ERANGE;
    while (rc == ERANGE && grow(l))
        do
            rc = getgrnam_r(name, gr, l->text, l->bytes, ret);
        while (rc == EINTR);
    return rc == ENOENT || rc == ESRCH ? 0 : rc;
}

static bool is_member(const struct passwd *pw, const struct group *gr)
{
    if (pw->pw_gid == gr->gr_gid)
        return true;
    for (char *const *member = gr->gr_mem; member != NULL && *member != NULL; member++)
        if (strcmp(*member, pw->pw_name) == 0)
            return true;
    return false;
}

/* Whether the user is a member of the group; a failure is logged. */
static enum sight is_in_group(pam_handle_t *pamh, const struct module_args *args,
                              const struct passwd *pw, const char *name)
{
    struct lookup l = {NULL, 0};
    struct group gr, *grp = NULL;
    enum sight member = SIGHT_IS_NOT;
    int rc = find_group(name, &l, &gr, &grp);
    if (rc != 0) {
        member = SIGHT_CANNOT_TELL;
        pam_syslog(pamh, LOG_ERR,
                   "cannot look up group '%s': %s; '%s' is not treated as a tunnel "
                   "login",
                   name, strerror(rc), pw->pw_name);
    } else if (grp == NULL && args->debug) {
        pam_syslog(pamh, LOG_DEBUG, "there is no group '%s'", name);
    }
    if (grp != NULL && is_member(pw, grp))
        member = SIGHT_IS;
    free(l.text);
    return member;
}

/* Which of the two groups the user is in. Where one cannot be looked up, the other alone counts. */
static enum sight find_groups(pam_handle_t *pamh, const struct module_args *args,
                              const struct passwd *pw, struct tunnel_login *login)
{
    enum sight leases = is_in_group(pamh, args, pw, args->group);
    enum sight joins =
        args->join_group != NULL ? is_in_group(pamh, args, pw, args->join_group) : SIGHT_IS_NOT;
    login->leases = leases == SIGHT_IS;
    login->joins = joins == SIGHT_IS;
    if (login->leases || login->joins)
        return SIGHT_IS;
    return leases == SIGHT_CANNOT_TELL ? leases : joins;
}

enum sight membership_find(pam_handle_t *pamh, const struct module_args *args,
                           struct tunnel_login *ret)
{
    const char *name = NULL;
    struct lookup user = {NULL, 0};
    struct passwd pw, *pwp = NULL;
    enum sight member = SIGHT_IS_NOT;

    /* pam_get_user(3) asks for the name if the program has set none yet; pam_unix would do so
     * next. */
    if (pam_get_user(pamh, &name, NULL) != PAM_SUCCESS || name == NULL || *name == '\0')
        return SIGHT_IS_NOT;
    int rc = find_user(name, &user, &pw, &pwp);
    if (rc != 0) {
        member = SIGHT_CANNOT_TELL;
        pam_syslog(pamh, LOG_ERR, "cannot look up user '%s': %s; not treated as a tunnel login",
                   name, strerror(rc));
    }
    if (rc == 0 && pwp != NULL && pwp->pw_uid != 0) {
        struct tunnel_login login = {.name = name, .uid = pwp->pw_uid};
        member = find_groups(pamh, args, pwp, &login);
        if (member == SIGHT_IS)
            *ret = login;
    }
    free(user.text);
    return member;
}
